"""The alert worker: a Faust app of its own, with the agents that watch candidates and tell receivers."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import faust
import uvloop

from pipeline.alerts.delivery import Deliverer
from pipeline.alerts.progress import Progress, Reached
from pipeline.alerts.receivers import Sender, read_receivers
from pipeline.alerts.store import PartitionTable
from pipeline.alerts.traces import AlertTraces
from pipeline.alerts.watcher import Watcher
from pipeline.edges.clickhouse import connect
from pipeline.edges.kafka import ensure_compacted, ensure_topics, partition_count, producer, start_producer
from pipeline.edges.registry import RegistryReader, follow
from pipeline.edges.retry import until_done
from pipeline.edges.s3 import ImageStore
from pipeline.errors import DependencyError
from pipeline.settings import Settings
from pipeline.transport import BatchOptions, batch_topic
from pipeline.transport.consumer import BatchConsumer
from pipeline.worker.app import make_app
from pipeline.worker.health import WorkerHealth
from pipeline.worker.life import Worker, live
from pipeline.worker.tracing import start_tracing
from schemas.receiver import Receiver
from schemas.topics import ALERT_CANDIDATES, ALERTS

log = logging.getLogger(__name__)


def run_alert_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises ConfigurationError when only a person can mend what is wrong."""
    uvloop.run(live(settings, "alert-worker", partial(_start, settings)))


async def _start(settings: Settings, health: WorkerHealth, stack: AsyncExitStack) -> Worker:
    """Connect, however long it takes, and begin to read."""
    receivers = read_receivers(settings.alert_receivers)
    traces = AlertTraces(start_tracing(settings, "alert-worker", stack))
    health.phase = "waiting for ClickHouse"
    clickhouse = await until_done(lambda: asyncio.to_thread(connect, settings))
    registry = RegistryReader(clickhouse)
    await until_done(lambda: asyncio.to_thread(registry.refresh))
    health.phase = "waiting for Kafka"
    await until_done(lambda: ensure_topics(settings))
    kafka = producer(settings, linger_ms=0)
    await until_done(lambda: start_producer(kafka))
    app = make_app(settings, settings.alert_group, BatchOptions(fetch_max_wait=0.1), stream_recovery_delay=0.0)
    partitions = await until_done(lambda: partition_count(settings, ALERT_CANDIDATES.name))
    groups, told = (PartitionTable(app, name, partitions, kafka) for name in ("groups", "told"))
    await until_done(lambda: ensure_compacted(settings, [groups.topic, told.topic], partitions))
    sender = await stack.enter_async_context(Sender(settings.alert_retry_s))
    watcher = Watcher(groups, registry, kafka, ImageStore(settings), settings.alert_slack_ms, traces)
    deliverer = Deliverer(told, receivers, sender, clickhouse, traces)
    app.agent(batch_topic(app, ALERT_CANDIDATES.name))(watcher.watch)
    app.agent(batch_topic(app, ALERTS.name))(deliverer.deliver)
    await app.start()
    log.info("%d receivers are told of alerts", len(receivers))
    background = (
        watcher.failed(),
        deliverer.failed(),
        follow(registry, settings.registry_poll_s),
        _tell_the_time(settings, app, watcher),
        _remind(settings, watcher, receivers, sender),
    )
    # `vision.alerts` is left out: a receiver that is away for a quarter of an hour is no reason to kill a worker.
    return Worker(app, ALERT_CANDIDATES.name, clickhouse, kafka, None, background)


async def _tell_the_time(settings: Settings, app: faust.App, watcher: Watcher) -> None:
    """Keep looking how far time has come, and let the watcher do what is due by then."""
    waiting: Reached | None = None
    while True:
        try:
            async with Progress(settings) as progress:
                while True:
                    await asyncio.sleep(settings.alert_tick_ms / 1000)
                    # A moment is waited for until it is reached: under load, the newest one always lies ahead.
                    waiting = waiting or await progress.look()
                    generation = app.consumer_generation_id
                    is_current = partial(_is_current, app, generation)
                    if waiting is not None and is_current():
                        waiting = await watcher.time_passed(waiting, _done(app), generation, is_current)
        except DependencyError as error:
            log.warning("how far time has come cannot be told: %s", error)
            await asyncio.sleep(1)


def _is_current(app: faust.App, generation: int) -> bool:
    """Whether the worker has the partitions of this generation, and has read their tables back."""
    return app.consumer_generation_id == generation and not app.rebalancing and bool(app.tables.actives_ready)


def _done(app: faust.App) -> dict[int, int]:
    """How far the candidates of this worker's partitions are handled."""
    consumer = app.consumer
    assert isinstance(consumer, BatchConsumer)
    places = [tp for tp in consumer.assignment() if tp.topic == ALERT_CANDIDATES.name]
    return {tp.partition: done for tp in places if (done := consumer.done_until(tp)) is not None}


async def _remind(settings: Settings, watcher: Watcher, receivers: Sequence[Receiver], sender: Sender) -> None:
    """Alertmanagers forget alerts that they are not told of again."""
    managers = [receiver for receiver in receivers if receiver.type == "alertmanager"]
    while managers:
        await asyncio.sleep(settings.alert_resend_s)
        for receiver in managers:
            alerts = [alert for alert in watcher.open_alerts() if receiver.takes(alert.labels, alert.status)]
            if alerts:
                await sender.remind(receiver, alerts)
    await asyncio.Event().wait()
