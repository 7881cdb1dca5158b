"""What a fault is."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.arena import Arena


@dataclass(frozen=True, slots=True)
class Fault:
    """A name, and what is done to the system while the load goes on. `short`: also part of `make test`."""

    name: str
    inject: Callable[[Arena], None]
    short: bool = False
    needs_disks: bool = False
    """File systems of the services' own, which take the right to mount."""
    ground: str = "one broker"
    """Which of tests/faults/grounds.py it needs."""

    @property
    def description(self) -> str:
        """The first line of the function's documentation."""
        return (self.inject.__doc__ or "").strip().splitlines()[0]
