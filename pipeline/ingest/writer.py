"""Makes batches durable, in the order that the promise rests on, and acknowledges them after that.

While one flush is under way the next one gathers: small and quick at a low rate, large at a high one.
"""

import asyncio
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import orjson
from clickhouse_connect.driver import Client

from pipeline import metrics
from pipeline.core.record import ORIGIN_HEADER, place_of
from pipeline.core.reject_limit import RejectLimit
from pipeline.core.views import Upload
from pipeline.edges.clickhouse import insert_events, insert_rejects
from pipeline.edges.retry import until_done
from pipeline.errors import InvalidRecordError, RowRefusedError, TooManyRejectsError
from pipeline.ingest.batch import Batch, Row, merge, reject
from pipeline.ingest.crash import Step, crash_point
from pipeline.ingest.images import ImageRequests
from pipeline.ingest.publisher import Publisher
from pipeline.ingest.traces import traced
from pipeline.logs import batch_id
from pipeline.settings import Settings
from pipeline.worker.tracing import Tracer
from schemas.reject import Reject, RejectReason

log = logging.getLogger(__name__)

Acknowledge = Callable[[], object]

_IMAGES, _INSERT, _REJECTS, _PUBLISH = map(metrics.STAGE_SECONDS.labels, ("images", "insert", "rejects", "publish"))


@dataclass(slots=True)
class _Flush:
    """What is written together, and whom to tell afterwards."""

    batch: Batch = field(default_factory=Batch)
    acknowledge: list[Acknowledge] = field(default_factory=list)
    puts: list[asyncio.Task[None]] = field(default_factory=list)
    """Images on their way to the store: they need not wait for the flush before."""
    since: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        return len(self.batch.rows) + len(self.batch.rejects)


