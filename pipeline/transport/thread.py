"""The part that runs on the consumer's own thread: aiokafka's consumer, and reading with exact ranges."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, UnknownError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from .batch import Record

if TYPE_CHECKING:
    from .driver import Transport

DEFAULT_MAX_RECORDS = 2_000

RETRY_AFTER = 0.2
"""Seconds between reads that fail for a reason which may pass."""

GIVE_UP_AFTER = 60.0
"""Seconds of such failures in a row after which the consumer ends with the last one."""

IN_A_ROW = 45.0
"""Failures further apart than this are none in a row: without partitions to read, errors are asked for every 30 s."""


@dataclass(slots=True, eq=False)
class Fetched:
    """What one read took from a partition: from position `start` (None: was being looked up) to `next`."""

    start: int | None
    next: int
    records: list[Record]


class BatchConsumerThread(AIOKafkaConsumerThread):
    """Faust's consumer thread, reading batch topics with the range of offsets that each read covered."""

    _reading: asyncio.Lock
    _failing_since: float = 0.0
    _failed_at: float | None = None

    async def on_start(self) -> None:
        """Start aiokafka's consumer."""
        self._reading = asyncio.Lock()
        await super().on_start()

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        # Faust offers no setting for these, and aiokafka reads the attributes only when it is started.
        options = cast("Transport", transport).options
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed" if options.read_committed else "read_uncommitted"
        consumer._fetch_max_wait_ms = int(options.fetch_max_wait * 1000)
        consumer._max_poll_records = consumer._max_poll_records or DEFAULT_MAX_RECORDS
        return consumer

    def highwater(self, tp: TP) -> int:
        """Return the end of what can be read."""
        consumer = self._ensure_consumer()
        committed_only = cast("Transport", self.transport).options.read_committed
        end = consumer.last_stable_offset(tp) if committed_only else consumer.highwater(tp)
        return cast(int, end)

    async def keep_alive(self) -> None:
        """Tell aiokafka that the application polls, although it may have nothing to read."""
        await self.call_thread(self._keep_alive, self._ensure_consumer())

    async def _keep_alive(self, consumer: AIOKafkaConsumer) -> None:
        with consumer._subscription.fetch_context():
            pass
        try:
            consumer._coordinator.check_errors()
        except KafkaError as error:
            self._bear(consumer, error)

    async def read(self, tps: set[TP], expected: Mapping[TP, int | None], timeout: float) -> dict[TP, list[Any]]:
        """Read from `tps`; what comes from a key of `expected` is one `Fetched`, the rest are aiokafka's records.

        Nothing is read when a partition is not at the position expected of it; those partitions are returned.
        """
        found: dict[TP, list[Any]] = await self.call_thread(self._read, tps, expected, timeout)
        return found

    async def _read(self, tps: set[TP], expected: Mapping[TP, int | None], timeout: float) -> dict[TP, list[Any]]:
        consumer = self._ensure_consumer()
        # One read at a time: a cancelled caller leaves its read running, and the range of the next one
        # would silently include what that took.
        async with self._reading:
            assignment = self._assignment(consumer)
            before = self._positions(consumer, expected)
            misplaced = [tp for tp, position in before.items() if expected[tp] not in (None, position)]
            if misplaced:
                return {tp: [Fetched(before[tp], before[tp], [])] for tp in misplaced}
            try:
                # Faust never asks for errors of the group, and aiokafka's coordinator stands still until someone does.
                consumer._coordinator.check_errors()
                records = await self._fetch_records(consumer, tps, timeout, consumer._max_poll_records)
            except KafkaError as error:
                self._bear(consumer, error)
                await asyncio.sleep(RETRY_AFTER)
                return {}
            self._failed_at = None
            if self._assignment(consumer) is not assignment:
                self._put_back(consumer, records)
                return {}
            after = self._positions(consumer, expected)
        result = {tp: found for tp, found in records.items() if tp not in expected}
        for tp, position in after.items():
            found = records.get(tp, [])
            if found or position != before.get(tp):
                result[tp] = [Fetched(before.get(tp), position, found)]
        return result

    def _bear(self, consumer: AIOKafkaConsumer, error: KafkaError) -> None:
        """Take note of an error that may pass, such as an unexpected answer to SyncGroup; raise any other.

        Raises it as well when nothing else has come for `GIVE_UP_AFTER`.
        """
        coordinator = consumer._coordinator
        with suppress(KafkaError):
            coordinator.check_errors()  # the same error once more, when it came with what was fetched
        # A bare KafkaError is what aiokafka makes of an answer that it has no name for.
        may_pass = error.retriable or type(error) in (KafkaError, UnknownError)
        if not may_pass or coordinator._coordination_task.done():
            raise error
        now = monotonic()
        if self._failed_at is None or now - self._failed_at > IN_A_ROW:
            self._failing_since = now
        self._failed_at = now
        if now - self._failing_since > GIVE_UP_AFTER:
            raise error
        self.log.warning("Can't read for a moment: %r", error)

    @staticmethod
    def _assignment(consumer: AIOKafkaConsumer) -> Any:
        subscription = consumer._subscription.subscription
        return subscription.assignment if subscription else None

    def _positions(self, consumer: AIOKafkaConsumer, tps: Iterable[TP]) -> dict[TP, int]:
        assignment = self._assignment(consumer)
        states = {tp: assignment.state_value(_aiokafka(tp)) for tp in tps} if assignment else {}
        return {tp: state.position for tp, state in states.items() if state and state.has_valid_position}

    def _put_back(self, consumer: AIOKafkaConsumer, records: Mapping[Any, list[Record]]) -> None:
        # aiokafka waited for a new assignment and read from it before Faust has placed its positions.
        assigned = consumer.assignment()
        for tp, found in records.items():
            if tp in assigned:
                consumer.seek(tp, found[0].offset)


def _aiokafka(tp: TP) -> TopicPartition:
    return TopicPartition(tp.topic, tp.partition)
