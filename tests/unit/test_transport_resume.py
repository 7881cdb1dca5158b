"""What ended workers although it passes: a partition taken away during a seek, and errors of the group."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import nullcontext
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
    UnknownError,
)
from faust.types import TP

from pipeline.transport.consumer import BatchConsumer
from pipeline.transport.offsets import PartitionOffsets
from pipeline.transport.thread import BatchConsumerThread

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


class Coordinator:
    """aiokafka's side of a group: it tells each error once to whoever asks, and rests until then."""

    def __init__(self, errors: list[KafkaError], *, dead: bool = False) -> None:
        self.errors = errors
        self._coordination_task = asyncio.get_running_loop().create_future()
        if dead:
            self._coordination_task.set_result(None)

    def check_errors(self) -> None:
        if self.errors:
            raise self.errors.pop(0)


async def read(errors: list[KafkaError], *, dead: bool = False) -> tuple[BatchConsumerThread, dict[TP, Any]]:
    thread: Any = BatchConsumerThread.__new__(BatchConsumerThread)
    thread.log, thread._reading, thread._consumer = logging.getLogger("test"), asyncio.Lock(), SimpleNamespace()
    consumer = SimpleNamespace(_coordinator=Coordinator(errors, dead=dead), _max_poll_records=1)
    consumer._subscription = SimpleNamespace(subscription=None)

    async def fetch(*_: Any) -> dict[TP, list[Any]]:
        return {PLACE: ["record"]}

    thread._ensure_consumer, thread._fetch_records = lambda: consumer, fetch
    found = await thread._read({PLACE}, {}, 0.1)
    if not errors and found == {}:
        found = await thread._read({PLACE}, {}, 0.1)
    return thread, found


@pytest.mark.parametrize("error", [KafkaError("UnknownError()"), UnknownError(), RequestTimedOutError()])
async def test_an_error_of_the_group_that_may_pass_is_taken_from_the_coordinator_and_reading_goes_on(
    error: KafkaError,
) -> None:
    thread, found = await read([error])
    assert found == {PLACE: ["record"]}
    assert thread._failed_at is None


@pytest.mark.parametrize("error", [GroupAuthorizationFailedError("g"), TopicAuthorizationFailedError("t")])
async def test_an_error_that_stays_ends_the_reading(error: KafkaError) -> None:
    with pytest.raises(type(error)):
        await read([error])


async def test_a_coordinator_that_has_ended_ends_the_reading() -> None:
    with pytest.raises(KafkaError):
        await read([KafkaError("Unexpected error during coordination")], dead=True)


@pytest.mark.parametrize(("every", "ends"), [(0.2, True), (30, True), (50, False)])
async def test_errors_that_may_pass_end_the_consumer_when_they_come_in_a_row(
    monkeypatch: pytest.MonkeyPatch, every: float, ends: bool
) -> None:
    thread, _ = await read([])
    consumer: Any = SimpleNamespace(_coordinator=Coordinator([], dead=False))
    clock = count(1_000, every)
    monkeypatch.setattr("pipeline.transport.thread.monotonic", lambda: next(clock))
    with pytest.raises(RequestTimedOutError) if ends else nullcontext():
        for _ in range(400):
            thread._bear(consumer, RequestTimedOutError())
