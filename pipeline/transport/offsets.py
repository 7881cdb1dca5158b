"""Which offsets of one partition are delivered, done and safe to commit.

Pure bookkeeping, no Kafka and no clock. Offsets follow Kafka's convention: a position is the offset of the
next record to read, a committed offset is the first one that is *not* done.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto


class State(Enum):
    """What became of a delivery."""

    OPEN = auto()
    ACKED = auto()
    STALE = auto()


@dataclass(slots=True, eq=False)
class Delivery:
    """A range of offsets handed out: `first` up to, not including, `next`.

    The range is what was read, so it covers offsets without a record (compaction, aborted transactions,
    control records). `size` is bytes, `at` a monotonic time in seconds given by the caller.
    """

    first: int
    next: int
    records: int = 0
    size: int = 0
    at: float = 0.0
    started: bool = False
    reported: bool = False
    state: State = field(default=State.OPEN)


class PartitionOffsets:
    """The deliveries of one partition, in offset order, since it was last placed by `reset`.

    Deliveries may be acknowledged in any order. Each must begin where the one before it ended, so that no
    record between two deliveries can be passed over by a commit.
    """

    def __init__(self) -> None:
        self.position: int | None = None
        self.records = 0
        self.size = 0
        self._base: int | None = None
        self._window: deque[Delivery] = deque()

    def reset(self, position: int | None) -> None:
        """Start again at `position` (None: not known yet); what is in flight becomes stale."""
        for delivery in self._window:
            if delivery.state is State.OPEN:
                delivery.state = State.STALE
        self._window.clear()
        self.position = self._base = position
        self.records = self.size = 0

    def deliver(self, delivery: Delivery) -> None:
        """Add the next delivery.

        Raises:
            ValueError: it does not begin at the position, or ends before it begins.
        """
        self._advance(delivery.first, delivery.next)
        self._window.append(delivery)
        self.records += delivery.records
        self.size += delivery.size

    def skip(self, first: int, after: int) -> None:
        """Note that `first` up to `after` holds no records. Raises ValueError as `deliver` does."""
        self._advance(first, after)

    def ack(self, delivery: Delivery) -> bool:
        """Mark a delivery as done; False when it is stale or was acknowledged before."""
        if delivery.state is not State.OPEN:
            return False
        delivery.state = State.ACKED
        while self._window and self._window[0].state is State.ACKED:
            done = self._window.popleft()
            self.records -= done.records
            self.size -= done.size
        return True

    def take_back(self) -> None:
        """Undo the deliveries at the end that nobody started on; the position is then before them."""
        while self._window and self._window[-1].state is State.OPEN and not self._window[-1].started:
            undone = self._window.pop()
            undone.state = State.STALE
            self.position = undone.first
            self.records -= undone.records
            self.size -= undone.size

    @property
    def frontier(self) -> int | None:
        """Offset of the first record that is not done; None while the position is not known."""
        return self._window[0].first if self._window else self.position

    @property
    def committable(self) -> int | None:
        """The offset to commit; None when nothing was done since the last `reset`."""
        return None if self.frontier == self._base else self.frontier

    def unfinished(self) -> list[Delivery]:
        """Deliveries that are not acknowledged, oldest first."""
        return [delivery for delivery in self._window if delivery.state is State.OPEN]

    def _advance(self, first: int, after: int) -> None:
        if first != self.position or after < first:
            raise ValueError(f"offsets {first} to {after} do not follow position {self.position}")
        self.position = after
