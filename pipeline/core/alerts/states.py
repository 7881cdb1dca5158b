"""The state of one group under one rule, and its transitions: pure functions of what was seen and how far time is.

Two times drive it. *Settled* is the time up to which every event has been seen: what is said of it is final, and
events that come for it once more are repetitions. *Seen* is the time of the newest event: a count that is reached is
told at once, since events still on their way could only have reached it earlier. Everything that events on their way
could undo (a ratio, a silence, an end) waits until it is settled.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal

from pipeline.core.alerts.windows import FOREVER, Entry, is_monotone, prune, span_ms, true_spans
from schemas.rule import AlertRule

MAX_OPEN = 2_000
"""Most entries of one group that are not settled: with more, the oldest count as settled, and lateness is shorter."""


@dataclass(frozen=True, slots=True)
class Transition:
    """An alert begins or ends. `since`: when the condition began to hold; `at`: event time in ms of the transition."""

    status: Literal["firing", "resolved"]
    since: int
    fired: int
    at: int
    value: float


@dataclass(slots=True)
class GroupState:
    """What is known of a group. `fired` is the time at which its open alert fired, None without one."""

    revision: str = ""
    settled: int = -1
    entries: list[Entry] = field(default_factory=list)
    since: int | None = None
    """Beginning of the span that goes on at `settled`, None when the condition does not hold there."""
    fired: int | None = None
    began: int = 0
    until: int = 0
    """While an alert is open: the last settled moment at which the condition held."""
    quiet_until: int = 0

    def as_dict(self) -> dict[str, Any]:
        """As it is kept in a table."""
        return {
            "revision": self.revision,
            "settled": self.settled,
            "entries": [entry.as_list() for entry in self.entries],
            "since": self.since,
            "fired": self.fired,
            "began": self.began,
            "until": self.until,
            "quiet_until": self.quiet_until,
        }

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> "GroupState":
        """The state that `as_dict` wrote."""
        entries = [Entry(*parts) for parts in document["entries"]]
        return cls(**{name: document[name] for name in cls.__slots__ if name != "entries"} | {"entries": entries})


def add_all(state: GroupState, entries: Iterable[Entry]) -> int:
    """Take in events and return how many counted.

    One that is not after `settled` was counted before, or is too late to count. An event id that is in the window
    counts once, whatever its time the second time.
    """
    known = {entry.id for entry in state.entries}
    before = len(state.entries)
    for entry in entries:
        if entry.time > state.settled and entry.id not in known:
            known.add(entry.id)
            state.entries.append(entry)
    if len(state.entries) > before:
        state.entries.sort(key=attrgetter("time"))
    return len(state.entries) - before


def advance(rule: AlertRule, state: GroupState, settled: int) -> tuple[GroupState, list[Transition]]:
    """Bring a group up to date: all events up to `settled` have been seen. Returns the new state and what happened."""
    settled = max(settled, state.settled)
    if len(state.entries) > MAX_OPEN and state.entries[-MAX_OPEN].time > settled:
        settled = state.entries[-MAX_OPEN].time
    seen = max(settled, state.entries[-1].time) if state.entries else settled
    eager = seen if is_monotone(rule) else settled
    spans = true_spans(rule, state.entries, state.settled, state.since)
    fired, began, until, quiet = state.fired, state.began, state.until, state.quiet_until
    transitions: list[Transition] = []
    while True:
        if fired is None:
            beginning = _next_fire(rule, spans, quiet)
            if beginning is None or beginning[1] > eager:
                break
            began, fired = beginning
            until = fired
            transitions.append(Transition("firing", began, fired, fired, _value(rule, state.entries, fired)))
        else:
            end = _next_end(rule, spans, until)
            # A silence ends with any event: nothing on its way can undo that.
            if end > (seen if rule.absence is not None else settled):
                break
            transitions.append(Transition("resolved", began, fired, end, _value(rule, state.entries, end)))
            quiet = max(quiet, end + 1000 * rule.cooldown)
            spans = [span for span in spans if span[0] >= end]  # what came before is told
            fired = None
    since = next((a for a, b in spans if a <= settled < b), None)
    if fired is not None:
        until = max([until, *(min(b, settled) for a, b in spans if a <= settled)])
    moved = GroupState(
        revision=state.revision,
        settled=settled,
        entries=prune(rule, state.entries, settled),
        since=since if rule.absence is None else None,
        fired=fired,
        began=began,
        until=until,
        quiet_until=quiet,
    )
    return moved, transitions


def next_due(rule: AlertRule, state: GroupState) -> int:
    """The settled time at which something may happen without another event: a transition, or an end of memory."""
    spans = true_spans(rule, state.entries, state.settled, state.since)
    if state.fired is not None:
        return _next_end(rule, spans, state.until)
    beginning = _next_fire(rule, spans, state.quiet_until)
    if beginning is not None:
        return beginning[1]
    last = state.entries[-1].time + span_ms(rule) if state.entries else state.settled
    return max(last, state.quiet_until)


def is_empty(rule: AlertRule, state: GroupState) -> bool:
    """Whether the state says nothing that a new one would not say."""
    if rule.absence is not None and state.entries:
        return False
    idle = state.fired is None and state.quiet_until <= state.settled
    return idle and all(entry.time + span_ms(rule) <= state.settled for entry in state.entries)


def _next_fire(rule: AlertRule, spans: list[tuple[int, int]], quiet_until: int) -> tuple[int, int] | None:
    """Beginning of the first span that lasts through `for` and beyond the cool-down, and when it then fires."""
    for start, end in spans:
        fires = max(start + 1000 * rule.for_, quiet_until)
        if fires < end:
            return start, fires
    return None


def _next_end(rule: AlertRule, spans: list[tuple[int, int]], until: int) -> int:
    """When the condition, which held at `until`, has then not held for `resolve_after`."""
    patience = 1000 * rule.resolve_after
    for start, stop in spans:
        if start > until and start >= until + patience:
            break
        until = max(until, stop)
    return until if until == FOREVER else until + patience


def _value(rule: AlertRule, entries: list[Entry], at: int) -> float:
    """What the window counts at a moment: events, different values, a share, or seconds of silence."""
    if rule.absence is not None:
        before = [entry.time for entry in entries if entry.time < at]
        return (at - before[-1]) / 1000 if before else 0.0
    within = [entry for entry in entries if at - span_ms(rule) < entry.time <= at]
    window = rule.window
    assert window is not None
    if window.distinct is not None:
        return float(len({entry.value for entry in within}))
    hits = sum(entry.hits for entry in within)
    if window.count is not None:
        return float(hits)
    total = sum(entry.total for entry in within)
    return round(hits / total, 4) if total else 0.0
