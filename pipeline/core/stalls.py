"""Notices partitions that make no progress although records wait. Pure: who calls it brings the time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """Where a partition stands: the first offset that is not done, and the end of what can be read."""

    done: int
    end: int


class Stall(NamedTuple):
    """A partition in which nothing was done for some seconds while records waited."""

    partition: str
    waiting: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.partition}: {self.waiting:,} records wait, nothing done for {self.seconds:.0f} s"


@dataclass(slots=True)
class _Seen:
    done: int
    since: float


class StallWatch:
    """Remembers since when each partition stands still. Being at the end is no standing still."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._seen: dict[str, _Seen] = {}

    def look(self, now: float, places: Mapping[str, Place]) -> list[Stall]:
        """The partitions that have stood still for the time given, longest first. `now` is monotonic, in seconds."""
        seen: dict[str, _Seen] = {}
        for name, place in places.items():
            before = self._seen.get(name)
            moved = before is None or before.done != place.done or place.done >= place.end
            seen[name] = _Seen(place.done, now) if moved or before is None else before
        self._seen = seen
        stalls = [
            Stall(name, place.end - place.done, now - seen[name].since)
            for name, place in places.items()
            if now - seen[name].since >= self._after_s
        ]
        return sorted(stalls, key=lambda stall: -stall.seconds)
