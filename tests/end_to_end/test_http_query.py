"""Queries over HTTP: what was written is found and can be deleted; pages, workspaces, and requests that are refused."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from pipeline.edges.clickhouse import insert_events
from schemas.use_case import UseCase
from tests.end_to_end.http import Gateway, event
from tests.end_to_end.system import System

BASE = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


def new_use_case(system: System, workspace: str = "default") -> str:
    name = f"query-{uuid.uuid4().hex[:8]}"
    system.apply(UseCase(id=name, name=name, workspace_id=workspace, retention_days=20))
    return name


def store(system: System, use_case: str, count: int, workspace: str = "default", **fields: Any) -> list[str]:
    """Events as the workers store them, newest first."""
    rows = [
        {
            "workspace_id": workspace,
            "use_case_id": use_case,
            "event_id": f"{use_case}/{number:03}",
            "event_type": "custom",
            "timestamp": BASE + timedelta(minutes=number // 2),
            "retention_days": 20,
            "topic": use_case,
            "partition": 0,
            "offset": number,
            "version": number + 1,
        }
        | fields
        for number in range(count)
    ]
    insert_events(system.sql, [orjson.dumps(row, option=orjson.OPT_UTC_Z) for row in rows])
    return [row["event_id"] for row in reversed(rows)]


def query(client: httpx.Client, use_case: str, **fields: Any) -> dict[str, Any]:
    answer = client.post("/query", json={"useCaseId": use_case} | fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_what_was_written_is_found_and_deleted_for_good(system: System, gateway: Gateway) -> None:
    client, use_case = gateway.client(), new_use_case(system)
    box = {"class": "scratch", "x": 10, "y": 20, "width": 3, "height": 4, "confidence": 0.9}
    sent = event(
        use_case,
        eventType="quality_check",
        eventData={"result": "fail", "externalId": "batch-1"},
        deviceId="cam-1",
        customMetadata={"part number": "PN-8", "temperature": 21.5},
        images=[{"label": "top", "metadata": {"gain": 2}, "objectDetections": [box]}],
    )
    other = event(use_case, timestamp=(BASE - timedelta(days=15)).isoformat())
    feedback = event(
        use_case, eventType="operator_feedback", eventData={"relatedEventId": sent["eventId"], "feedback": "correct"}
    )
    assert client.post("/batch", json={"events": [sent, other, feedback]}).status_code == 201
    with system.worker():
        system.drained()
    found = query(client, use_case, eventType="quality_check")
    assert (found["hasMore"], found["nextCursor"], found["lookbackDays"]) == (False, None, 20)
    (mine,) = found["events"]
    for name in ("eventId", "eventType", "useCaseId", "eventData", "deviceId", "customMetadata"):
        assert mine[name] == sent[name], name
    assert mine["images"] == sent["images"]
    assert datetime.fromisoformat(mine["timestamp"]) == datetime.fromisoformat(sent["timestamp"])
    for filters in (
        {"detectionClass": {"value": "scratch", "minConfidence": 0.9}},
        {"customMetadataFilters": [{"field": "part number", "operator": "contains", "value": "PN", "type": "string"}]},
        {"imageMetadataFilters": [{"field": "gain", "operator": "gte", "value": 2, "type": "number"}]},
        {"eventFieldFilters": [{"column": "result", "operator": "eq", "value": "fail"}]},
        {"externalId": {"operator": "eq", "value": "batch-1"}},
        {"feedbackStatus": "correct"},
    ):
        assert [each["eventId"] for each in query(client, use_case, **filters)["events"]] == [sent["eventId"]], filters
        counted = client.post("/count", json={"useCaseId": use_case} | filters)
        assert counted.json() == {"count": 1, "lookbackDays": 20}
    schema = client.get(f"/custom-metadata-schema/{use_case}")
    assert schema.json() == {"fields": {"part number": {"types": ["string"]}, "temperature": {"types": ["number"]}}}
    assert client.get(f"/image-metadata-schema/{use_case}").json() == {"fields": {"gain": {"types": ["number"]}}}

    answer = client.post("/delete", json={"useCaseId": use_case, "eventIds": [sent["eventId"], "nothing"]})
    assert (answer.status_code, answer.json()) == (200, {"deleted": 1, "notFound": ["nothing"]})
    assert query(client, use_case, eventType="quality_check")["events"] == []
    assert client.post("/", json=sent).status_code == 201
    with system.worker():
        system.drained()
    assert len(query(client, use_case, eventType="quality_check")["events"]) == 1, "sent again, it is a new event"


def test_pages_and_cursors(system: System, gateway: Gateway) -> None:
    client, use_case = gateway.client(), new_use_case(system)
    ids = store(system, use_case, 25)
    seen: list[str] = []
    page = query(client, use_case, limit=10)
    while True:
        seen += [each["eventId"] for each in page["events"]]
        assert page["hasMore"] == (page["nextCursor"] is not None)
        if not page["hasMore"]:
            break
        page = query(client, use_case, limit=7, cursor=page["nextCursor"])
    assert seen == ids
    assert query(client, use_case, limit=25)["hasMore"] is False
    cursor = query(client, use_case, limit=10)["nextCursor"]
    for wrong in (
        {"cursor": cursor[:5] + ("A" if cursor[5] != "A" else "B") + cursor[6:]},
        {"cursor": cursor[:-8]},
        {"cursor": "' OR 1=1 --"},
        {"cursor": cursor, "eventType": "custom"},
        {"cursor": cursor, "useCaseId": new_use_case(system)},
    ):
        answer = client.post("/query", json={"useCaseId": use_case} | wrong)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("cursor: ")


def test_a_workspace_has_its_own_events_on_every_path(system: System, gateway: Gateway) -> None:
    workspace = f"w-{uuid.uuid4().hex[:8]}"
    theirs, mine = gateway.client(workspace), gateway.client()
    use_case = new_use_case(system, workspace)
    store(system, use_case, 3, workspace)
    cursor = query(theirs, use_case, limit=1)["nextCursor"]
    for answer in (
        mine.post("/query", json={"useCaseId": use_case}),
        mine.post("/query", json={"useCaseId": use_case, "cursor": cursor, "limit": 1}),
        mine.post("/count", json={"useCaseId": use_case}),
        mine.post("/delete", json={"useCaseId": use_case, "eventIds": [f"{use_case}/000"]}),
        mine.get(f"/custom-metadata-schema/{use_case}"),
        mine.get(f"/image-metadata-schema/{use_case}"),
    ):
        assert (answer.status_code, answer.json()) == (
            404,
            {"error": "useCaseId: no use case of this id in the key's workspace"},
        )
    assert len(query(theirs, use_case)["events"]) == 3
    reader = gateway.client(workspace, ("vision-events:read",))
    assert query(reader, use_case)["events"]
    assert reader.post("/delete", json={"useCaseId": use_case, "eventIds": [f"{use_case}/000"]}).status_code == 403
    assert gateway.client(workspace, ("vision-events:write",)).post("/count", json={}).status_code == 403


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/query", {}, "useCaseId"),
        ("/query", {"limit": "many"}, "limit"),
        ("/query", {"customMetadataFilters": [{"field": "a`b", "value": 1}]}, "customMetadataFilters.0.field"),
        ("/query", {"filters": []}, "filters"),
        ("/query", {"deviceId": "a\x00b"}, "deviceId"),
        ("/query", {"detectionClass": "a\x00b"}, "detectionClass"),
        ("/query", {"eventFieldFilters": [{"column": "value", "value": "\x00"}]}, "eventFieldFilters.0.value"),
        ("/count", {"cursor": "x"}, "cursor"),
        ("/delete", {"eventIds": []}, "eventIds"),
        ("/delete", {"eventIds": ["x"] * 1001}, "eventIds"),
    ],
)
def test_a_request_that_is_not_valid_names_its_field(
    system: System, gateway: Gateway, path: str, body: dict[str, Any], field: str
) -> None:
    answer = gateway.client().post(path, json=({"useCaseId": "defect-detection"} if body else {}) | body)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"{field}: "), answer.text


def test_no_text_is_more_than_a_text(system: System, gateway: Gateway) -> None:
    client, use_case = gateway.client(), new_use_case(system)
    store(system, use_case, 2)
    for text in ("'; DROP TABLE stored_events; --", "\\' OR 1=1", "{p0:String}", "x') OR (1=1", "\\N", "%"):
        for filters in (
            {"deviceId": text},
            {"externalId": {"operator": "neq", "value": text}},
            {"detectionClass": text},
            {"customMetadataFilters": [{"field": "k", "operator": "contains", "value": text}]},
            {"imageMetadataFilters": [{"field": "k", "operator": "eq", "value": text}]},
            {"eventFieldFilters": [{"column": "value", "operator": "eq", "value": text}]},
        ):
            assert query(client, use_case, **filters)["events"] == [], (text, filters)
        answer = client.post("/query", json={"useCaseId": text})
        assert answer.status_code in (400, 404)
        missing = client.post("/delete", json={"useCaseId": use_case, "eventIds": [text]})
        assert missing.status_code in (200, 400)
    assert len(query(client, use_case)["events"]) == 2
