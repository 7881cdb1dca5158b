"""A plain evaluator of alert rules: all events at hand, second by second, in one process. Slow, and easy to believe."""

from dataclasses import dataclass
from typing import Any

from schemas.rule import AlertRule


@dataclass(frozen=True)
class Seen:
    """One event of a group; `time` in whole seconds."""

    time: int
    id: str
    hit: bool = True
    value: str = ""


def holds_at(rule: AlertRule, events: list[Seen], moment: int) -> bool:
    if rule.absence is not None:
        before = [event.time for event in events if event.time <= moment]
        return bool(before) and moment - max(before) >= rule.absence
    window: Any = rule.window
    inside = [event for event in events if moment - window.within < event.time <= moment]
    hits = [event for event in inside if event.hit]
    if window.count is not None:
        return len(hits) >= window.count
    if window.distinct is not None:
        return len({event.value for event in hits}) >= window.distinct
    return len(inside) >= window.min_events and len(hits) >= window.ratio * len(inside)


def timeline(rule: AlertRule, events: list[Seen], end: int) -> list[tuple[str, int]]:
    """Every transition up to and including second `end`. Times are whole, so nothing changes between two seconds."""
    found: list[tuple[str, int]] = []
    unique = list({event.id: event for event in reversed(events)}.values())
    begun: int | None = None
    ended: int | None = None
    firing, quiet_until = False, 0
    for moment in range(end + 1):
        holds = holds_at(rule, unique, moment)
        if holds and begun is None:
            begun = moment
        elif not holds and begun is not None:
            begun, ended = None, moment
        if firing and ended is not None and moment >= ended + rule.resolve_after:
            found.append(("resolved", moment))
            firing, quiet_until = False, moment + rule.cooldown
        if holds:
            ended = None
        if not firing and begun is not None and moment >= max(begun + rule.for_, quiet_until):
            found.append(("firing", moment))
            firing = True
            ended = None
    return found
