"""Delivery: the oldest events first, in order for each device, until the receiver has them or refuses them for good."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from pipeline import metrics
from pipeline.client.transport import Outcome, Transport, to_send_again
from pipeline.core.outgoing import OutgoingEvent
from pipeline.edges.retry import until_done
from pipeline.errors import DependencyError, RefusedError
from pipeline.spool.store import Queued, SpoolStore
from pipeline.spool.writer import now_ms

log = logging.getLogger(__name__)

BATCH_EVENTS: Final = 500
BATCH_BYTES: Final = 16 * 1024 * 1024
_LOOK_EVERY_S: Final = 5.0
"""How often the queue is looked at unasked: `edge refused retry` of another process fills it too."""

DAMAGED: Final = "damaged on the device's disk: its checksum does not match"


class Forwarder:
    """Empties the spool into a transport, for as long as it runs."""

    def __init__(self, store: SpoolStore, transport: Transport, arrived: asyncio.Event) -> None:
        self._store = store
        self._transport = transport
        self._arrived = arrived

    async def run(self) -> None:
        """Forward until cancelled. Raises sqlite3.Error when the spool cannot be read or written."""
        while True:
            self._arrived.clear()
            while await until_done(self.step):
                pass
            try:
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._arrived.wait()
            except TimeoutError:
                pass

    async def step(self) -> int:
        """Send the next events and settle them; returns how many left the queue.

        Raises DependencyError when some could not be sent and have to be tried again.
        """
        batch = await asyncio.to_thread(self._store.oldest, BATCH_EVENTS, BATCH_BYTES)
        if not batch:
            return 0
        refused = {queued.seq: DAMAGED for queued in batch if queued.damaged}
        sound = [queued for queued in batch if not queued.damaged]
        outcomes = await self._deliver([queued.event for queued in sound])
        delivered, more, failure = sort_out(sound, outcomes)
        refused |= more
        if delivered or refused:
            await asyncio.to_thread(self._store.settle, delivered, refused, now_ms())
            metrics.SPOOL_DELIVERED.inc(len(delivered))
            metrics.SPOOL_REFUSED.inc(len(refused))
        if failure is not None:
            await asyncio.to_thread(self._store.note_failure, str(failure), now_ms())
            raise failure
        return len(delivered) + len(refused)

    async def _deliver(self, events: Sequence[OutgoingEvent]) -> list[Outcome]:
        """The outcomes; where the transport itself fails, which event it fails on is found out and set aside."""
        try:
            return await self._transport.deliver(events) if events else []
        except Exception as error:
            log.exception("a batch of %d events could not be sent", len(events))
            if len(events) == 1:
                return [RefusedError(f"could not be sent: {error!r}")]
        outcomes: list[Outcome] = []
        for event in events:
            outcomes += await self._deliver([event])
        return outcomes


def sort_out(
    batch: Sequence[Queued], outcomes: Sequence[Outcome]
) -> tuple[list[int], dict[int, str], DependencyError | None]:
    """What is delivered, what is refused and why, and the first failure; the rest is to be sent again."""
    again = set(to_send_again([queued.event.device_id for queued in batch], outcomes))
    refused = {
        queued.seq: str(outcome)
        for queued, outcome in zip(batch, outcomes, strict=True)
        if isinstance(outcome, RefusedError)
    }
    delivered = [
        queued.seq for position, queued in enumerate(batch) if position not in again and queued.seq not in refused
    ]
    failure = next((outcome for outcome in outcomes if isinstance(outcome, DependencyError)), None)
    return delivered, refused, failure
