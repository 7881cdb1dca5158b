"""When so many recent records fail for one new reason that it is wiser to stop than to reject on.

A bad deployment or a broken upstream would otherwise drain a topic into the rejects. Pure counting, once a flush.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

WINDOW: Final = 1_000
"""The share is that of so many recent records, or of one flush where that is larger."""
LEAST: Final = 200
"""Fewer records than this are not judged: the first few of a new camera may all be wrong."""

STORED: Final = ""
"""Stands for "stored" among the reasons."""


class Excess(NamedTuple):
    """Too many: `rejected` of the last `records` have this reason."""

    reason: str
    rejected: int
    records: int


class RejectLimit:
    """Counts what becomes of records; `share` is the part (0 to 1) that may have one reason, 0 for no limit.

    `recent` is what became of the records before, by reason, so that a restart is no way around the limit. `usual` are
    reasons that are expected, or had this share already.
    """

    def __init__(self, share: float, recent: Mapping[str, int] | None = None, usual: Iterable[str] = ()) -> None:
        self._share = share
        self._usual = frozenset(usual)
        self._flushes: deque[Counter[str]] = deque()
        self._total: Counter[str] = Counter()
        self._add(Counter(recent or {}))

    def judge(self, stored: int, reasons: Mapping[str, int]) -> Excess | None:
        """Take note of one flush; what is too much of a reason in it, else None."""
        flush = Counter({STORED: stored, **reasons})
        self._add(flush)
        records = self._total.total()
        if not self._share or records < LEAST:
            return None
        least = self._share * flush.total()
        for reason, number in reasons.items():
            # Rare in this flush: a flood there was, let through on purpose, is over.
            if reason not in self._usual and number >= least and self._total[reason] >= self._share * records:
                return Excess(reason, self._total[reason], records)
        return None

    def _add(self, flush: Counter[str]) -> None:
        self._flushes.append(flush)
        self._total += flush
        while self._flushes and self._total.total() - (oldest := self._flushes[0]).total() >= WINDOW:
            self._total -= oldest
            self._flushes.popleft()
