"""The client for programs without asyncio: the same calls, which block."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Self, TypeVar

from pipeline.client.asynchronous import AsyncClient
from pipeline.client.batches import Progress, Sent
from pipeline.client.event import Event
from pipeline.client.transport import Transport

Result = TypeVar("Result")


class Client:
    """Sends events, from any thread. See AsyncClient for what each call means and raises.

    An event loop of its own runs in a daemon thread until `close`.
    """

    def __init__(self, transport: Transport, *, batch_size: int = 100, give_up_after_s: float = 300) -> None:
        self._client = AsyncClient(transport, batch_size=batch_size, give_up_after_s=give_up_after_s)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vision-events-client", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Wait for what is being sent, then give back connections."""
        if self._loop.is_closed():
            return
        self._run(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def send(self, event: Event) -> str:
        """As `AsyncClient.send`."""
        return self._run(self._client.send(event))

    def send_many(self, events: Iterable[Event], on_progress: Callable[[Progress], None] | None = None) -> list[Sent]:
        """As `AsyncClient.send_many`. `events` and `on_progress` are called in the client's thread."""
        return self._run(self._client.send_many(events, on_progress))

    def _run(self, call: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result()
