"""The pure parts of queries: what is refused, cursors, spans of time, what is in force, the event on the wire."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pipeline.core.api_event import api_event
from pipeline.core.query.conditions import Bindings, conditions
from pipeline.core.query.cursor import CursorSigner, InvalidCursorError, Position
from pipeline.core.query.document import EventQuery
from pipeline.core.query.replaced import in_force, look_since
from pipeline.core.query.spans import microseconds, newest_first, searched
from pipeline.errors import InvalidRecordError, QueryLimitError
from pipeline.gateway.app import make_app
from pipeline.gateway.bodies import parse
from pipeline.settings import Settings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def query(**fields: Any) -> EventQuery:
    return EventQuery.model_validate_json(orjson.dumps({"useCaseId": "u"} | fields))


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"useCaseId": ""}, "useCaseId"),
        ({"startTime": 1732000000}, "startTime"),
        ({"startTime": "2026-11-24T00:00:00Z", "endTime": "2026-11-23T00:00:00Z"}, ""),
        ({"eventTypes": ["quality_check"] * 21}, "eventTypes"),
        ({"eventType": "nothing"}, "eventType"),
        ({"deviceId": {"operator": "gt", "value": "a"}}, "deviceId.operator"),
        ({"detectionClass": {"value": "a", "minConfidence": 2}}, "detectionClass.minConfidence"),
        ({"feedbackStatus": "maybe"}, "feedbackStatus"),
        ({"limit": 0}, "limit"),
        ({"customMetadataFilter": []}, "customMetadataFilter"),
        ({"customMetadataFilters": [{"field": "a`b", "value": 1}]}, "customMetadataFilters.0.field"),
        ({"customMetadataFilters": [{"field": "a.b", "value": 1}]}, "customMetadataFilters.0.field"),
        ({"customMetadataFilters": [{"field": "a", "value": None}]}, "customMetadataFilters.0.value"),
        ({"customMetadataFilters": [{"field": "a", "value": 1, "operator": "contains"}]}, "customMetadataFilters.0"),
        ({"customMetadataFilters": [{"field": "a", "value": True, "operator": "lt"}]}, "customMetadataFilters.0"),
        ({"customMetadataFilters": [{"field": "a", "value": "x", "type": "number"}]}, "customMetadataFilters.0"),
        ({"eventFieldFilters": [{"column": "version", "value": 1}]}, "eventFieldFilters.0.column"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_name(fields: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidRecordError) as refused:
        parse(orjson.dumps({"useCaseId": "u"} | fields), TypeAdapter(EventQuery))
    assert refused.value.field == place


def test_what_clients_write_in_several_ways() -> None:
    filters = [{"field": "t", "value": "70", "type": "number"}, {"field": "b", "value": "true", "type": "boolean"}]
    asked = query(deviceId="cam-1", detectionClass="scratch", startTime="2026-11-24", customMetadataFilters=filters)
    assert asked.device_id is not None
    assert (asked.device_id.operator, asked.device_id.value) == ("eq", "cam-1")
    assert asked.detection_class is not None
    assert asked.detection_class.min_confidence is None
    assert asked.start_time == datetime(2026, 11, 24, tzinfo=UTC)
    assert [each.value for each in asked.custom_metadata_filters] == [70, True]
    assert query(eventFieldFilters=[{"column": "item_count", "value": 1}]).event_field_filters[0].column == "itemCount"


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)


@given(text=TEXTS, name=st.text(max_size=12))
def test_no_value_becomes_part_of_the_statement(text: str, name: str) -> None:
    """Conditions of the same shape are the same text, whatever the values; names are only those that keys may have."""

    def compiled(value: str, field: str) -> list[str]:
        metadata = [{"field": "k", "value": value}]
        asked = query(
            deviceId=value,
            externalId=value,
            detectionClass=value,
            feedbackStatus="correct",
            eventFieldFilters=[{"column": "value", "value": value}],
            customMetadataFilters=metadata,
            imageMetadataFilters=metadata,
        )
        for each in (*asked.custom_metadata_filters, *asked.image_metadata_filters):
            each.field = field
        return conditions(asked, value, Bindings(), 0)

    assert compiled(text, "k") == compiled("plain", "k")
    if not re.fullmatch(r"[a-zA-Z0-9_ -]+", name):
        with pytest.raises(ValueError, match="is not the name of a field"):
            compiled(text, name)


POSITIONS = st.builds(Position, st.integers(-(2**62), 2**62), TEXTS)


@given(position=POSITIONS)
def test_a_cursor_leads_back_to_its_place_whatever_the_limit(position: Position) -> None:
    cursor = CursorSigner(b"secret", "w", query(limit=5)).write(position)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
    assert CursorSigner(b"secret", "w", query(limit=500, cursor=cursor)).read(cursor) == position


@given(position=POSITIONS, data=st.data())
def test_a_changed_cursor_is_refused(position: Position, data: st.DataObject) -> None:
    signer = CursorSigner(b"secret", "w", query())
    cursor = signer.write(position)
    place = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from("AZaz09-_=.é\0"))
    changed = cursor[:place] + other + cursor[place + 1 :]
    try:
        # The last character of base64 may carry bits that mean nothing.
        assert signer.read(changed) == position
        assert changed == cursor or place == len(cursor) - 1
    except InvalidCursorError:
        assert changed != cursor


@given(text=st.text(max_size=60))
def test_no_text_is_a_cursor_by_chance(text: str) -> None:
    with pytest.raises(InvalidCursorError):
        CursorSigner(b"secret", "w", query()).read(text)


def test_a_cursor_is_good_for_its_query_and_workspace_only() -> None:
    cursor = CursorSigner(b"secret", "w", query()).write(Position(1, "a"))
    for signer in (
        CursorSigner(b"secret", "v", query()),
        CursorSigner(b"other", "w", query()),
        CursorSigner(b"secret", "w", query(useCaseId="v")),
        CursorSigner(b"secret", "w", query(deviceId="cam")),
    ):
        with pytest.raises(InvalidCursorError, match="not a cursor of this query"):
            signer.read(cursor)


@given(days=st.integers(1, 3650), start=st.integers(-5000, 5000), hours=st.integers(0, 9000))
def test_the_parts_of_a_span_are_all_of_it_newest_first(days: int, start: int, hours: int) -> None:
    begin = NOW + timedelta(hours=start)
    asked = query(startTime=begin.isoformat(), endTime=(begin + timedelta(hours=hours)).isoformat())
    span = searched(asked, NOW, days)
    assert span.since >= microseconds(NOW - timedelta(days=days))
    expected = span.until
    for part in newest_first(span, NOW):
        assert part.until == expected
        assert span.since <= part.since <= part.until
        expected = part.since - 1
    assert expected == (span.since - 1 if span.since <= span.until else span.until)


def stored(event_id: str, version: int, inserted_ms: int = 0, **fields: Any) -> dict[str, Any]:
    row = {"event_id": event_id, "version": version, "inserted_ms": inserted_ms, "timestamp": "t1", "use_case_id": "u"}
    return row | fields


def test_how_far_back_rows_can_replace_an_event() -> None:
    swept, minute = 10_000_000, 60_000
    old, fresh = swept - 2 * minute, swept + 1
    assert look_since([stored("a", old << 20, old)], swept) == swept - minute
    assert look_since([stored("a", fresh << 20, fresh)], swept) == swept - minute
    late = swept - 50 * minute
    assert look_since([stored("a", late << 20, fresh)], swept) == late - minute, "an old record that was stored late"
    assert look_since([stored("a", old << 20, old)], 0) == 0, "no sweep yet"


def test_the_highest_row_of_an_id_is_in_force() -> None:
    mine = stored("a", 5)
    for other, visible in (
        (stored("a", 6, timestamp="t0", is_deleted=0), False),
        (stored("a", 4, timestamp="t2", is_deleted=0), True),
        (stored("a", 5, timestamp="t2", is_deleted=0), False),
        (stored("a", 5, timestamp="t0", is_deleted=0), True),
        (stored("a", 5, timestamp="t2", is_deleted=1), True),
        (stored("b", 6, timestamp="t2", is_deleted=0), True),
        (stored("a", 6, is_deleted=0), True),  # replaced in place after the row was read
        (stored("a", 6, is_deleted=1), False),
    ):
        assert in_force([mine], [mine | {"is_deleted": 0}, other]) == ([mine] if visible else [])
    both = [stored("a", 6, timestamp="t2"), stored("a", 5)]
    assert in_force(both, [row | {"is_deleted": 0} for row in both]) == both[:1]


def test_an_event_on_the_wire() -> None:
    plain = dict.fromkeys(("factory_id", "stream_id", "workflow_id", "frame_id", "comment"), "")
    image = dict.fromkeys(("content_type", "input_content_type", "input_source_id", "metadata"), "")
    image |= dict.fromkeys(("size", "width", "height", "input_size", "input_width", "input_height"), 0)
    box = {"class": "a", "confidence": None, "class_id": 3, "tracker_id": None, "x": 1, "y": 2, "width": 3, "height": 4}
    row = plain | {
        "event_id": "e",
        "event_type": "inventory_count",
        "use_case_id": "u",
        "timestamp": "2026-11-24T12:00:00.000000Z",
        "device_id": "cam",
        "frame_width": 640,
        "frame_height": 480,
        "images": [image | {"label": "top", "source_id": "5e", "metadata": '{"lens_id": 1}'}],
        "display_image_position": 0,
        "object_detections": [box | {"image": 1}],
        "classifications": [],
        "instance_segmentations": [],
        "keypoints": [box | {"image": 0, "keypoints": [{"id": "tip", "x": 1, "y": 1, "confidence": None}]}],
        "custom_metadata": {"line_id": "L1"},
        "event_data": {"item_count": 2, "external_id": "x"},
        "warnings": [{"code": "clock_skew", "field": "timestamp", "message": "ahead"}],
    }
    annotation = {"class": "a", "classId": 3, "x": 1, "y": 2, "width": 3, "height": 4}
    assert api_event(row, link=lambda image_id: f"/i/{image_id}", metadata=orjson.loads) == {
        "eventId": "e",
        "eventType": "inventory_count",
        "useCaseId": "u",
        "timestamp": "2026-11-24T12:00:00.000000Z",
        "eventData": {"itemCount": 2, "externalId": "x"},
        "deviceId": "cam",
        "customMetadata": {"line_id": "L1"},
        "frameSize": {"width": 640, "height": 480},
        "images": [
            {
                "sourceId": "5e",
                "url": "/i/5e",
                "label": "top",
                "metadata": {"lens_id": 1},
                "keypoints": [annotation | {"keypoints": [{"id": "tip", "x": 1, "y": 1}]}],
            },
            {"objectDetections": [annotation]},
        ],
        "displayImagePosition": 0,
        "warnings": [{"code": "clock_skew", "field": "timestamp", "message": "ahead"}],
    }


async def test_a_query_that_needs_too_much_is_answered_with_408() -> None:
    app = make_app(Settings())

    @app.get("/broad/query")
    def broad() -> None:
        raise QueryLimitError("narrow it")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        answer = await client.get("/broad/query")
    assert (answer.status_code, answer.json()) == (408, {"error": "narrow it"})
