"""The span of time that a query searches, and the parts of it that a page is looked for in, newest first."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from pipeline.core.query.document import EventFilters

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD: Final = timedelta(days=2)
"""No event is later than a day after its arrival; the other day is for clocks that differ."""
_SHARES: Final = (64, 8)


class Span(NamedTuple):
    """From `since` to `until` (both inclusive), in microseconds since the epoch."""

    since: int
    until: int


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch of a zone-aware time."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def searched(filters: EventFilters, now: datetime, lookback_days: int) -> Span:
    """What a query searches: its own span of time, but never further back than the look-back window."""
    since, until = microseconds(now - timedelta(days=lookback_days)), microseconds(now + _AHEAD)
    if filters.start_time is not None:
        since = max(since, microseconds(filters.start_time))
    if filters.end_time is not None:
        until = min(until, microseconds(filters.end_time))
    return Span(since, until)


def newest_first(span: Span, now: datetime) -> Iterator[Span]:
    """Parts of a span, newest first: a 64th of what lies before now, then up to an eighth, then the rest.

    A page that is found in the newest part costs no more than that part; one for which everything has to be read
    costs little more than that.
    """
    newest, until = min(span.until, microseconds(now)), span.until
    for share in _SHARES:
        since = newest - (newest - span.since) // share
        if span.since < since <= until:
            yield Span(since, until)
            until = since - 1
    if span.since <= until:
        yield Span(span.since, until)
