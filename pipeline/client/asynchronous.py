"""The client for asyncio programs."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, Self

from pipeline.client.batches import Progress, Sent, deliver
from pipeline.client.event import Event
from pipeline.client.transport import Outcome, Transport
from pipeline.core.outgoing import OutgoingEvent
from pipeline.errors import InvalidRecordError

BATCH_BYTES: Final = 16 * 1024 * 1024


class AsyncClient:
    """Sends events. Calls that run at the same time share batches; the events of a device keep the order of the calls.

    `give_up_after_s` bounds how long one batch is tried again while the receiver is away.
    """

    def __init__(self, transport: Transport, *, batch_size: int = 100, give_up_after_s: float = 300) -> None:
        self._transport = transport
        self._batch_size = batch_size
        self._give_up_after_s = give_up_after_s
        self._pending: list[tuple[OutgoingEvent, asyncio.Future[Outcome]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Wait for what is being sent, then give back connections."""
        if self._task is not None:
            await self._task
        await self._transport.close()

    async def send(self, event: Event) -> str:
        """Return the event's id when it is durable at the receiver.

        Raises InvalidRecordError before anything is sent, RefusedError when the receiver will never take it,
        DependencyError when the time is up: the same `Event` may be sent again, it is stored once.
        """
        outcome = await self._enqueue(event.outgoing())
        if outcome is not None:
            raise outcome
        return event.event_id

    async def send_many(
        self, events: Iterable[Event], on_progress: Callable[[Progress], None] | None = None
    ) -> list[Sent]:
        """Send any number of events and say what became of each, in their order. One that fails stops no other."""
        sent: list[Sent] = []
        remaining = iter(events)
        while batch := list(islice(remaining, self._batch_size)):
            sent += await asyncio.gather(*(self._send_one(event) for event in batch))
            if on_progress is not None:
                failed = sum(item.error is not None for item in sent)
                on_progress(Progress(len(sent) - failed, failed))
        return sent

    async def _send_one(self, event: Event) -> Sent:
        try:
            return Sent(event.event_id, await self._enqueue(event.outgoing()))
        except InvalidRecordError as error:
            return Sent(event.event_id, error)

    async def _enqueue(self, event: OutgoingEvent) -> Outcome:
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._pending.append((event, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._deliver_all())
        return await future

    async def _deliver_all(self) -> None:
        while self._pending:
            batch = self._next_batch()
            try:
                outcomes = await deliver(self._transport, [event for event, _ in batch], self._give_up_after_s)
            except asyncio.CancelledError:
                for _, future in (*batch, *self._pending):
                    future.cancel()
                raise
            except Exception as error:  # a defect: its callers are told, the others go on
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if not future.done():  # its caller may have been cancelled
                    future.set_result(outcome)

    def _next_batch(self) -> list[tuple[OutgoingEvent, "asyncio.Future[Outcome]"]]:
        size = count = 0
        for event, _ in self._pending[: self._batch_size]:
            size += len(event.value)
            if count and size > BATCH_BYTES:
                break
            count += 1
        batch, self._pending = self._pending[:count], self._pending[count:]
        return batch
