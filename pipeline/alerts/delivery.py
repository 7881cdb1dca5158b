"""Reads `vision.alerts` and tells whom it concerns: a row in the table, and each receiver once.

Each receiver of a partition has a queue of its own, so that one that is away does not hold up the others. What a
receiver was told of an alert last is kept in a Faust table: what comes again is not told again.
"""

import asyncio
import logging
from collections.abc import AsyncIterable, Sequence
from functools import partial
from typing import TypeAlias

import orjson
from clickhouse_connect.driver import Client
from pydantic import ValidationError

from pipeline import metrics
from pipeline.alerts.receivers import Sender
from pipeline.alerts.store import PartitionTable
from pipeline.alerts.traces import AlertTraces
from pipeline.edges.alerts import Delivery, insert_alerts, insert_deliveries
from pipeline.edges.retry import until_done
from pipeline.errors import VisionEventsError
from pipeline.transport import RecordBatch
from schemas.alert import Alert, AlertEvent
from schemas.receiver import Receiver

log = logging.getLogger(__name__)

EventAndHeaders: TypeAlias = tuple[AlertEvent, Sequence[tuple[str, bytes]]]
"""What a record of `vision.alerts` holds, and its headers."""


class Deliverer:
    """The agent of `vision.alerts`."""

    def __init__(
        self,
        table: PartitionTable,
        receivers: Sequence[Receiver],
        sender: Sender,
        clickhouse: Client,
        traces: AlertTraces,
    ) -> None:
        self._table = table
        self._receivers = receivers
        self._sender = sender
        self._clickhouse = clickhouse
        self._traces = traces
        for receiver in receivers:  # a counter that begins at 1 never rose: Prometheus would not see the first one
            for state in ("delivered", "dead"):
                metrics.ALERT_DELIVERIES.labels(receiver.name, state)
        self._queues: dict[tuple[int, str], asyncio.Task[list[Delivery]]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def deliver(self, batches: AsyncIterable[RecordBatch]) -> None:
        """The body of the Faust agent. No exception leaves it: Faust would take that for "done, go on"."""
        try:
            async for batch in batches:
                found = [(event, record.headers) for record in batch if (event := _parse(record.value)) is not None]
                queued = [self._queued(batch, receiver, found) for receiver in self._receivers]
                alerts = [event.data for event, _ in found]
                task = asyncio.ensure_future(self._finish(batch, alerts, queued))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
        except VisionEventsError as error:
            self._fail(error)
            await asyncio.Event().wait()  # returning would make Faust start the agent anew

    async def failed(self) -> None:
        """Wait until the agent cannot go on, and raise why."""
        await self._failure

    def _fail(self, error: BaseException) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)

    async def _finish(
        self, batch: RecordBatch, alerts: Sequence[Alert], queued: Sequence[asyncio.Task[list[Delivery]]]
    ) -> None:
        """Wait for everything that a batch leads to, then acknowledge it. The table is no condition of telling."""
        try:
            if alerts:
                await until_done(lambda: asyncio.to_thread(insert_alerts, self._clickhouse, alerts))
            if deliveries := [item for found in await asyncio.gather(*queued) for item in found]:
                await until_done(lambda: asyncio.to_thread(insert_deliveries, self._clickhouse, deliveries))
        except Exception as error:
            self._fail(error)
        else:
            batch.ack()

    def _queued(
        self, batch: RecordBatch, receiver: Receiver, events: Sequence[EventAndHeaders]
    ) -> asyncio.Task[list[Delivery]]:
        place = (batch.partition, receiver.name)
        before = self._queues.get(place)

        async def work() -> list[Delivery]:
            if before is not None:
                await asyncio.wait([before])
            return await self._tell(batch, receiver, events)

        task = self._queues[place] = asyncio.ensure_future(work())
        return task

    async def _tell(self, batch: RecordBatch, receiver: Receiver, events: Sequence[EventAndHeaders]) -> list[Delivery]:
        deliveries = []
        for event, headers in events:
            if not batch.active:
                break  # another worker has the partition now
            # An entry for each receiver: they are told at the same time, and none may undo what another noted.
            key, mark = f"{event.data.fingerprint}/{receiver.name}".encode(), _mark(event.data)
            last = orjson.loads(self._table.entries(batch.partition).get(key, b"null"))
            if not _concerns(receiver, event.data, last, mark):
                continue
            with self._traces.delivered(receiver.name, event.data, headers) as more:
                deliveries.append(await self._sender.deliver(receiver, event, more))
            metrics.ALERT_DELIVERIES.labels(receiver.name, deliveries[-1].state).inc()
            await until_done(partial(self._table.write, batch.partition, {key: orjson.dumps(mark)}))
        return deliveries


def _concerns(receiver: Receiver, alert: Alert, last: list[int] | None, mark: list[int]) -> bool:
    """Whether a receiver is to be told: what it was told already is a repetition, and no end comes without a start."""
    if alert.suppressed_by or not receiver.takes(alert.labels, alert.status):
        return False
    if alert.status == "resolved" and (last is None or last[0] != mark[0]):
        return False
    return last is None or last < mark


def _mark(alert: Alert) -> list[int]:
    """When the alert fired, and 0 for its beginning, 1 for its end: what a receiver was told of last."""
    return [int(alert.fired_at.timestamp() * 1000), int(alert.status == "resolved")]


def _parse(value: bytes | None) -> AlertEvent | None:
    try:
        return AlertEvent.model_validate_json(value or b"")
    except ValidationError as error:
        log.error("a record of vision.alerts is not an alert and is passed over: %s", error)
        return None
