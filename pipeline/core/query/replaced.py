"""Which rows are in force where an event id came again with another timestamp or use case.

ClickHouse replaces rows of one key by itself; the sweep hides the others within a minute (pipeline/edges/sweep.py).
A page does not wait for that. What the sweep has not seen yet was inserted after its last start, so it is enough to
look at rows inserted since: at those that could replace an event of the page. For an event that was itself inserted
since, that is everything inserted since the time in its version, for no row is stored before its record arrived.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

Row = TypeVar("Row", bound=Mapping[str, Any])

_MARGIN_MS: Final = 60_000
"""A row is stamped a little before its insert is committed, and the clocks of broker and server may differ."""


class Rank(NamedTuple):
    """The order of rows of one event id under different keys, as in the sweep: the highest is in force."""

    version: int
    is_live: bool
    inserted_ms: int
    timestamp: str
    use_case_id: str


def rank(row: Mapping[str, Any]) -> Rank:
    """The rank of a stored row."""
    return Rank(row["version"], not row.get("is_deleted"), row["inserted_ms"], row["timestamp"], row["use_case_id"])


def look_since(rows: Iterable[Mapping[str, Any]], swept_ms: int) -> int:
    """From which time of insertion on (milliseconds) rows can replace one of these that no sweep has hidden yet.

    `swept_ms` is the start of the last sweep, 0 when there was none.
    """
    unswept = swept_ms - _MARGIN_MS
    arrivals = [int(row["version"]) >> 20 for row in rows if row["inserted_ms"] >= unswept]
    return max(0, min([unswept, *(arrival - _MARGIN_MS for arrival in arrivals)]))


def in_force(rows: Sequence[Row], others: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Those of the rows that no other row of the same id replaces or deletes.

    Either may have been read a little earlier than the other: a row that was replaced in place meanwhile, under its own
    key, is still the event's place.
    """
    by_id = defaultdict(list)
    for other in others:
        by_id[other["event_id"]].append(other)
    return [row for row in rows if not any(_replaces(other, row) for other in by_id[row["event_id"]])]


def _replaces(other: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return rank(other) > rank(row) and (bool(other["is_deleted"]) or _place(other) != _place(row))


def _place(row: Mapping[str, Any]) -> tuple[Any, Any]:
    return row["use_case_id"], row["timestamp"]
