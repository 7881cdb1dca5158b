"""Reads a span of the raw topic again, with today's rules, beside the live workers.

The records go the same way as in a worker: Preparer, then Writer. Nothing of the live group is touched: partitions are
assigned by hand, and progress is committed to a group of the span's own, so that a run that was cut off goes on.
docs/decisions has why the result does not depend on the order in which live and old records are written.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from clickhouse_connect.driver import Client

from pipeline.core.reject_limit import RejectLimit
from pipeline.edges.clickhouse import connect, translated
from pipeline.edges.kafka import MAX_REQUEST_BYTES, connection, producer, start_producer
from pipeline.edges.registry import RegistryReader
from pipeline.edges.s3 import ImageStore
from pipeline.edges.spans import Span, TopicSpan, find_span, mark_place
from pipeline.errors import ConfigurationError, DependencyError
from pipeline.ingest.batch import Batch, Row
from pipeline.ingest.images import ImageRequests
from pipeline.ingest.prepare import Preparer
from pipeline.ingest.publisher import Publisher
from pipeline.ingest.writer import Writer
from pipeline.settings import Settings
from schemas.reject import Reject, RejectReason

_BATCH_RECORDS: Final = 2_000
_COMMIT_S: Final = 1.0


@dataclass(slots=True)
class Progress:
    """How far a run has come. `offsets` of `total` are done; the rest counts records of this run."""

    total: int
    offsets: int = 0
    stored: int = 0
    skipped: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    """Rejected by today's rules, and stored by earlier ones: their events stay."""


class OneUseCase(RegistryReader):
    """A registry in which there is no other use case: records of others are unknown."""

    def __init__(self, client: Client, use_case_id: str) -> None:
        super().__init__(client)
        self._use_case_id = use_case_id

    def refresh(self) -> bool:
        """As `RegistryReader.refresh`. Raises ConfigurationError when there is no such use case."""
        changed = super().refresh()
        use_case = self.current.use_cases.get(self._use_case_id)
        if use_case is None:
            raise ConfigurationError(f"no use case {self._use_case_id!r}; `vision-events use-cases list` shows them")
        self.current = replace(self.current, use_cases={use_case.id: use_case})
        return changed


class CountingPublisher(Publisher):
    """Counts what became durable. Rejects are on their topic already; events are published again where wanted."""

    def __init__(self, kafka: Any, progress: Progress, *, publish: bool) -> None:
        super().__init__(kafka)
        self._progress = progress
        self._publish = publish

    async def publish_events(self, rows: Sequence[Row]) -> None:
        """Count events, which are in the table by now."""
        if self._publish:
            await super().publish_events(rows)
        self._progress.stored += len(rows)

    async def publish_candidates(self, candidates: Sequence[object]) -> None:
        """Raise no alarm for what is long over."""

    async def publish_rejects(self, rejects: Sequence[Reject]) -> None:
        """Count rejects, which are in the table by now."""
        self._progress.rejected.update(reject.reason.value for reject in rejects)


async def backfill(
    settings: Settings, span: Span, rate: float, publish: bool, report: Callable[[TopicSpan, Progress], None]
) -> Progress:
    """Read a span again, at most `rate` records a second, and return what became of it.

    `report` is told once a second. Raises DependencyError when Kafka or ClickHouse do not answer at the start,
    ConfigurationError when the span or its use case is not there.
    """
    client = await asyncio.to_thread(connect, settings)
    registry = OneUseCase(client, span.use_case) if span.use_case else RegistryReader(client)
    await asyncio.to_thread(registry.refresh)
    kafka = producer(settings)
    await start_producer(kafka)
    consumer = AIOKafkaConsumer(
        **connection(settings),
        group_id=span.group(settings.ingest_group),
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_partition_fetch_bytes=MAX_REQUEST_BYTES,
    )
    try:
        await consumer.start()
        topic = await find_span(settings, consumer, span)
        progress = Progress(topic.total, offsets=topic.done)
        images = ImageRequests(ImageStore(settings), settings.image_concurrency)
        # The writer publishes in any case: the publisher decides what that means here.
        counted = settings.model_copy(update={"publish_events": True})
        writer = Writer(counted, client, images, CountingPublisher(kafka, progress, publish=publish), RejectLimit(0))
        run = _Run(consumer, topic, Preparer(registry, images), writer, span, progress)
        began = time.time()
        report(topic, progress)
        await run.work(rate, report)
        progress.kept = await asyncio.to_thread(count_kept, client, topic, began)
        return progress
    except KafkaError as error:
        raise DependencyError(f"Kafka at {settings.kafka_bootstrap}: {error!r}") from error
    finally:
        await consumer.stop()
        await kafka.stop()


