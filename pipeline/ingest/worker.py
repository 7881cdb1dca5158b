"""The ingest worker: a Faust app on the record-batch transport, and the agent that keeps it moving."""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterable, Coroutine
from typing import Any, Final

import faust
import uvloop

from pipeline.edges.clickhouse import connect
from pipeline.edges.kafka import ensure_topics, producer, start_producer
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
from pipeline.transport import BatchOptions, RecordBatch, batch_topic, broker_url
from schemas.topics import INFERENCES, MAX_RAW_RECORD_BYTES, RECORD_OVERHEAD_BYTES

log = logging.getLogger(__name__)

_PARTITION_RECORDS: Final = 20_000
"""Records of one partition that are read and not done yet: enough of few partitions to fill an insert."""

_GC_THRESHOLD: Final = 100_000
"""Objects made before the collector looks: records make no cycles, and looking at them cost a third of the time."""


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises ConfigurationError when only a person can mend what is wrong."""
    keep_freed_memory()
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clickhouse = await until_done(lambda: asyncio.to_thread(connect, settings))
    images, registry = ImageRequests(ImageStore(settings), settings.image_concurrency), RegistryReader(clickhouse)
    await until_done(lambda: asyncio.to_thread(registry.refresh))
    await until_done(lambda: ensure_topics(settings))
    kafka = producer(settings)
    await until_done(lambda: start_producer(kafka))
    writer = Writer(settings, clickhouse, images, Publisher(kafka))
    agent = IngestAgent(Preparer(registry, images), writer)
    app = make_app(settings, agent)
    await app.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 50, 50)
    log.info("worker of group %s is running", settings.ingest_group)
    background = [
        _task(writer.run()),
        _task(agent.failed()),
        _task(follow(registry, settings.registry_poll_s)),
        _task(sweep_forever(clickhouse)),
    ]
    crashed = _task(app.wait_until_stopped())
    try:
        done, _ = await asyncio.wait([*background, crashed, _task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # raises what ended it
    finally:
        # The writer goes on meanwhile: the transport waits for what is in hand, then commits it.
        await app.stop()
        for task in background:
            task.cancel()
        await kafka.stop()


def _task(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.get_running_loop().create_task(work)


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
                await self._writer.add(await self._preparer.prepare(records.records), records.ack)
        except VisionEventsError as error:
            self._failure.set_exception(error)
            await asyncio.Event().wait()  # returning would make Faust start the agent anew

    async def failed(self) -> None:
        """Wait until the agent cannot go on, and raise why."""
        await self._failure


def make_app(settings: Settings, agent: IngestAgent) -> faust.App:
    """The Faust app of one worker."""
    app = faust.App(
        settings.ingest_group,
        broker=broker_url(settings.kafka_bootstrap, BatchOptions(partition_records=_PARTITION_RECORDS)),
        broker_commit_interval=1.0,
        broker_max_poll_records=2_000,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 4,
        consumer_group_instance_id=settings.worker_id or None,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=MAX_RAW_RECORD_BYTES + RECORD_OVERHEAD_BYTES,
        # Any other number selects Faust's sticky assignor, which gave three workers on four partitions 2, 2 and 0.
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        datadir=str(settings.data_dir / "faust"),
    )
    app.agent(batch_topic(app, INFERENCES.name))(agent.ingest)
    return app
