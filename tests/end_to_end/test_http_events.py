"""Events over HTTP: what is answered with 201 is stored as sent; what is refused names its field and stores nothing."""

import uuid
from typing import Any

import httpx
import orjson
import pytest

from schemas.use_case import MetadataField, MetadataSchema, UseCase
from tests.end_to_end.http import Gateway, event
from tests.end_to_end.system import System


@pytest.fixture
def use_case(system: System) -> str:
    """A use case of this test alone; it wants a line_id."""
    name = f"http-{uuid.uuid4().hex[:8]}"
    fields = MetadataSchema(fields={"line_id": MetadataField(type="string")})
    system.apply(UseCase(id=name, name=name, metadata=fields))
    return name


def test_an_event_is_stored_as_it_was_sent(system: System, gateway: Gateway, use_case: str) -> None:
    box = {"class": "scratch", "x": 10, "y": 20, "width": 3, "height": 4, "confidence": 0.5}
    sent = event(
        use_case,
        eventType="quality_check",
        eventData={"result": "fail", "externalId": "batch-1"},
        deviceId="cam-1",
        customMetadata={"line_id": "L1", "extra": 7},
        images=[{"label": "top", "objectDetections": [box]}],
    )
    answer = gateway.client().post("/", json=sent)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["eventId"], body["created"]) == (sent["eventId"], True)
    assert [(w["code"], w["field"]) for w in body["warnings"]] == [("unknown_metadata_key", "customMetadata.extra")]
    with system.worker():
        system.drained()
    row = system.sql.query(
        "SELECT event_type, device_id, toJSONString(event_data), toJSONString(custom_metadata), "
        "object_detections.class, images.label, warnings.code FROM vision_events WHERE event_id = {id:String}",
        parameters={"id": sent["eventId"]},
    ).result_rows[0]
    assert row[:2] == ("quality_check", "cam-1")
    assert orjson.loads(row[2]) == {"result": "fail", "external_id": "batch-1"}
    assert orjson.loads(row[3]) == {"line_id": "L1", "extra": 7}
    assert row[4:] == (["scratch"], ["top"], ["unknown_metadata_key"])


def test_both_spellings_of_the_path_and_a_batch(gateway: Gateway, system: System, use_case: str) -> None:
    client = gateway.client()
    url = f"{gateway.url}/vision-events"
    assert client.post(url, json=event(use_case)).status_code == 201
    events = [event(use_case) for _ in range(100)]
    answer = client.post("/batch", json={"events": events})
    assert answer.status_code == 201
    assert answer.json() == {"created": 100, "eventIds": [item["eventId"] for item in events]}
    with system.worker():
        system.drained()
    assert system.value("SELECT count() FROM vision_events WHERE use_case_id = {u:String}", u=use_case) == 101


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"eventId": None}, "eventId"),
        ({"eventType": "party"}, "party"),
        ({"timestamp": "2001-01-01T00:00:00Z"}, "timestamp"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"deviceId": "x" * 257}, "deviceId"),
        ({"customMetadata": {"a": {"b": 1}}}, "customMetadata.a"),
        ({"eventType": "inventory_count", "eventData": {"itemCount": -1}}, "eventData.itemCount"),
        ({"images": [{}, {"objectDetections": [{"class": "x"}]}]}, "images.1.objectDetections.0"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_names_its_field(gateway: Gateway, use_case: str, changes: dict[str, Any], field: str) -> None:
    answer = gateway.client().post("/", json=event(use_case, **changes))
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}
    assert field in answer.json()["error"]


def test_a_batch_is_stored_whole_or_not_at_all(system: System, gateway: Gateway, use_case: str) -> None:
    produced = system.counts().produced
    wrong = [event(use_case), event(use_case), event(use_case, timestamp="2001-01-01T00:00:00Z")]
    answer = gateway.client().post("/batch", json={"events": wrong})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("events.2.timestamp: ")
    assert gateway.client().post("/batch", json={"events": []}).status_code == 400
    assert system.counts().produced == produced


def test_keys_open_their_own_workspace_only(system: System, gateway: Gateway, use_case: str) -> None:
    assert httpx.post(f"{gateway.url}/vision-events/", json=event(use_case)).status_code == 401
    reader = gateway.client(scopes=("vision-events:read",))
    assert reader.post("/", json=event(use_case)).status_code == 403
    stranger = gateway.client(workspace="elsewhere").post("/", json=event(use_case))
    unknown = gateway.client().post("/", json=event("nowhere"))
    assert stranger.status_code == unknown.status_code == 404
    assert stranger.json() == unknown.json()


def test_other_errors_have_the_same_shape(gateway: Gateway, use_case: str) -> None:
    client = gateway.client()
    for answer, status in (
        (client.get("/nothing"), 404),
        (client.delete("/batch"), 405),
        (client.post("/", content=b"{"), 400),
        (client.post("/", content=b" " * (9 * 2**20)), 413),
    ):
        assert answer.status_code == status
        assert set(answer.json()) == {"error"}
