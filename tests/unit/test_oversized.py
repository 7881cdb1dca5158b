"""Records that are larger than they look: nothing that cannot be published may be accepted for publishing."""

import orjson

from pipeline.core.record import Record
from pipeline.ingest.batch import process_records
from schemas.reject import RejectReason
from schemas.topics import MAX_RAW_RECORD_BYTES
from tests.unit.registry import NOW_MS, REGISTRY


def test_an_event_that_no_topic_takes_is_a_reject() -> None:
    """COCO polygons are flat lists of whole numbers; the event has pairs of floats: nearly three times the size."""
    polygon = [number % 10 for number in range(10_000)]
    item = {"image_id": 4, "category_id": 2, "score": 0.5, "bbox": [0, 0, 9, 9], "segmentation": [polygon]}
    value = orjson.dumps({"use_case_id": "open", "format": "coco", "result": [item] * 200})
    assert len(value) < MAX_RAW_RECORD_BYTES / 1.9
    batch = process_records([Record(value, timestamp=NOW_MS)], REGISTRY)
    assert not batch.rows
    (reject,) = batch.rejects
    assert reject.reason is RejectReason.TOO_LARGE
    assert reject.value == value


def test_a_record_that_is_too_large_unpacked_is_a_reject() -> None:
    value = b'{"use_case_id": "open", "comment": "' + b"0" * MAX_RAW_RECORD_BYTES + b'"}'
    batch = process_records([Record(value, timestamp=NOW_MS)], REGISTRY)
    (reject,) = batch.rejects
    assert reject.reason is RejectReason.TOO_LARGE
    assert reject.value == value


def test_what_just_fits_is_an_event() -> None:
    box = {"class": "a", "confidence": 0.5, "x": 1, "y": 2, "width": 3, "height": 4}
    value = orjson.dumps({"use_case_id": "open", "result": {"object_detections": [box] * 1000}})
    assert len(process_records([Record(value, timestamp=NOW_MS)], REGISTRY).rows) == 1
