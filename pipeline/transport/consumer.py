"""Faust's consumer with record batches: what is in flight, what may be committed, when to stop reading."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, cast

from aiokafka.errors import KafkaError
from faust.exceptions import ImproperlyConfigured
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from faust.types.transports import TPorTopicSet
from mode import Service

from .batch import BatchMessage, Record, RecordBatch, RecordBatchSchema
from .offsets import Delivery, PartitionOffsets, State
from .options import BatchOptions
from .thread import BatchConsumerThread, Fetched

WAIT_WHILE_SOME_ARE_FULL = 0.02
"""Seconds; a partition that is no longer full waits at most this long for a read of the others."""

RETRY_AFTER = 0.1
"""Seconds between attempts to go back to an offset."""


@dataclass(slots=True, eq=False)
class Piece:
    """Part of what was read, small enough for one batch."""

    offsets: PartitionOffsets
    first: int
    next: int
    records: list[Record]
    size: int


class BatchConsumer(driver.Consumer):
    """Hands batch topics to agents as `RecordBatch` messages; other topics pass as in stock Faust.

    Faust's own notes of acknowledged messages are not used for batch topics: its streams acknowledge a
    message when the agent asks for the next one, a batch is done when the agent says so.
    """

    _thread: BatchConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch_topics: frozenset[str] = frozenset()
        self._offsets: dict[TP, PartitionOffsets] = {}
        self._acknowledged = asyncio.Event()
        self.gave_up = False
        """Set it when what is in hand will never be finished: stopping then does not wait for it."""

    @property
    def options(self) -> BatchOptions:
        """The transport's options."""
        return cast(BatchOptions, self.transport.options)  # type: ignore[attr-defined]  # our Transport

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Subscribe, noting which topics are read in batches.

        Raises:
            ImproperlyConfigured: agents disagree on how a topic is read.
        """
        batch: set[str] = set()
        plain: set[str] = set()
        for channel in self.app.topics:
            (batch if isinstance(channel.schema, RecordBatchSchema) else plain).update(channel.topics)
        if both := batch & plain:
            raise ImproperlyConfigured(f"read in batches by one agent and by record by another: {sorted(both)}")
        self.batch_topics = frozenset(batch)
        await super().subscribe(topics)

    # -- reading

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        if active_partitions is None:
            return await super()._getmany(active_partitions, timeout)
        room = sum(offsets.size for offsets in self._offsets.values()) < self.options.total_bytes
        wanted = {tp for tp in active_partitions if tp.topic not in self.batch_topics or (room and self._has_room(tp))}
        if not wanted:
            await self._wait_for_ack_of_batch(timeout)
            return {}
        if len(wanted) < len(active_partitions):
            timeout = WAIT_WHILE_SOME_ARE_FULL
        generation = self.app.consumer_generation_id
        expected = {tp: self._offsets_of(tp).position for tp in wanted if tp.topic in self.batch_topics}
        found = await self._thread.read(wanted, expected, timeout)
        result = {tp: records for tp, records in found.items() if tp not in expected}
        if generation == self.app.consumer_generation_id:
            for tp in found.keys() & expected.keys():
                result[tp] = await self._admit(tp, found[tp][0])
        return result

    def _offsets_of(self, tp: TP) -> PartitionOffsets:
        return self._offsets.setdefault(tp, PartitionOffsets())

    def _has_room(self, tp: TP) -> bool:
        offsets = self._offsets_of(tp)
        return offsets.records < self.options.partition_records and offsets.size < self.options.partition_bytes

    async def _admit(self, tp: TP, fetched: Fetched) -> list[Piece]:
        """Cut what was read into pieces, or refuse it and read again when it does not follow what came before."""
        offsets = self._offsets_of(tp)
        start, records = fetched.start, fetched.records
        if offsets.position is None:
            offsets.reset(start if start is not None else records[0].offset if records else fetched.next)
            start = offsets.position
        if start is not None and fetched.next < start:
            # The offset was out of range and aiokafka went back: the log was cut, or the topic deleted and made anew.
            first = records[0].offset if records else fetched.next
            self.log.warning("%s: offset %s is gone, reading on at %s", tp, start, first)
            offsets.reset(first)
            self._committed_offset[tp] = None
            await self._resume_reading(tp, offsets)
            return []
        if start is None or start != offsets.position or (records and records[0].offset < start):
            await self._resume_reading(tp, offsets)
            return []
        if not records:
            offsets.skip(start, fetched.next)
            return []
        return list(cut(offsets, start, fetched, self.options.max_batch_bytes))

    async def _resume_reading(self, tp: TP, offsets: PartitionOffsets) -> None:
        """Go back to the offset that is to be read next, or to the first there is when that one is gone."""
        try:
            earliest = (await self._thread.earliest_offsets(tp))[tp]
            latest = (await self._thread.highwaters(tp))[tp]
            if offsets.position is None:
                return  # revoked while the broker was asked: whoever has the partition next is placed anew
            if not earliest <= offsets.position <= latest:
                self.log.warning("%s: offset %s is gone, reading on at %s", tp, offsets.position, earliest)
                offsets.reset(earliest)
                self._committed_offset[tp] = None
            await self._thread.seek_wait({tp: offsets.position})
        except (KafkaError, TimeoutError) as error:
            # No longer assigned, or no broker: what is read next is refused again and leads back here.
            self.log.info("%s: cannot go back to offset %s yet: %r", tp, offsets.position, error)
            await asyncio.sleep(RETRY_AFTER)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        if not isinstance(record, Piece):
            return super()._to_message(tp, record)
        records, size = record.records, record.size
        delivery = Delivery(record.first, record.next, len(records), size, monotonic())
        try:
            record.offsets.deliver(delivery)
        except ValueError:  # a seek came between the pieces of one read; the stream drops stale batches
            delivery.state = State.STALE
        # None makes Faust's loop take the message as it is: the checks are made above.
        self._read_offset[tp] = None
        first, acker, generation = records[0], self._acker(record.offsets), self.app.consumer_generation_id
        return BatchMessage(
            tp.topic,
            tp.partition,
            first.offset,
            first.timestamp / 1000.0,
            first.timestamp_type,
            None,
            None,
            cast(bytes, RecordBatch(tp.topic, tp.partition, records, size, generation, delivery, acker)),
            None,
            0,
            size,
            tp,
            generation_id=generation,
        )

    def done_until(self, tp: TP) -> int | None:
        """Offset of the first record of a batch topic that is not acknowledged; None while it is not known."""
        offsets = self._offsets.get(tp)
        return offsets.frontier if offsets else None

    # -- acknowledging and committing

    def _acker(self, offsets: PartitionOffsets) -> Any:
        def ack(delivery: Delivery) -> bool:
            acked = offsets.ack(delivery)
            self._acknowledged.set()
            return acked

        return ack

    async def _wait_for_ack_of_batch(self, timeout: float) -> None:
        self._acknowledged.clear()
        try:
            await asyncio.wait_for(self._acknowledged.wait(), timeout)
        except TimeoutError:
            return

    def _filter_tps_with_pending_acks(self, topics: TPorTopicSet | None = None) -> Iterator[TP]:
        yield from (tp for tp in super()._filter_tps_with_pending_acks(topics) if tp not in self._offsets)
        yield from (tp for tp in self._offsets if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        offsets = self._offsets.get(tp)
        if offsets is None:
            return super()._new_offset(tp)
        self._acked.pop(tp, None)
        self._acked_index.pop(tp, None)
        return offsets.committable

    # -- seeking, rebalancing, stopping

    async def perform_seek(self) -> None:
        """Seek to the committed offsets.

        Faust also does this while a rebalance waits for agents. A partition whose position is known keeps it, and
        what agents have in hand stays valid: the next read is found to be misplaced, see `_admit`.
        """
        await super().perform_seek()
        for tp in self.assignment():
            if tp.topic in self.batch_topics:
                offsets = self._offsets_of(tp)
                if offsets.position is None:
                    committed = self._committed_offset[tp]
                    offsets.reset(await self._thread.position(tp) if committed is None else committed)

    async def seek(self, partition: TP, offset: int) -> None:
        """Read from `offset`; batches in flight become stale."""
        await super().seek(partition, offset)
        self._place(partition, offset)

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Read from the given offsets; batches in flight become stale."""
        await super().seek_wait(partitions)
        for tp, offset in partitions.items():
            self._place(tp, offset)

    def resume_flow(self) -> None:
        """Go on after a rebalance; Faust has just cleared the agents' queues, which may hold batches."""
        for offsets in self._offsets.values():
            offsets.take_back()
        super().resume_flow()

    def _place(self, tp: TP, offset: int) -> None:
        if tp.topic in self.batch_topics:
            self._offsets_of(tp).reset(offset)
            self._committed_offset[tp] = None

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let batches in hand be finished and committed, then forget the partitions."""
        if self.app.should_stop:  # Faust then closes the connection without waiting
            await self._drain()
        await super().on_partitions_revoked(revoked)
        self._forget(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin anew: aiokafka revokes every partition before each assignment."""
        self._forget(set(self._offsets))
        await super().on_partitions_assigned(assigned, generation_id)

    def _forget(self, tps: set[TP]) -> None:
        for tp in tps:
            if offsets := self._offsets.pop(tp, None):
                offsets.reset(None)
                self._committed_offset.pop(tp, None)

    async def wait_empty(self) -> None:
        """Wait for what agents are working on, within a bound for batches, and commit it."""
        await self._drain()
        self._unacked_messages -= {m for m in self._unacked_messages if isinstance(m, BatchMessage)}
        await super().wait_empty()
        # The commit in there does nothing when another one was under way, perhaps with older offsets.
        await self.commit()

    async def _drain(self) -> None:
        end = monotonic() + self.options.drain_timeout
        while not self.should_stop and not self.gave_up and (busy := self._in_hand()):
            if (left := end - monotonic()) <= 0:
                self.log.warning("Not done in time and to be delivered again: %s", busy)
                return
            await self._wait_for_ack_of_batch(min(left, 1.0))
            await self.commit()

    def _in_hand(self) -> dict[TP, int]:
        counts = {tp: sum(d.started for d in offsets.unfinished()) for tp, offsets in self._offsets.items()}
        return {tp: count for tp, count in counts.items() if count}

    async def on_task_error(self, exc: BaseException) -> None:
        """Deliver again what an agent held when an exception left its body."""
        for tp in self._in_hand():
            offsets = self._offsets[tp]
            offsets.reset(offsets.frontier)
        await super().on_task_error(exc)

    # -- watching

    @Service.task
    async def _stay_in_group(self) -> None:
        """Count as polling while partitions are full or paused, or none is assigned."""
        interval = min(max(self.app.conf.broker_max_poll_interval / 3, 1.0), 30.0)
        while not self.should_stop:
            await self.sleep(interval)
            if not self.should_stop and not self.app.client_only:
                await self._thread.keep_alive()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Report, once, a batch that an agent does not finish; Faust's own checks are about single messages."""
        if tp.topic not in self.batch_topics:
            return super().verify_event_path(now, tp)
        offsets = self._offsets.get(tp)
        for delivery in offsets.unfinished()[:1] if offsets else ():
            age = now - delivery.at
            if age >= self.app.conf.stream_processing_timeout and not delivery.reported:
                delivery.reported = True
                self.log.warning("%s: offsets %s to %s not done after %.0f s", tp, delivery.first, delivery.next, age)
        return None


def cut(offsets: PartitionOffsets, start: int, fetched: Fetched, max_bytes: int) -> Iterator[Piece]:
    """Cut records into pieces of at most `max_bytes`, or one record; a gap belongs to the piece before it."""
    records, begin, size = fetched.records, 0, 0
    for index, record in enumerate(records):
        length = max(record.serialized_key_size, 0) + max(record.serialized_value_size, 0)
        if size and size + length > max_bytes:
            yield Piece(offsets, start, record.offset, records[begin:index], size)
            start, begin, size = record.offset, index, 0
        size += length
    yield Piece(offsets, start, fetched.next, records[begin:], size)