class Writer:
    """Takes batches and writes them. `add` waits while two flushes' worth is not durable yet: back-pressure."""

    def __init__(
        self,
        settings: Settings,
        clickhouse: Client,
        images: ImageRequests,
        publisher: Publisher,
        limit: RejectLimit,
        tracer: Tracer | None = None,
    ) -> None:
        self._settings = settings
        self._clickhouse = clickhouse
        self._images = images
        self._publisher = publisher
        self._limit = limit
        self._tracer = tracer
        self._gathering = _Flush()
        self._changed = asyncio.Condition()
        self._reached = crash_point()
        self._numbers = itertools.count(1)

    async def add(self, batch: Batch, acknowledge: Acknowledge) -> None:
        """Hand over a batch. `acknowledge` is called once all that it leads to is durable."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._gathering.size < self._settings.batch_max_rows)
            if not self._gathering.acknowledge:
                self._gathering.since = time.monotonic()
            self._gathering.puts += [asyncio.create_task(self._put(*upload)) for upload in batch.uploads]
            batch.uploads = []  # their bytes are held by the requests, and let go one by one
            merge(self._gathering.batch, batch)
            self._gathering.acknowledge.append(acknowledge)
            self._changed.notify_all()

    async def run(self) -> None:
        """Write until cancelled. Raises ConfigurationError or TooManyRejectsError: a person has to look."""
        while True:
            flush = await self._next()
            batch_id.set(str(next(self._numbers)))  # in all that is logged meanwhile
            await self._commit(flush)

    async def _next(self) -> _Flush:
        """Wait for something to write, and a little longer for company."""
        linger = self._settings.batch_linger_ms / 1000
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._gathering.acknowledge))
            remaining = self._gathering.since + linger - time.monotonic()
            if remaining > 0:
                full = self._changed.wait_for(lambda: self._gathering.size >= self._settings.batch_max_rows)
                with suppress(TimeoutError):  # what has gathered by then goes
                    await asyncio.wait_for(full, remaining)
            flush, self._gathering = self._gathering, _Flush()
            self._changed.notify_all()
            return flush

    async def _commit(self, flush: _Flush) -> None:
        """The commit order. A crash before the last step leaves offsets uncommitted, and every step is idempotent."""
        batch, reached = flush.batch, self._reached
        reached(Step.GATHERED)
        # 1. Images: an event that can be seen has its pictures.
        if flush.puts:
            with _IMAGES.time():
                await asyncio.gather(*flush.puts)
            reached(Step.IMAGES_STORED)
        # 2. Rows of events and rejects.
        if batch.rows:
            with _INSERT.time():
                await self._insert_events(batch, batch.rows)
            metrics.EVENTS_STORED.inc(len(batch.rows))
            reached(Step.ROWS_STORED)
        self._check_limit(batch)
        if batch.rejects:
            with _REJECTS.time():
                await until_done(lambda: asyncio.to_thread(insert_rejects, self._clickhouse, batch.rejects))
            for reason, count in Counter(reject.reason.value for reject in batch.rejects).items():
                metrics.REJECTS.labels(reason).inc(count)
            reached(Step.REJECTS_STORED)
        # 3. Published events and rejects: who hears of an event finds it in the table.
        with _PUBLISH.time(), traced(self._tracer, batch):
            await self._publish(batch)
        # 4. Acknowledged: the transport commits these offsets.
        for acknowledge in flush.acknowledge:
            acknowledge()
        reached(Step.ACKNOWLEDGED)
        metrics.BATCH_ROWS.observe(flush.size)
        log.debug("%d events and %d rejects written", len(batch.rows), len(batch.rejects))

    async def _publish(self, batch: Batch) -> None:
        """Publish what consumers wait for."""
        if batch.rows and self._settings.publish_events:
            await until_done(lambda: self._publisher.publish_events(batch.rows))
            self._reached(Step.EVENTS_PUBLISHED)
        if candidates := [candidate for row in batch.rows for candidate in row.candidates]:
            await until_done(lambda: self._publisher.publish_candidates(candidates))
            metrics.ALERT_CANDIDATES.inc(len(candidates))
            self._reached(Step.CANDIDATES_PUBLISHED)
        if batch.rejects:
            await until_done(lambda: self._publisher.publish_rejects(batch.rejects))
            self._reached(Step.REJECTS_PUBLISHED)

    def _check_limit(self, batch: Batch) -> None:
        """Stop before a flood of rejects is written, and so before any of it is acknowledged."""
        # Replayed ones are known already: to try them too early must not stop the worker.
        reasons = Counter(reject.reason.value for reject in batch.rejects if ORIGIN_HEADER not in dict(reject.headers))
        excess = self._limit.judge(len(batch.rows), reasons)
        if excess is None:
            return
        first = next(reject for reject in batch.rejects if reject.reason == excess.reason)
        raise TooManyRejectsError(
            f"{excess.rejected:,} of the last {excess.records:,} records fail with {excess.reason}, which is new; "
            f"{first.topic}/{first.partition}/{first.offset}: {first.field or 'record'}: {first.message}. They stay in "
            "Kafka, uncommitted. Mend the cause and start the worker again; when this is expected, set "
            f"""expected_rejects=["{excess.reason}"]"""
        )

    async def _put(self, workspace_id: str, upload: Upload) -> None:
        await self._images.put(workspace_id, upload)
        metrics.IMAGE_PUTS.inc()
        metrics.IMAGE_PUT_BYTES.inc(upload.info.size)
        self._reached(Step.IMAGE_STORED)

    async def _insert_events(self, batch: Batch, rows: list[Row]) -> None:
        """Insert rows; where ClickHouse refuses one for good, halve until it is found, and reject only that."""
        lines = [row.line for row in rows]
        try:
            await until_done(lambda: asyncio.to_thread(insert_events, self._clickhouse, lines))
        except RowRefusedError as error:
            if len(rows) > 1:
                middle = len(rows) // 2
                await self._insert_events(batch, rows[:middle])
                await self._insert_events(batch, rows[middle:])
                return
            record = place_of(rows[0].record)
            event_id = orjson.loads(rows[0].line)["event_id"]
            log.error("ClickHouse refuses %s", record, extra={"record": record, "event_id": event_id})
            batch.rows = [row for row in batch.rows if row is not rows[0]]
            batch.rejects.append(_refused(rows[0], error))


def _refused(row: Row, error: RowRefusedError) -> Reject:
    message = f"ClickHouse code {error.code}: {error}"
    return reject(row.record, InvalidRecordError(RejectReason.REFUSED_BY_STORE, message))
