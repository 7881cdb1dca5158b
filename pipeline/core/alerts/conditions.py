"""The stateless part of a rule: a condition over one event, compiled once for a snapshot of the registry."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schemas.annotations import ANNOTATION_KINDS, OBJECT_KINDS
from schemas.rule import EventCondition, SeenClass, Zone

Event = Mapping[str, Any]
Predicate = Callable[[Event], bool]


def compile_condition(condition: EventCondition) -> Predicate:
    """A function that says whether an event (as `process` makes it) meets the condition."""
    checks: list[Predicate] = []
    for field in ("result", "feedback"):
        if (wanted := getattr(condition, field)) is not None:
            checks.append(_among("event_data", field, (wanted,)))
    if condition.event_type is not None:
        event_type = condition.event_type
        checks.append(lambda event: event["event_type"] == event_type)
    if condition.device_ids:
        devices = frozenset(condition.device_ids)
        checks.append(lambda event: event.get("device_id") in devices)
    for part in ("metadata", "event_data"):
        for key, value in getattr(condition, part).items():
            holder = "custom_metadata" if part == "metadata" else part
            checks.append(_among(holder, key, value if isinstance(value, tuple) else (value,)))
    if condition.any_of:
        checks.append(_any_seen(condition.any_of))
    if len(checks) == 1:
        return checks[0]
    return lambda event: all(check(event) for check in checks)


def value_at(event: Event, path: str) -> Any:
    """The value of a field of the event such as `custom_metadata.line_id`, None when it is absent."""
    holder, _, key = path.partition(".")
    if not key:
        return event.get(holder)
    inner = event.get(holder)
    return inner.get(key) if isinstance(inner, dict) else None


def text_of(value: Any) -> str:
    """A value as labels and templates show it; nothing where it is absent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def _among(holder: str, key: str, values: Sequence[Any]) -> Predicate:
    # With its kind: in Python True equals 1, for a metadata value it does not.
    wanted = frozenset((isinstance(value, bool), value) for value in values)

    def check(event: Event) -> bool:
        inner = event.get(holder)
        if not inner or key not in inner:
            return False
        value = inner[key]
        return (isinstance(value, bool), value) in wanted

    return check


def _any_seen(wanted: Sequence[SeenClass]) -> Predicate:
    checks = [(seen.class_, _seen(seen)) for seen in wanted]

    def check(event: Event) -> bool:
        for kind in ANNOTATION_KINDS:
            if kind in event:
                break
        else:
            return False
        return any(seen(event, name) for name, seen in checks)

    return check


def _seen(seen: SeenClass) -> Callable[[Event, str], bool]:
    least, count = seen.min_confidence, seen.min_count
    inside = None if seen.zone is None else _inside(seen.zone)
    # A classification has no box, so it lies in no zone.
    kinds = ANNOTATION_KINDS if inside is None else OBJECT_KINDS

    def check(event: Event, name: str) -> bool:
        if inside is None and count == 1 and "classifications" not in event and name not in event["class_counts"]:
            return False
        missing = count
        for kind in kinds:
            for item in event.get(kind, ()):
                if item["class"] != name:
                    continue
                confidence = item["confidence"]
                if (confidence is None or confidence >= least) and (inside is None or inside(event, item)):
                    missing -= 1
                    if not missing:
                        return True
        return False

    return check


def _inside(zone: Zone) -> Callable[[Event, Mapping[str, Any]], bool]:
    points, bottom, fraction = zone.points, zone.anchor == "bottom", zone.units == "fraction"

    def check(event: Event, item: Mapping[str, Any]) -> bool:
        x, y = item["x"], item["y"]
        if bottom:
            y += item["height"] / 2
        if fraction:
            width, height = event.get("frame_width"), event.get("frame_height")
            if not width or not height:
                return False  # a zone in fractions of a frame whose size nobody knows
            x, y = x / width, y / height
        return in_polygon(x, y, points)

    return check


def in_polygon(x: float, y: float, points: Sequence[tuple[float, float]]) -> bool:
    """Whether a point lies inside a closed polygon (even-odd rule); points on its border count as inside."""
    inside = False
    x1, y1 = points[-1]
    for x2, y2 in points:
        if (y1 > y) != (y2 > y):
            cross = (x2 - x1) * (y - y1) / (y2 - y1) + x1
            if cross == x:
                return True
            if x < cross:
                inside = not inside
        elif y1 == y == y2 and min(x1, x2) <= x <= max(x1, x2):
            return True
        if x == x2 and y == y2:
            return True
        x1, y1 = x2, y2
    return inside
