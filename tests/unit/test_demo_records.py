"""The demo's records: what they look like, what the pipeline makes of them, and that a seed fixes them."""

import base64
import io
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from PIL import Image

from pipeline.cli.use_cases import shipped_use_cases
from pipeline.core.process import process
from pipeline.core.record import Record as RawRecord
from pipeline.core.registry import Registry
from pipeline.demo.cameras import Record, all_frames, frames
from pipeline.demo.documents import devices, use_cases
from pipeline.demo.factories import CAMERAS, FACTORIES, trouble
from pipeline.demo.producer import HISTORY_SPAN, Plan, Summary, planned_records
from pipeline.errors import ConfigurationError
from schemas.annotations import ANNOTATION_KINDS
from schemas.raw_inference import RawInferenceResult

NOON = datetime(2026, 11, 23, 12, 1, tzinfo=UTC)
SHIFTS_AT_NOON = {"koeln": ["early"], "monterrey": ["day"], "pune": ["B"], "perth": ["night"]}


def ticking(start: datetime = NOON, step: timedelta = timedelta(seconds=1)) -> Callable[[], tuple[datetime, timedelta]]:
    moments = ((start + index * step, index * step) for index in range(10**9))
    return lambda: next(moments)


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """Four frames of every camera."""
    stream = all_frames(seed=11, clock=ticking())
    return [next(stream) for _ in range(4 * len(CAMERAS))]


@pytest.fixture(scope="module")
def registry() -> Registry:
    documents = devices()
    return Registry.of([*shipped_use_cases(), *use_cases(), *documents.devices, *documents.factories])


def test_all_kinds_of_annotations_and_three_types_of_events_flow(records: list[Record], registry: Registry) -> None:
    kinds = {kind for record in records for kind, found in orjson.loads(record.value)["result"].items() if found}
    assert kinds == set(ANNOTATION_KINDS)
    types = {registry.use_cases[record.use_case_id].event_type for record in records}
    assert types == {"quality_check", "inventory_count", "safety_alert"}
    assert {record.camera.factory_id for record in records} == {factory.id for factory in FACTORIES}
    assert len({factory.time_zone for factory in FACTORIES}) == len(FACTORIES)


def test_records_are_canonical(records: list[Record]) -> None:
    for record in records:
        raw = RawInferenceResult.model_validate_json(record.value)
        assert raw.event_id is not None
        assert uuid.UUID(raw.event_id).version == 4
        assert raw.source is not None
        assert record.key.decode() == raw.source["device_id"] == record.camera.device_id
        assert isinstance(raw.timestamp, datetime)
        assert "shift" not in raw.custom_metadata
        assert len(record.value) < 250_000
    assert len({orjson.loads(record.value)["event_id"] for record in records}) == len(records)


def test_timestamps_carry_the_offset_of_the_factory(records: list[Record]) -> None:
    offsets = {r.camera.factory_id: orjson.loads(r.value)["timestamp"][-6:] for r in records}
    assert offsets == {"koeln": "+01:00", "monterrey": "-06:00", "pune": "+05:30", "perth": "+08:00"}


def test_both_pictures_have_the_stated_size_and_differ_where_something_was_found(records: list[Record]) -> None:
    for record in records:
        document = orjson.loads(record.value)
        size = (document["image"]["width"], document["image"]["height"])
        original, output = (base64.b64decode(image["data"]) for image in document["images"])
        assert [image["role"] for image in document["images"]] == ["original", "output"]
        for content in (original, output):
            with Image.open(io.BytesIO(content)) as picture:
                picture.load()
                assert (picture.format, picture.size) == ("JPEG", size)
        assert (original != output) == any(document["result"].values())


def test_boxes_and_points_lie_in_the_frame(records: list[Record]) -> None:
    for record in records:
        document = orjson.loads(record.value)
        width, height = document["image"]["width"], document["image"]["height"]
        result = document["result"]
        for item in result["object_detections"] + result["instance_segmentations"] + result["keypoints"]:
            assert item["width"] > 0
            assert item["height"] > 0
            assert item["width"] / 2 - 0.02 <= item["x"] <= width - item["width"] / 2 + 0.02
            assert item["height"] / 2 - 0.02 <= item["y"] <= height - item["height"] / 2 + 0.02
            for x, y in item.get("points", []):
                assert 0 <= x <= width
                assert 0 <= y <= height
            for point in item.get("keypoints", []):
                assert 0 <= point["x"] <= width
                assert 0 <= point["y"] <= height
        for found in result.values():
            assert all(0 <= item["confidence"] <= 1 for item in found)


