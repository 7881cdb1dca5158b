"""When the condition of a window holds: a function of the entries alone, whatever order they came in.

An entry counts from its time on, for the length of the window: `t` lies in the windows that end in [t, t + within).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import pairwise
from operator import attrgetter
from typing import Final

from schemas.rule import AlertRule

FOREVER: Final = 1 << 62
STEPS: Final = 60
"""A ratio keeps what is settled by the 60th part of its window."""


@dataclass(slots=True)
class Entry:
    """Events of one group: `time` in ms, `id` of the event ("" when several were summed up), how many and hits."""

    time: int
    id: str
    hits: int = 1
    total: int = 1
    value: str = ""

    def as_list(self) -> list[int | str]:
        """As it is kept in a table."""
        return [self.time, self.id, self.hits, self.total, self.value]


def span_ms(rule: AlertRule) -> int:
    """How long an entry matters."""
    return 1000 * (rule.window.within if rule.window is not None else rule.absence or 0)


def is_monotone(rule: AlertRule) -> bool:
    """Whether more events can only make the condition hold longer: it may then be told before all have come."""
    return rule.window is not None and rule.window.ratio is None


def true_spans(rule: AlertRule, entries: Sequence[Entry], start: int, since: int | None) -> list[tuple[int, int]]:
    """The spans [from, to) from `start` on in which the condition holds, given entries in order of time.

    `since` is the beginning of a span that goes on at `start`, None when the condition did not hold just before.
    A silence that has no end yet goes on for ever.
    """
    if rule.absence is not None:
        return _silences(entries, rule.absence * 1000)
    if since is None and _too_few(rule, entries):
        return []
    spans: list[tuple[int, int]] = []
    began = since
    for moment, holds in _changes(rule, entries, start):
        if holds and began is None:
            began = moment
        elif not holds and began is not None:
            if moment > began:
                spans.append((began, moment))
            began = None
    if began is not None:
        spans.append((began, FOREVER))
    return spans


def _too_few(rule: AlertRule, entries: Sequence[Entry]) -> bool:
    """Whether all entries together are too few for the condition: true of most groups, and told at once."""
    window = rule.window
    if window is None or window.ratio is not None:
        return False
    if window.distinct is not None:
        return len(entries) < window.distinct
    return sum(entry.hits for entry in entries) < (window.count or 0)


def _changes(rule: AlertRule, entries: Sequence[Entry], start: int) -> list[tuple[int, bool]]:
    """For each moment at which something enters or leaves the window, whether the condition holds from then on."""
    window = rule.window
    assert window is not None
    span = window.within * 1000
    moments = sorted(
        [(entry.time, 1, entry) for entry in entries] + [(entry.time + span, -1, entry) for entry in entries],
        key=lambda item: item[0],
    )
    hits = total = 0
    values: dict[str, int] = {}
    changes: list[tuple[int, bool]] = []
    index = 0
    while index < len(moments):
        moment = moments[index][0]
        while index < len(moments) and moments[index][0] == moment:
            _, sign, entry = moments[index]
            index += 1
            hits += sign * entry.hits
            total += sign * entry.total
            if window.distinct is not None:
                values[entry.value] = values.get(entry.value, 0) + sign
                if not values[entry.value]:
                    del values[entry.value]
        if window.count is not None:
            holds = hits >= window.count
        elif window.distinct is not None:
            holds = len(values) >= window.distinct
        else:
            holds = total >= window.min_events and hits >= (window.ratio or 0) * total
        if moment <= start and changes and changes[-1][0] == start:
            changes[-1] = (start, holds)
        else:
            changes.append((max(moment, start), holds))
    return changes


def _silences(entries: Sequence[Entry], silence: int) -> list[tuple[int, int]]:
    spans = [
        (before.time + silence, entry.time) for before, entry in pairwise(entries) if before.time + silence < entry.time
    ]
    return [*spans, (entries[-1].time + silence, FOREVER)] if entries else []


def prune(rule: AlertRule, entries: list[Entry], settled: int) -> list[Entry]:
    """The entries that still matter for moments from `settled` on. What came before is final."""
    if rule.absence is not None:
        return _from_last_before(entries, settled)
    window = rule.window
    assert window is not None
    span = window.within * 1000
    final = [entry for entry in entries if settled - span < entry.time <= settled]
    open_ = [entry for entry in entries if entry.time > settled]
    if window.count is not None:
        final = final[-window.count :]
    elif window.distinct is not None:
        newest = {entry.value: entry for entry in final}
        final = sorted(nlargest(window.distinct, newest.values(), attrgetter("time")), key=attrgetter("time"))
    else:
        final = _summed(final, max(1, span // STEPS))
    return final + open_


def _from_last_before(entries: list[Entry], settled: int) -> list[Entry]:
    return entries[max(0, bisect_right(entries, settled, key=attrgetter("time")) - 1) :]


def _summed(entries: list[Entry], step: int) -> list[Entry]:
    summed: list[Entry] = []
    for entry in entries:
        if summed and summed[-1].time // step == entry.time // step:
            last = summed[-1]
            summed[-1] = Entry(entry.time, "", last.hits + entry.hits, last.total + entry.total)
        else:
            summed.append(entry)
    return summed
