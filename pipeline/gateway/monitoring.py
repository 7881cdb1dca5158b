"""What a gateway measures: its calls, and how far the consumer groups have come, also while no worker runs."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline import metrics
from pipeline.edges.progress import ProgressReader
from pipeline.errors import DependencyError
from pipeline.settings import Settings
from schemas.topics import ALERT_CANDIDATES, ALERTS, INFERENCES

log = logging.getLogger(__name__)

_LOOK_S: Final = 5.0


class CallTimes:
    """Middleware: each call's seconds, by route (as declared, not as called: no ids), method and status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, measuring."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if route != "none" else "any"  # whatever a client may call it
            seconds = time.perf_counter() - begun
            metrics.HTTP_SECONDS.labels(route, method, str(status)).observe(seconds)


async def follow_groups(settings: Settings) -> None:
    """Keep the lag of the consumer groups up to date until cancelled. While Kafka is away the last values stay."""
    topics = {settings.ingest_group: {INFERENCES.name}, settings.alert_group: {ALERT_CANDIDATES.name, ALERTS.name}}
    while True:
        reader = ProgressReader(settings)
        try:
            await reader.start()
            try:
                while True:
                    await _look(reader, topics)
                    await asyncio.sleep(_LOOK_S)
            finally:
                await reader.close()
        except DependencyError as error:
            log.warning("the lag of consumer groups cannot be read: %s", error)
        await asyncio.sleep(_LOOK_S)


async def _look(reader: ProgressReader, topics: Mapping[str, set[str]]) -> None:
    lag: dict[tuple[str, ...], float] = {}
    for group, names in topics.items():
        places = await reader.read(group)
        lag |= {(group, at.topic, str(at.partition)): at.lag for at in places if at.topic in names}
    metrics.set_all(metrics.GROUP_LAG, lag)
    metrics.set_all(metrics.TOPIC_END, {(at.topic, str(at.partition)): at.end for at in places})
