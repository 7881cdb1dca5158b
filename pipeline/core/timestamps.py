"""When an event happened: the record's own time, made UTC and held against the clock of the broker."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from pipeline.errors import InvalidRecordError
from schemas.reject import RejectReason

OLDEST = timedelta(days=366)
NEWEST = timedelta(days=1)
SKEW = timedelta(minutes=5)

# Upper bounds of plausible epoch times (the year 5138) in seconds; the units above follow by factors of a thousand.
_SECONDS, _MILLISECONDS, _MICROSECONDS = 1e11, 1e14, 1e17


def from_epoch(value: int | float) -> datetime:
    """Seconds, milliseconds, microseconds or nanoseconds since the epoch, told apart by magnitude, as UTC."""
    if value < _SECONDS:
        seconds, fraction = divmod(value * 1_000_000, 1_000_000)
    elif value < _MILLISECONDS:
        seconds, fraction = divmod(value * 1_000, 1_000_000)
    elif value < _MICROSECONDS:
        seconds, fraction = divmod(value, 1_000_000)
    else:
        seconds, fraction = divmod(value // 1_000, 1_000_000)
    try:
        return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(fraction))
    except (OverflowError, ValueError, OSError):
        raise InvalidRecordError(RejectReason.INVALID_TIMESTAMP, f"{value} is not a time", "timestamp") from None


class Arrival(NamedTuple):
    """When the broker took a record, and the bounds of what is a plausible time of its event."""

    moment: datetime
    oldest: datetime
    skewed: datetime
    newest: datetime


@lru_cache(maxsize=64)
def arrival_at(timestamp_ms: int) -> Arrival:
    """The arrival of records that the broker stamped so: all of one produced batch have the same stamp."""
    moment = datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    return Arrival(moment, moment - OLDEST, moment + SKEW, moment + NEWEST)


def event_time(given: datetime | int | float | None, arrival: Arrival) -> datetime:
    """The time of the event in UTC: the given one, else the broker's.

    Raises InvalidRecordError outside the span from a year before the broker's time to a day after it.
    """
    if given is None:
        return arrival.moment
    try:
        moment = given.astimezone(UTC) if isinstance(given, datetime) else from_epoch(given)
    except OverflowError:  # the year 1 or 9999 with a zone that carries it over the end
        raise InvalidRecordError(RejectReason.INVALID_TIMESTAMP, f"{given} is not a time", "timestamp") from None
    if not arrival.oldest <= moment <= arrival.newest:
        message = f"{moment.isoformat()} is not between a year ago and tomorrow (received {arrival.moment.isoformat()})"
        raise InvalidRecordError(RejectReason.INVALID_TIMESTAMP, message, "timestamp")
    return moment
