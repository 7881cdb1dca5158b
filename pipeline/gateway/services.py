"""What the gateway's routes work with: connections that live as long as the process, and snapshots kept fresh."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from clickhouse_connect.driver import Client
from fastapi import FastAPI, Request

from pipeline.edges.clickhouse import connect
from pipeline.edges.events import EventReader
from pipeline.edges.kafka import producer, start_producer
from pipeline.edges.keys import KeyReader
from pipeline.edges.queries import limits
from pipeline.edges.registry import RegistryReader
from pipeline.edges.s3 import ImageStore
from pipeline.errors import DependencyError, VisionEventsError
from pipeline.gateway.links import ImageLinks
from pipeline.gateway.monitoring import follow_groups
from pipeline.gateway.rate import RateLimit
from pipeline.gateway.registered import RegisteredUseCases
from pipeline.gateway.snapshots import Snapshot
from pipeline.gateway.watch import SystemWatch
from pipeline.gateway.writing import EventWriter
from pipeline.settings import Settings

log = logging.getLogger(__name__)

_RETRY_S: Final = 1.0
_RENEW_AT_MOST_EVERY_S: Final = 0.5
_QUERY_THREADS: Final = 8

Result = TypeVar("Result")


@dataclass(frozen=True)
class Services:
    """Everything behind the gateway. The clients of ClickHouse and S3 block: call them with `asyncio.to_thread`."""

    settings: Settings
    secret: bytes
    """Signs what clients hand back: cursors and links."""
    links: ImageLinks
    clickhouse: Client
    limited: Client
    """The same for what people look at: none of its queries runs or grows without limit (`edges/queries.py`)."""
    reader: EventReader
    queries: Executor
    """Threads for reading, so that slow queries do not hold up writes."""
    images: ImageStore
    registry: RegistryReader
    fresh_registry: Snapshot
    use_cases: RegisteredUseCases
    registry_changes: asyncio.Lock
    """Held by whoever changes use cases: what a change rests on is read within it."""
    rate: RateLimit
    keys: KeyReader
    fresh_keys: Snapshot
    events: EventWriter
    watch: SystemWatch


def services_of(request: Request) -> Services:
    """The services, for routes: `Annotated[Services, Depends(services_of)]` or a plain call.

    Raises DependencyError while the gateway is not connected yet.
    """
    services: Services | None = request.app.state.services
    if services is None:
        raise DependencyError("the gateway is not connected to its services yet")
    return services


@asynccontextmanager
async def running(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    """Connect in the background and stay connected: while a service is away calls are answered with 503."""
    tasks = [asyncio.create_task(_run(app, settings)), asyncio.create_task(follow_groups(settings))]
    try:
        yield
    finally:
        app.state.services = None
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _run(app: FastAPI, settings: Settings) -> None:
    queries = ThreadPoolExecutor(_QUERY_THREADS, thread_name_prefix="query")
    watch = SystemWatch(settings)
    kafka = producer(settings, request_timeout_ms=int(settings.write_timeout_s * 1000))
    await _until_done(lambda: start_producer(kafka))
    try:
        clickhouse = await _until_done(lambda: asyncio.to_thread(connect, settings))
        bounds = limits(settings.query_timeout_s)
        limited = await _until_done(lambda: asyncio.to_thread(connect, settings, limits=bounds))
        registry, keys = RegistryReader(clickhouse), KeyReader(clickhouse)
        await _until_done(lambda: asyncio.to_thread(registry.refresh))
        await _until_done(lambda: asyncio.to_thread(keys.refresh))
        images = ImageStore(settings)
        secret = _secret(settings)
        fresh_registry = Snapshot(registry.refresh, _RENEW_AT_MOST_EVERY_S)
        use_cases = RegisteredUseCases(registry, fresh_registry)
        app.state.services = Services(
            settings=settings,
            secret=secret,
            links=ImageLinks(settings, secret),
            clickhouse=clickhouse,
            limited=limited,
            reader=EventReader(clickhouse, settings.query_timeout_s),
            queries=queries,
            images=images,
            registry=registry,
            fresh_registry=fresh_registry,
            use_cases=use_cases,
            registry_changes=asyncio.Lock(),
            rate=RateLimit(settings.rate_limit),
            keys=keys,
            fresh_keys=Snapshot(keys.refresh, _RENEW_AT_MOST_EVERY_S),
            events=EventWriter(settings, kafka, registry, use_cases, images),
            watch=watch,
        )
        log.info("the gateway is connected")
        while True:
            await asyncio.sleep(settings.registry_poll_s)
            for step in (registry.refresh, keys.refresh, keys.write_uses):
                try:
                    await asyncio.to_thread(step)
                except VisionEventsError as error:
                    log.warning("going on with what is known: %s", error)
    finally:
        queries.shutdown(wait=False, cancel_futures=True)
        await watch.close()
        await kafka.stop()


def _secret(settings: Settings) -> bytes:
    secret = settings.link_secret.get_secret_value()
    if not secret:
        log.warning("no link_secret is set: cursors and links are good until this process ends, and for it alone")
    return secret.encode() or secrets.token_bytes(32)


async def _until_done(step: Callable[[], Awaitable[Result]]) -> Result:
    """Try until it succeeds. What only a person can mend is tried again too: the gateway need not be started anew."""
    while True:
        try:
            return await step()
        except VisionEventsError as error:
            log.warning("not connected yet, next attempt in %.0f s: %s", _RETRY_S, error)
            await asyncio.sleep(_RETRY_S)
