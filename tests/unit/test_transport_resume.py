"""Going back to an offset when the partition is taken away meanwhile: no seek to nowhere; that ended the worker."""

import logging
from collections.abc import Callable
from typing import Any

from faust.types import TP

from pipeline.transport.consumer import BatchConsumer
from pipeline.transport.offsets import PartitionOffsets

PLACE = TP("raw", 0)


class Thread:
    """Kafka as the consumer's thread asks it; `meanwhile` happens before it answers."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile
        self.sought: list[dict[TP, Any]] = []

    async def earliest_offsets(self, tp: TP) -> dict[TP, int]:
        self._meanwhile()
        return {tp: 0}

    async def highwaters(self, tp: TP) -> dict[TP, int]:
        return {tp: 100}

    async def seek_wait(self, partitions: dict[TP, Any]) -> None:
        self.sought.append(partitions)


async def resumed(offsets: PartitionOffsets, meanwhile: Callable[[], None]) -> list[dict[TP, Any]]:
    consumer: Any = BatchConsumer.__new__(BatchConsumer)
    consumer.log, consumer._committed_offset, thread = logging.getLogger("test"), {}, Thread(meanwhile)
    consumer._thread = thread
    await consumer._resume_reading(PLACE, offsets)
    return thread.sought


async def test_reading_goes_on_where_it_was() -> None:
    offsets = PartitionOffsets()
    offsets.reset(42)
    assert await resumed(offsets, lambda: None) == [{PLACE: 42}]


async def test_a_partition_that_is_revoked_meanwhile_is_left_alone() -> None:
    offsets = PartitionOffsets()
    offsets.reset(42)
    assert await resumed(offsets, lambda: offsets.reset(None)) == []
