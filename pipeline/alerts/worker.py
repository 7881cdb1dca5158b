"""The alert worker: a Faust app of its own, with the agents that watch candidates and tell receivers."""

import asyncio
import logging
import signal
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

import faust
import uvloop

from pipeline.alerts.delivery import Deliverer
from pipeline.alerts.progress import Progress, Reached
from pipeline.alerts.receivers import Sender, read_receivers
from pipeline.alerts.store import PartitionTable
from pipeline.alerts.watcher import Watcher
from pipeline.edges.clickhouse import connect
from pipeline.edges.heartbeat import Heartbeat, metrics_route
from pipeline.edges.http_server import HttpServer
from pipeline.edges.kafka import ensure_compacted, ensure_topics, partition_count, producer, start_producer
from pipeline.edges.registry import RegistryReader, follow
from pipeline.edges.retry import until_done
from pipeline.edges.s3 import ImageStore
from pipeline.errors import DependencyError
from pipeline.settings import Settings
from pipeline.transport import BatchOptions, batch_topic, broker_url
from pipeline.transport.consumer import BatchConsumer
from schemas.receiver import Receiver
from schemas.topics import ALERT_CANDIDATES, ALERTS

log = logging.getLogger(__name__)


def run_alert_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises ConfigurationError when only a person can mend what is wrong."""
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    heart = Heartbeat(settings.stuck_after_s)
    routes = {"/livez": heart.livez, "/metrics": metrics_route("alert-worker")}
    with HttpServer(settings.health_host, settings.health_port, routes) as server:
        log.info("health: %s/livez and /metrics", server.url)
        beating = _task(heart.beat())
        await _run(settings)
        beating.cancel()


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    receivers = read_receivers(settings.alert_receivers)
    clickhouse = await until_done(lambda: asyncio.to_thread(connect, settings))
    registry = RegistryReader(clickhouse)
    await until_done(lambda: asyncio.to_thread(registry.refresh))
    await until_done(lambda: ensure_topics(settings))
    kafka = producer(settings, linger_ms=0)
    await until_done(lambda: start_producer(kafka))
    app = make_app(settings)
    partitions = await until_done(lambda: partition_count(settings, ALERT_CANDIDATES.name))
    groups, told = (PartitionTable(app, name, partitions, kafka) for name in ("groups", "told"))
    await until_done(lambda: ensure_compacted(settings, [groups.topic, told.topic], partitions))
    async with Sender(settings.alert_retry_s) as sender:
        watcher = Watcher(groups, registry, kafka, ImageStore(settings), settings.alert_slack_ms)
        deliverer = Deliverer(told, receivers, sender, clickhouse)
        app.agent(batch_topic(app, ALERT_CANDIDATES.name))(watcher.watch)
        app.agent(batch_topic(app, ALERTS.name))(deliverer.deliver)
        await app.start()
        log.info("alert worker of group %s is running, %d receivers", settings.alert_group, len(receivers))
        background = [
            _task(watcher.failed()),
            _task(deliverer.failed()),
            _task(follow(registry, settings.registry_poll_s)),
            _task(_tell_the_time(settings, app, watcher)),
            _task(_remind(settings, watcher, receivers, sender)),
        ]
        crashed = _task(app.wait_until_stopped())
        try:
            done, _ = await asyncio.wait(
                [*background, crashed, _task(stop.wait())], return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()  # raises what ended it
        finally:
            await app.stop()
            for task in background:
                task.cancel()
            await kafka.stop()


def make_app(settings: Settings) -> faust.App:
    """The Faust app of one worker. Its tables bring their own assignor: partitions of all its topics stay together."""
    return faust.App(
        settings.alert_group,
        broker=broker_url(settings.kafka_bootstrap, BatchOptions(fetch_max_wait=0.1)),
        broker_commit_interval=1.0,
        broker_max_poll_records=2_000,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 4,
        consumer_group_instance_id=settings.worker_id or None,
        consumer_auto_offset_reset="earliest",
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_recovery_delay=0.0,
        web_enabled=False,
        datadir=str(settings.data_dir / "faust"),
    )


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


def _task(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.get_running_loop().create_task(work)
