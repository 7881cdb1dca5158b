"""What the client and the edge spool need of a way to deliver events."""

from collections.abc import Sequence
from typing import Protocol

from pipeline.core.outgoing import OutgoingEvent
from pipeline.errors import DependencyError, RefusedError


class KeyRefusedError(DependencyError):
    """The receiver does not take the key. The edge waits until a person mends it; a client tells at once."""


Outcome = None | RefusedError | DependencyError
"""Of one event: None, it is durable at the receiver; refused for good; or to be sent again."""


def to_send_again(device_ids: Sequence[str], outcomes: Sequence[Outcome]) -> list[int]:
    """Positions of the events that are not settled, in order.

    After the first event of a device that failed all that follows of it is sent again, even what was delivered: in
    order, and replacing itself. What was refused is settled.
    """
    again: list[int] = []
    held: set[str] = set()
    for position, (device_id, outcome) in enumerate(zip(device_ids, outcomes, strict=True)):
        if isinstance(outcome, DependencyError):
            held.add(device_id)
        if device_id in held and not isinstance(outcome, RefusedError):
            again.append(position)
    return again


class Transport(Protocol):
    """A way to deliver events. Opened by its first delivery; one delivery at a time."""

    async def deliver(self, events: Sequence[OutgoingEvent]) -> list[Outcome]:
        """Send events in order and return the outcome of each. An event that was sent before replaces itself."""

    async def close(self) -> None:
        """Give back connections."""
