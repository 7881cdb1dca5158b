"""The ingest worker: a Faust app on the record-batch transport, and the agent that keeps it moving."""

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterable
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

import uvloop

from pipeline import metrics
from pipeline.edges.clickhouse import connect
from pipeline.edges.kafka import ensure_topics, producer, start_producer
from pipeline.edges.recent import load_limit
from pipeline.edges.registry import RegistryReader, follow
from pipeline.edges.retry import until_done
from pipeline.edges.s3 import ImageStore
from pipeline.edges.sweep import sweep_forever
from pipeline.errors import VisionEventsError
from pipeline.ingest.allocator import keep_freed_memory
from pipeline.ingest.images import ImageRequests
from pipeline.ingest.prepare import Preparer
from pipeline.ingest.publisher import Publisher
from pipeline.ingest.writer import Writer
from pipeline.settings import Settings
from pipeline.transport import BatchOptions, RecordBatch, batch_topic
from pipeline.worker.app import make_app
from pipeline.worker.health import WorkerHealth
from pipeline.worker.life import Worker, live
from pipeline.worker.tracing import start_tracing
from schemas.topics import INFERENCES, MAX_RAW_RECORD_BYTES, RECORD_OVERHEAD_BYTES

log = logging.getLogger(__name__)

_PARTITION_RECORDS: Final = 20_000
"""Records of one partition that are read and not done yet: enough of few partitions to fill an insert."""

_GC_THRESHOLD: Final = 100_000
"""Objects made before the collector looks: records make no cycles, and looking at them cost a third of the time."""

_PREPARE_SECONDS: Final = metrics.STAGE_SECONDS.labels("prepare")


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises ConfigurationError when only a person can mend what is wrong."""
    keep_freed_memory()
    uvloop.run(live(settings, "worker", partial(_start, settings)))


async def _start(settings: Settings, health: WorkerHealth, stack: AsyncExitStack) -> Worker:
    """Connect, however long it takes, and begin to read."""
    tracer = start_tracing(settings, "worker", stack)
    health.phase = "waiting for ClickHouse"
    clickhouse = await until_done(lambda: asyncio.to_thread(connect, settings))
    store, registry = ImageStore(settings), RegistryReader(clickhouse)
    images = ImageRequests(store, settings.image_concurrency)
    await until_done(lambda: asyncio.to_thread(registry.refresh))
    health.phase = "waiting for Kafka"
    await until_done(lambda: ensure_topics(settings))
    kafka = producer(settings)
    await until_done(lambda: start_producer(kafka))
    limit = await until_done(lambda: asyncio.to_thread(load_limit, clickhouse, settings))
    writer = Writer(settings, clickhouse, images, Publisher(kafka), limit, tracer)
    agent = IngestAgent(Preparer(registry, images), writer)
    options = BatchOptions(partition_records=_PARTITION_RECORDS)
    largest = MAX_RAW_RECORD_BYTES + RECORD_OVERHEAD_BYTES
    app = make_app(settings, settings.ingest_group, options, consumer_max_fetch_size=largest)
    app.agent(batch_topic(app, INFERENCES.name))(agent.ingest)
    await app.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 50, 50)
    background = (
        writer.run(),
        agent.failed(),
        follow(registry, settings.registry_poll_s),
        sweep_forever(clickhouse),
    )
    return Worker(app, INFERENCES.name, clickhouse, kafka, store, background)


class IngestAgent:
    """Prepares a batch, hands it to the writer, takes the next. The writer acknowledges it when it is durable."""

    def __init__(self, preparer: Preparer, writer: Writer) -> None:
        self._preparer = preparer
        self._writer = writer
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def ingest(self, batches: AsyncIterable[RecordBatch]) -> None:
        """The body of the Faust agent. No exception leaves it: Faust would take that for "done, go on"."""
        try:
            async for records in batches:
                metrics.RECORDS_READ.inc(len(records))
                metrics.RECORD_BYTES.inc(records.size)
                with _PREPARE_SECONDS.time():
                    prepared = await self._preparer.prepare(records.records)
                await self._writer.add(prepared, partial(_acknowledge, records))
        except VisionEventsError as error:
            self._failure.set_exception(error)
            await asyncio.Event().wait()  # returning would make Faust start the agent anew

    async def failed(self) -> None:
        """Wait until the agent cannot go on, and raise why."""
        await self._failure


def _acknowledge(records: RecordBatch) -> None:
    if records.ack():
        metrics.END_TO_END_SECONDS.observe(max(0.0, time.time() - records.records[0].timestamp / 1000))