def test_class_ids_are_those_of_the_device(records: list[Record], registry: Registry) -> None:
    for record in records:
        names = registry.devices["default", record.camera.device_id].class_names
        for found in orjson.loads(record.value)["result"].values():
            assert all(names[item["class_id"]] == item["class"] for item in found)


def test_the_pipeline_takes_every_record_without_a_warning(records: list[Record], registry: Registry) -> None:
    stamp = int(NOON.timestamp() * 1000)
    for offset, record in enumerate(records):
        raw = RawRecord(record.value, offset=offset, timestamp=stamp, key=record.key)
        processed = process(raw, registry)
        event = processed.event
        assert not event.get("warnings"), event["warnings"]
        assert len(processed.uploads) == 2
        assert len(event["images"]) == 1
        assert event["custom_metadata"]["shift"] in SHIFTS_AT_NOON[record.camera.factory_id]
        assert_event_data_says_what_was_found(event, record)


def assert_event_data_says_what_was_found(event: dict[str, Any], record: Record) -> None:
    data, classes = event["event_data"], record.classes
    if record.use_case_id == "inventory-count":
        assert data["item_count"] == sum(classes.values())
        assert data["location"] == record.camera.metadata["location"]
    elif record.use_case_id == "ppe-compliance":
        assert (data["alert_type"] == "missing_helmet") == bool(classes["no_helmet"])
        assert data["alert_type"] == event["custom_metadata"]["alert_type"]
    elif data["result"] == "fail":
        assert classes["defective"]
    else:
        assert not classes["missing_part"]


def test_a_seed_fixes_the_records_of_a_camera() -> None:
    for camera in (CAMERAS[0], CAMERAS[2], CAMERAS[3], CAMERAS[-1]):
        one, same, other = (frames(camera, seed, ticking()) for seed in (3, 3, 4))
        for _ in range(2):
            record = next(one)
            assert record == next(same)
            assert record.value != next(other).value


def test_two_cameras_of_a_kind_see_different_things() -> None:
    first, second = (next(frames(camera, 3, ticking())) for camera in CAMERAS[:2])
    assert orjson.loads(first.value)["images"] != orjson.loads(second.value)["images"]


def test_faults_come_in_bursts_on_one_line_and_at_the_gates_when_a_shift_begins() -> None:
    worn, steady, gate = CAMERAS[1], CAMERAS[0], CAMERAS[2]
    during, after, again = timedelta(seconds=20), timedelta(minutes=2), timedelta(minutes=5, seconds=20)
    assert trouble(worn, NOON, during) == trouble(worn, NOON, again) > 0.8
    assert trouble(worn, NOON, after) == trouble(steady, NOON, during) < 0.1
    begin = datetime(2026, 11, 23, 6, 5, tzinfo=FACTORIES[0].zone)
    assert trouble(gate, begin, after) > trouble(gate, begin.replace(minute=40), after)


def test_a_history_is_spread_over_a_day_in_order_and_the_present_follows() -> None:
    records = planned_records(Plan(history=6, seed=1), now=lambda: NOON)
    times = [datetime.fromisoformat(orjson.loads(next(records).value)["timestamp"]) for _ in range(8)]
    assert times == sorted(times)
    assert times[0] == NOON - HISTORY_SPAN
    assert times[5] < times[6] == times[7] == NOON


@pytest.mark.parametrize(
    "wrong", [{"rate": 0}, {"rate": -1}, {"rate": float("nan")}, {"count": -1}, {"history": -1}], ids=str
)
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="of the demo must"):
        Plan(**wrong)


def test_a_summary_counts_what_was_published(records: list[Record]) -> None:
    summary = Summary()
    for record in records:
        summary.add(record)
    assert summary.records == sum(summary.by_factory.values()) == sum(summary.by_use_case.values()) == len(records)
    assert summary.bytes == sum(len(record.value) for record in records)
    assert summary.by_class["motorcycle"] == 8
