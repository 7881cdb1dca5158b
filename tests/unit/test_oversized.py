"""Records that are larger than they look: nothing that cannot be published may be accepted for publishing."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from pipeline.core.record import Record
from pipeline.ingest.batch import process_records
from pipeline.ingest.publisher import OMITTED_HEADER, Publisher
from schemas.reject import Reject, RejectReason
from schemas.topics import MAX_RAW_RECORD_BYTES, REJECTS
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


class _Producer:
    """Takes what the topic of rejects takes, as a broker would."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    async def send(self, topic: str, **record: Any) -> asyncio.Future[None]:
        headers = sum(len(name) + len(value) for name, value in record["headers"])
        size = len(record["value"]) + len(record["key"] or b"") + headers
        assert size < int(REJECTS.config()["max.message.bytes"])
        self.sent.append(record)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


@pytest.mark.parametrize(
    ("value", "headers", "whole"),
    [
        (b"x", ((("h", b"1"),)), True),
        (b"x" * MAX_RAW_RECORD_BYTES, (), True),
        (b"x" * MAX_RAW_RECORD_BYTES, (("h", b"y" * 62_000),), False),
        (b"x" * (MAX_RAW_RECORD_BYTES * 3), (), False),
    ],
)
async def test_a_reject_goes_to_its_topic_whole_or_without_its_record(
    value: bytes, headers: tuple[tuple[str, bytes], ...], whole: bool
) -> None:
    producer = _Producer()
    reject = Reject(
        topic="t",
        partition=0,
        offset=1,
        timestamp=datetime.now(UTC),
        reason=RejectReason.TOO_LARGE,
        message="m" * 2000,
        key=b"k",
        value=value,
        headers=headers,
    )
    publisher: Any = Publisher
    await publisher(producer).publish_rejects([reject])
    (sent,) = producer.sent
    named = dict(sent["headers"])
    assert named["reject.reason"] == b"too_large"
    assert (sent["value"] == value, named.get(OMITTED_HEADER)) == (whole, None if whole else str(len(value)).encode())
