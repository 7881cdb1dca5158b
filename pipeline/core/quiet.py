"""When the silence of a device is unusual."""

from collections.abc import Sequence
from typing import Final

_TIMES: Final = 10
_AT_LEAST_S: Final = 300.0


def unusual_silence_s(hours: Sequence[int]) -> float | None:
    """How many seconds without an event are unusual for a device with so many events in each hour; None: with none.

    Ten times its usual distance between events in the hours in which it has any, and five minutes at least.
    """
    busy = [events for events in hours if events]
    return max(_AT_LEAST_S, _TIMES * 3600 * len(busy) / sum(busy)) if busy else None
