"""The state of the whole system for those who look at it: read once for all of them, and only while somebody looks."""

import asyncio
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

from clickhouse_connect.driver import Client

from pipeline import metrics
from pipeline.edges.clickhouse import connect
from pipeline.edges.counts import StatusReader
from pipeline.edges.flow import SPAN_S, STEP_S, recent_flow
from pipeline.edges.queries import limits
from pipeline.edges.status_document import as_document
from pipeline.errors import VisionEventsError
from pipeline.settings import Settings

_FRESH_S: Final = 2.0


class SystemWatch:
    """Reads what `vision-events status` reads, and the flow of the last minutes, at most every two seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._limits = limits(settings.query_timeout_s)
        self._client: Client | None = None
        self._reader = StatusReader(settings, self._limits)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="watch")  # the reader is made for one thread
        self._lock = asyncio.Lock()
        self._read_at = float("-inf")
        self._last: dict[str, Any] = {}

    async def read(self) -> dict[str, Any]:
        """The state, at most two seconds old. A service that is away is part of it, not an error."""
        async with self._lock:
            if time.monotonic() - self._read_at >= _FRESH_S:
                self._last = await asyncio.get_running_loop().run_in_executor(self._thread, self._read)
                self._read_at = time.monotonic()
            return self._last

    async def close(self) -> None:
        """Disconnect."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._reader.__exit__)
        self._thread.shutdown()

    def _read(self) -> dict[str, Any]:
        document = as_document(self._reader.read(), self._settings)
        try:
            if self._client is None:
                self._client = connect(self._settings, limits=self._limits)
            flow = recent_flow(self._client, self._settings.query_timeout_s)
        except VisionEventsError:
            flow = []  # `health` says what is the matter
        return document | {
            "flow": flow,
            "flowStep": STEP_S,
            "flowSpan": SPAN_S,
            "lag": _lag(),
            "now": datetime.now(UTC).isoformat(),
        }


def _lag() -> dict[str, dict[str, float]]:
    """By consumer group and topic how many records wait, as this gateway last saw it (`monitoring.follow_groups`)."""
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for family in metrics.GROUP_LAG.collect():
        for sample in family.samples:
            found[sample.labels["group"]][sample.labels["topic"]] += sample.value
    return found
