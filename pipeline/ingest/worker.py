"""The ingest worker: a Faust app on the record-batch transport, and the agent that keeps it moving."""

import asyncio
import gc
import logging
import os
import signal
import time
from collections.abc import AsyncIterable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NoReturn

import faust
import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from clickhouse_connect.driver import Client

from pipeline import metrics
from pipeline.core.stalls import Place
from pipeline.edges.clickhouse import connect, translated
from pipeline.edges.heartbeat import metrics_route
from pipeline.edges.http_server import HttpServer
from pipeline.edges.kafka import ask_broker, ensure_topics, producer, start_producer
from pipeline.edges.recent import load_limit
from pipeline.edges.registry import RegistryReader, follow
from pipeline.edges.retry import until_done
from pipeline.edges.s3 import ImageStore
from pipeline.edges.sweep import sweep_forever
from pipeline.errors import VisionEventsError
from pipeline.ingest.allocator import keep_freed_memory
from pipeline.ingest.health import Ask, ThreadedAsk, WorkerHealth
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


_PREPARE_SECONDS: Final = metrics.STAGE_SECONDS.labels("prepare")


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises ConfigurationError when only a person can mend what is wrong."""
    keep_freed_memory()
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    health = WorkerHealth(settings)
    routes = {"/livez": health.livez, "/readyz": health.readyz, "/metrics": metrics_route("worker")}
    with HttpServer(settings.health_host, settings.health_port, routes) as server:
        log.info("health: %s/livez, /readyz and /metrics", server.url)
        beating, stopping = _task(health.beat()), _task(stop.wait())
        starting = _task(_start(settings, health))
        await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            _leave()
        await _run(await starting, health, stopping)
        beating.cancel()


def _leave() -> NoReturn:
    """End before anything was read: a thread that waits for a service that never answers cannot be cancelled."""
    log.info("told to stop while starting")
    logging.shutdown()
    os._exit(0)


@dataclass(frozen=True, slots=True)
class _Worker:
    """Everything of a worker that is connected and reads."""

    settings: Settings
    clickhouse: Client
    registry: RegistryReader
    images: ImageStore
    kafka: AIOKafkaProducer
    writer: Writer
    agent: "IngestAgent"
    app: faust.App


async def _start(settings: Settings, health: WorkerHealth) -> _Worker:
    """Connect, however long it takes, and begin to read."""
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
    writer = Writer(settings, clickhouse, images, Publisher(kafka), limit)
    agent = IngestAgent(Preparer(registry, images), writer)
    app = make_app(settings, agent)
    await app.start()
    return _Worker(settings, clickhouse, registry, store, kafka, writer, agent, app)


async def _run(worker: _Worker, health: WorkerHealth, stopping: asyncio.Task[Any]) -> None:
    """Work until told to stop. Raises what ended it otherwise."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 50, 50)
    health.phase = "running"
    log.info("worker of group %s is running", worker.settings.ingest_group)
    background = [
        _task(worker.writer.run()),
        _task(worker.agent.failed()),
        _task(follow(worker.registry, worker.settings.registry_poll_s)),
        _task(sweep_forever(worker.clickhouse)),
        _task(health.follow(_asks(worker), partial(places, worker.app))),
    ]
    crashed = _task(worker.app.wait_until_stopped())
    try:
        done, _ = await asyncio.wait([*background, crashed, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # raises what ended it
        if crashed in done and stopping not in done:
            raise VisionEventsError("the consumer ended by itself: its error is in the log")
    except VisionEventsError:
        consumer: Any = worker.app.consumer
        consumer.gave_up = True
        raise
    finally:
        health.phase = "stopping"
        # The writer goes on meanwhile: the transport waits for what is in hand, then commits it.
        await worker.app.stop()
        for task in background:
            task.cancel()
        await worker.kafka.stop()


def _asks(worker: _Worker) -> dict[str, Ask]:
    """What is asked of each service to know that it answers."""

    def ask_clickhouse() -> None:
        with translated():
            worker.clickhouse.command("SELECT 1")

    return {
        "clickhouse": ThreadedAsk(ask_clickhouse),
        "kafka": partial(ask_broker, worker.kafka),
        "s3": ThreadedAsk(worker.images.check_bucket),
    }


def places(app: faust.App) -> dict[str, Place] | None:
    """Where each assigned partition stands, None while no group is joined."""
    consumer: Any = app.consumer
    if app.rebalancing or not app.consumer_generation_id:
        return None
    found = {}
    for tp in sorted(consumer.assignment()):
        done = consumer.done_until(tp)
        if done is not None:
            with suppress(KafkaError, AssertionError):  # revoked meanwhile
                found[f"{tp.topic}/{tp.partition}"] = Place(done, max(done, consumer.highwater(tp) or 0))
    return found


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
