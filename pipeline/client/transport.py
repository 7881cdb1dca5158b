"""What the client and the edge spool need of a way to deliver events."""

from collections.abc import Sequence
from typing import Protocol

from pipeline.core.outgoing import OutgoingEvent
from pipeline.errors import DependencyError, RefusedError

Outcome = None | RefusedError | DependencyError
"""Of one event: None, it is durable at the receiver; refused for good; or to be sent again."""


class Transport(Protocol):
    """A way to deliver events. Opened by its first delivery; one delivery at a time."""

    async def deliver(self, events: Sequence[OutgoingEvent]) -> list[Outcome]:
        """Send events in order and return the outcome of each. An event that was sent before replaces itself."""

    async def close(self) -> None:
        """Give back connections."""
