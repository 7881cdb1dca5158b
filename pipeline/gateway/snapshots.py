"""Looking once more before something unknown is refused: it may have been made a moment ago."""

import asyncio
import time
from collections.abc import Callable


class Snapshot:
    """Reads a snapshot anew on demand, at most once an interval, whoever asks."""

    def __init__(self, refresh: Callable[[], object], interval_s: float) -> None:
        self._refresh = refresh
        self._interval_s = interval_s
        self._began = float("-inf")
        self._lock = asyncio.Lock()

    async def renew(self) -> None:
        """Return after a read that began later than this call. Raises what the read raises.

        Calls that come together share one read. The wait is at most the interval: it also slows down whoever guesses.
        """
        asked = time.monotonic()
        async with self._lock:
            if self._began >= asked:
                return
            await asyncio.sleep(self._began + self._interval_s - time.monotonic())
            self._began = time.monotonic()
            await asyncio.to_thread(self._refresh)
