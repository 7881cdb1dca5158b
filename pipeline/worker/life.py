"""The life of a worker's process: connect, read until told to stop, finish what is in hand."""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import faust
from aiokafka import AIOKafkaProducer
from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import translated
from pipeline.edges.heartbeat import metrics_route
from pipeline.edges.http_server import HttpServer
from pipeline.edges.kafka import ask_broker
from pipeline.edges.s3 import ImageStore
from pipeline.errors import VisionEventsError
from pipeline.metrics import Process
from pipeline.settings import Settings
from pipeline.worker.app import places
from pipeline.worker.health import Ask, ThreadedAsk, WorkerHealth

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that is connected and reads `topic`. What one of `background`, which never end, raises ends it."""

    app: faust.App
    topic: str
    clickhouse: Client
    kafka: AIOKafkaProducer
    images: ImageStore | None
    """None: it asks nothing of S3."""
    background: Sequence[Coroutine[Any, Any, Any]]


Start = Callable[[WorkerHealth, AsyncExitStack], Awaitable[Worker]]
"""Connects, however long it takes, and begins to read. What it puts on the stack is closed at the end."""


async def live(settings: Settings, process: Process, start: Start) -> None:
    """Work until SIGTERM or SIGINT. Raises what ended it otherwise."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    health = WorkerHealth(settings)
    routes = {"/livez": health.livez, "/readyz": health.readyz, "/metrics": metrics_route(process)}
    with HttpServer(settings.health_host, settings.health_port, routes) as server:
        log.info("health: %s/livez, /readyz and /metrics", server.url)
        beating, stopping = asyncio.ensure_future(health.beat()), asyncio.ensure_future(stop.wait())
        async with AsyncExitStack() as stack:
            starting = asyncio.ensure_future(start(health, stack))
            await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                # A thread that waits for a service that never answers cannot be cancelled.
                log.info("told to stop while starting")
                leave()
            await _run(await starting, health, stopping)
        beating.cancel()


def leave() -> NoReturn:
    """End the process here and now, without taking the interpreter apart.

    Native libraries' threads may crash it then: among thousands of workers that had stored, committed and closed
    everything, one was seen to end without a word and with another code than 0.
    """
    logging.shutdown()
    os._exit(0)


async def _run(worker: Worker, health: WorkerHealth, stopping: asyncio.Task[Any]) -> None:
    health.phase = "running"
    log.info("worker of group %s is running", worker.app.conf.id)
    watching = health.follow(_asks(worker), partial(places, worker.app, worker.topic))
    background = [asyncio.ensure_future(work) for work in (*worker.background, watching)]
    crashed = asyncio.ensure_future(worker.app.wait_until_stopped())
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
        # The background goes on meanwhile: the transport waits for what is in hand, then commits it.
        await worker.app.stop()
        for task in background:
            task.cancel()
        await worker.kafka.stop()


def _asks(worker: Worker) -> dict[str, Ask]:
    """What is asked of each service to know that it answers."""

    def ask_clickhouse() -> None:
        with translated():
            worker.clickhouse.command("SELECT 1")

    asks: dict[str, Ask] = {"clickhouse": ThreadedAsk(ask_clickhouse), "kafka": partial(ask_broker, worker.kafka)}
    return asks | ({"s3": ThreadedAsk(worker.images.check_bucket)} if worker.images else {})
