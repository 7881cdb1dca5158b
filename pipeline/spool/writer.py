"""Acceptance: events that come in at the same time share one commit, and so one sync of the disk."""

import asyncio
import sqlite3
import time

from pipeline import metrics
from pipeline.core.outgoing import OutgoingEvent
from pipeline.errors import DependencyError, SpoolFullError
from pipeline.spool.store import SpoolStore

_MAX_COMMIT = 256


class SpoolWriter:
    """Takes events. `arrived` is set whenever something new lies in the queue."""

    def __init__(self, store: SpoolStore) -> None:
        self.arrived = asyncio.Event()
        self._store = store
        self._pending: list[tuple[OutgoingEvent, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def accept(self, event: OutgoingEvent) -> None:
        """Return when the event is on the disk. Raises SpoolFullError, or DependencyError when the disk fails."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((event, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit_all())
        await future

    async def _commit_all(self) -> None:
        while self._pending:
            batch, self._pending = self._pending[:_MAX_COMMIT], self._pending[_MAX_COMMIT:]
            events = [event for event, _ in batch]
            answers: list[SpoolFullError | DependencyError | None]
            try:
                taken = await asyncio.to_thread(self._store.append, events, now_ms())
                full = SpoolFullError("the spool is full: events wait for their receiver, or were refused by it")
                answers = [None if ok else full for ok in taken]
                metrics.SPOOL_ACCEPTED.inc(sum(taken))
            except sqlite3.Error as error:
                answers = [DependencyError(f"the spool cannot be written: {error}")] * len(batch)
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():  # the sender may have gone
                    future.set_result(None) if answer is None else future.set_exception(answer)
            self.arrived.set()


def now_ms() -> int:
    """The device's clock, milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
