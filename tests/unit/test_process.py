"""What becomes of one record: golden examples, every way to be broken, and properties that hold for any bytes."""

import base64
import io
import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.core.process import Processed, process
from pipeline.core.record import Record, row_version
from pipeline.errors import InvalidRecordError
from schemas.reject import RejectReason
from schemas.vision_event import VisionEvent
from tests.unit.registry import NOW_MS, REGISTRY

GOLDEN = Path(__file__).parent / "golden" / "process"

GOOD: dict[str, Any] = {
    "event_id": "0f3c1a4e-7b1d-4a52-9e8f-1c2d3e4f5a6b",
    "use_case_id": "defect-detection",
    "timestamp": "2026-11-23T10:00:00.120Z",
    "source": {"device_id": "cam-7"},
    "custom_metadata": {"part_number": "PN-88"},
    "result": {
        "object_detections": [
            {"class": "scratch", "confidence": 0.91, "x": 356, "y": 151, "width": 92, "height": 58, "class_id": 2}
        ]
    },
}


def picture(width: int = 8, height: int = 6, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(buffer, kind)
    return buffer.getvalue()


def inline(content: bytes) -> str:
    return base64.b64encode(content).decode()


def record(document: Any, **changes: Any) -> Record:
    value = document if isinstance(document, bytes) else orjson.dumps(document)
    return Record(**({"value": value, "partition": 3, "offset": 42, "timestamp": NOW_MS} | changes))


def run(document: Any, **changes: Any) -> dict[str, Any]:
    """The event as consumers read it."""
    event: dict[str, Any] = json.loads(
        orjson.dumps(process(record(document, **changes), REGISTRY).event, option=orjson.OPT_UTC_Z)
    )
    return event


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_golden_messages(path: Path) -> None:
    case = json.loads(path.read_text())
    event = run(case["record"], key=case.get("key", "").encode() or None)
    if os.environ.get("UPDATE_GOLDEN"):
        case["event"] = event
        path.write_text(json.dumps(case, indent=2) + "\n")
    assert event == case["event"]
    VisionEvent.model_validate(event)


def test_every_shipped_use_case_has_a_golden_message() -> None:
    used = {json.loads(path.read_text())["event"]["use_case_id"] for path in GOLDEN.glob("*.json")}
    assert {"defect-detection", "ppe-compliance"} <= used


BROKEN: list[tuple[str, Any, RejectReason, str]] = [
    ("no value", b"", RejectReason.NOT_JSON, ""),
    ("not JSON", b'{"use_case_id": ', RejectReason.NOT_JSON, ""),
    ("not UTF-8", b'{"comment": "\xff"}', RejectReason.NOT_JSON, ""),
    ("a number", 7, RejectReason.UNKNOWN_FORMAT, ""),
    ("nothing known", {"hello": "world"}, RejectReason.UNKNOWN_FORMAT, ""),
    ("format unheard of", GOOD | {"format": "acme"}, RejectReason.UNKNOWN_FORMAT, "format"),
    ("typing mistake", GOOD | {"use_cas": "x"}, RejectReason.UNKNOWN_FIELD, "use_cas"),
    (
        "box without height",
        GOOD | {"result": {"object_detections": [{"class": "a", "confidence": 1, "x": 1, "y": 1, "width": 1}]}},
        RejectReason.MISSING_FIELD,
        "result.object_detections.0.height",
    ),
    (
        "confidence in percent",
        GOOD | {"result": {"classifications": [{"class": "a", "confidence": 91}]}},
        RejectReason.INVALID_VALUE,
        "result.classifications.0.confidence",
    ),
    ("no such use case", GOOD | {"use_case_id": "x"}, RejectReason.UNKNOWN_USE_CASE, "use_case_id"),
    ("archived use case", GOOD | {"use_case_id": "archived"}, RejectReason.UNKNOWN_USE_CASE, "use_case_id"),
    ("no use case", {"source": {"device_id": "other"}}, RejectReason.UNKNOWN_USE_CASE, "use_case_id"),
    ("time without zone", GOOD | {"timestamp": "2026-11-23T10:00:00"}, RejectReason.INVALID_TIMESTAMP, "timestamp"),
    ("time in 1970", GOOD | {"timestamp": 12}, RejectReason.INVALID_TIMESTAMP, "timestamp"),
    ("time next week", GOOD | {"timestamp": "2026-11-30T00:00:00Z"}, RejectReason.INVALID_TIMESTAMP, "timestamp"),
    (
        "nested metadata",
        GOOD | {"custom_metadata": {"a": {"b": 1}}},
        RejectReason.INVALID_METADATA,
        "custom_metadata.a",
    ),
    (
        "strict schema",
        GOOD | {"use_case_id": "ppe-compliance", "custom_metadata": {"zone": "Z1", "extra": 1}},
        RejectReason.INVALID_METADATA,
        "custom_metadata.extra",
    ),
    (
        "event data of another type",
        GOOD | {"event_data": {"item_count": 3}},
        RejectReason.INVALID_EVENT_DATA,
        "event_data.result",
    ),
    ("not base64", GOOD | {"images": [{"data": "%%%"}]}, RejectReason.INVALID_IMAGE, "images.0.data"),
    ("not an image", GOOD | {"images": [{"data": inline(b"GIF89a")}]}, RejectReason.INVALID_IMAGE, "images.0.data"),
    ("two references", GOOD | {"images": [{"image_id": "a", "data": "b"}]}, RejectReason.INVALID_IMAGE, "images.0"),
    (
        "too many bytes",
        GOOD | {"use_case_id": "counting", "images": [{"data": "A" * 200_000}]},
        RejectReason.IMAGE_TOO_LARGE,
        "images.0.data",
    ),
    (
        "too many pixels",
        GOOD | {"use_case_id": "counting", "images": [{"data": inline(picture(1001, 1001))}]},
        RejectReason.IMAGE_TOO_LARGE,
        "images.0.data",
    ),
    ("image required", GOOD | {"use_case_id": "counting"}, RejectReason.IMAGE_MISSING, "images"),
]


@pytest.mark.parametrize(("document", "reason", "field"), [case[1:] for case in BROKEN], ids=[c[0] for c in BROKEN])
def test_a_broken_record_says_what_is_wrong_and_where(document: Any, reason: RejectReason, field: str) -> None:
    with pytest.raises(InvalidRecordError) as caught:
        process(record(document), REGISTRY)
    assert (caught.value.reason, caught.value.field) == (reason, field)
    assert caught.value.message


def test_an_absent_id_is_derived_from_the_place_in_kafka() -> None:
    document = {key: value for key, value in GOOD.items() if key != "event_id"}
    first, again, other = (run(document, offset=offset)["event_id"] for offset in (42, 42, 43))
    assert first == again != other


def test_a_replayed_record_keeps_the_id_of_the_first_try() -> None:
    document = {key: value for key, value in GOOD.items() if key != "event_id"}
    origin = [("vision-origin", b"vision.inferences/3/42")]
    assert run(document, offset=99, headers=origin)["event_id"] == run(document)["event_id"]


def test_a_replayed_reject_is_what_its_first_try_would_have_been() -> None:
    document = {name: value for name, value in GOOD.items() if name not in ("event_id", "timestamp")}
    origin = [("vision-origin", b"vision.inferences/3/42"), ("vision-origin-time", str(NOW_MS).encode())]
    replayed = run(document, partition=1, offset=99, timestamp=NOW_MS + 5_000, headers=origin)
    place = {"partition": 1, "offset": 99}
    assert replayed == run(document) | place
    future = [origin[0], ("vision-origin-time", str(NOW_MS + 9_000).encode())]
    assert run(document, headers=future)["version"] == run(document)["version"]
    for odd in ([("vision-origin", b"nonsense")], [origin[0], ("vision-origin-time", b"soon")]):
        assert run(document, headers=odd) == run(document)


def test_the_key_stands_in_for_the_device() -> None:
    assert run(GOOD | {"source": None}, key=b"cam-7")["factory_id"] == "f-12"


@pytest.mark.parametrize("epoch", [1_795_428_000.12, 1_795_428_000_120, 1_795_428_000_120_000_000])
def test_epoch_times_are_told_apart_by_magnitude(epoch: float) -> None:
    assert run(GOOD | {"timestamp": epoch})["timestamp"] == "2026-11-23T10:00:00.120000Z"


def test_an_absent_time_is_the_time_of_arrival_with_a_warning() -> None:
    event = run({key: value for key, value in GOOD.items() if key != "timestamp"})
    assert event["timestamp"] == "2026-11-23T10:00:05Z"
    assert [warning["code"] for warning in event["warnings"]] == ["timestamp_missing"]


def test_lenient_metadata_warns() -> None:
    event = run(GOOD | {"custom_metadata": {"colour": "red"}})
    assert {(warning["code"], warning["field"]) for warning in event["warnings"]} == {
        ("unknown_metadata_key", "custom_metadata.colour"),
        ("metadata_missing", "custom_metadata.part_number"),
    }


def test_a_number_where_the_schema_says_text_becomes_text() -> None:
    event = run(GOOD | {"custom_metadata": {"part_number": 88, "line_id": True}})
    assert event["custom_metadata"] == {"part_number": "88", "line_id": "true", "shift": "early"}
    assert [warning["code"] for warning in event["warnings"]] == ["metadata_type", "metadata_type"]


def test_original_and_output_of_a_label_are_one_image_of_the_event() -> None:
    images = [
        {"label": "top", "role": "original", "data": inline(picture(10, 5, "JPEG")), "metadata": {"gain": 2}},
        {"label": "top", "role": "output", "data": inline(picture(8, 6))},
    ]
    processed = process(record(GOOD | {"images": images}), REGISTRY)
    (image,) = processed.event["images"]
    assert (image["width"], image["height"], image["content_type"]) == (8, 6, "image/png")
    assert (image["input_width"], image["input_height"], image["input_content_type"]) == (10, 5, "image/jpeg")
    assert image["metadata"] == {"gain": 2}
    assert [upload.info.image_id for upload in processed.uploads] == [image["input_source_id"], image["source_id"]]


def test_annotations_of_several_views_keep_their_view() -> None:
    classified = {"classifications": [{"class": "ok", "confidence": 0.5}]}
    event = run(
        GOOD | {"result": classified, "images": [{"view": 0, "image_id": "a"}, {"view": 1, "result": classified}]}
    )
    assert [item.get("image", 0) for item in event["classifications"]] == [0, 1]


def test_later_records_have_higher_versions() -> None:
    assert row_version(NOW_MS, 7) < row_version(NOW_MS, 8) < row_version(NOW_MS + 1, 0) < 2**63


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


def outcome(item: Record) -> str | Processed:
    try:
        return process(item, REGISTRY)
    except InvalidRecordError as error:
        return f"{error.reason} {error.field} {error.message}"


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_reject(value: bytes) -> None:
    outcome(Record(value, timestamp=NOW_MS))


@given(st.sampled_from(sorted(GOOD)), json_values)
def test_any_value_in_any_field_is_an_event_or_a_reject_and_always_the_same(field: str, value: Any) -> None:
    item = record(json.dumps(GOOD | {field: value}).encode("utf-8", "surrogatepass"))
    first, again = outcome(item), outcome(item)
    assert first == again
    if isinstance(first, Processed):
        VisionEvent.model_validate_json(orjson.dumps(first.event, option=orjson.OPT_UTC_Z))


@given(json_values, st.sampled_from(["", "roboflow", "ultralytics", "canonical", "vision-event"]))
def test_any_json_in_any_format_is_an_event_or_a_reject(value: Any, name: str) -> None:
    headers = [("vision-format", name.encode())] if name else []
    outcome(record(json.dumps(value).encode("utf-8", "surrogatepass"), headers=headers, key=b"cam-7"))