@dataclass(slots=True)
class _Run:
    consumer: AIOKafkaConsumer
    topic: TopicSpan
    preparer: Preparer
    writer: Writer
    span: Span
    progress: Progress

    async def work(self, rate: float, report: Callable[[TopicSpan, Progress], None]) -> None:
        """Read, write and commit until the span is done, whichever of these fails first."""
        writing, following = _task(self.writer.run()), _task(self._follow(report))
        reading = _task(self._read(rate))
        try:
            done, _ = await asyncio.wait([reading, writing, following], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            self.topic.finish()
        finally:
            for task in (reading, writing, following):
                task.cancel()
            await mark_place(self.consumer, self.topic)
        self.progress.offsets = self.topic.done
        report(self.topic, self.progress)

    async def _follow(self, report: Callable[[TopicSpan, Progress], None]) -> None:
        while True:
            await asyncio.sleep(_COMMIT_S)
            await mark_place(self.consumer, self.topic)
            self.progress.offsets = self.topic.done
            report(self.topic, self.progress)

    async def _read(self, rate: float) -> None:
        began, read = time.monotonic(), 0
        limit = max(1, min(_BATCH_RECORDS, int(rate)))
        while left := await self._left():
            found = await self.consumer.getmany(*left, timeout_ms=500, max_records=limit)
            for place, records in found.items():
                wanted = [record for record in records if record.offset < self.topic.ends[place]]
                if wanted:
                    await self._hand_over(place, wanted)
                    read += len(wanted)
            await asyncio.sleep(max(0.0, began + read / rate - time.monotonic()))
        await self.topic.all_done()

    async def _left(self) -> list[TopicPartition]:
        """Partitions that are not read to the end; compaction and transactions may leave it without a record."""
        return [place for place, end in self.topic.ends.items() if await self.consumer.position(place) < end]

    async def _hand_over(self, place: TopicPartition, records: Sequence[Any]) -> None:
        batch = await self.preparer.prepare(records)
        if self.span.use_case:
            self._skip_others(batch, self.span.use_case)
        await self.writer.add(batch, self.topic.hand_out(place, records[-1].offset + 1))

    def _skip_others(self, batch: Batch, use_case: str) -> None:
        kept = [r for r in batch.rejects if r.reason != RejectReason.UNKNOWN_USE_CASE or r.use_case_id == use_case]
        self.progress.skipped += len(batch.rejects) - len(kept)
        batch.rejects = kept


def count_kept(client: Client, topic: TopicSpan, since: float) -> int:
    """How many records of the span were rejected since then though an event of theirs is stored."""
    query = """
        SELECT count()
        FROM (SELECT DISTINCT topic, partition, offset FROM stored_rejects WHERE topic = {topic:String}
            AND partition = {partition:UInt32} AND offset BETWEEN {begin:UInt64} AND {end:UInt64}
            AND inserted_at >= fromUnixTimestamp64Milli({since:Int64})) AS r
        INNER JOIN
        (
            SELECT chunk, groupBitmapMergeState(stored) AS offsets FROM record_ledger
            WHERE topic = {topic:String} AND partition = {partition:UInt32} GROUP BY chunk
        ) AS l ON l.chunk = intDiv(r.offset, 1048576)
        WHERE bitmapContains(l.offsets, r.offset)"""
    kept = 0
    with translated():
        for place, end in topic.ends.items():
            where: Mapping[str, Any] = {
                "topic": place.topic,
                "partition": place.partition,
                "begin": topic.begins[place],
                "end": end,
                "since": int(since * 1000),
            }
            kept += client.query(query, parameters=dict(where)).result_rows[0][0]
    return kept


def _task(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(work)
