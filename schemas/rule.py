"""Alert rules: part of the use case document. What is looked for in one event, over which window, and who is told.

Durations are whole seconds, or text with a unit: `30s`, `10m`, `2h`, `1d`.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic.json_schema import WithJsonSchema

from schemas.common import ClassName, Confidence, Document, MetadataKey, MetadataValue
from schemas.event_data import EventType, Severity

MAX_COUNT = 10_000
"""Largest number that a window may ask for: the state of a group grows with it."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(value: object) -> object:
    if isinstance(value, str) and (matched := re.fullmatch(r"(\d{1,9})\s*([smhd])", value.strip())):
        return int(matched[1]) * _UNITS[matched[2]]
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(
            f"{value!r} is not a duration: whole seconds, or a number with s, m, h or d such as 90s or 10m"
        )
    return value


_DURATION_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\d{1,9}\s*[smhd]$"}]}
Duration = Annotated[int, Field(ge=0, le=31 * 86400), BeforeValidator(_seconds), WithJsonSchema(_DURATION_SCHEMA)]
LongDuration = Annotated[int, Field(ge=1, le=31 * 86400), BeforeValidator(_seconds), WithJsonSchema(_DURATION_SCHEMA)]

RuleName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
LabelName = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
"""A label's name as Prometheus and Alertmanager take it."""

_SOURCE = ("device_id", "stream_id", "workflow_id", "factory_id")
_FIELD = rf"({'|'.join(_SOURCE)}|event_type|(custom_metadata|event_data)\.[a-zA-Z0-9_ -]+)"
EventField = Annotated[str, StringConstraints(max_length=200, pattern=rf"^{_FIELD}$")]
"""A field of the event: `device_id`, `stream_id`, `workflow_id`, `factory_id`, `event_type`, or a key of
`custom_metadata` or `event_data`."""

_PLACEHOLDER = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_OWN_PLACEHOLDERS = ("rule", "use_case_id", "severity", "value", "event_id", "classes")
Template = Annotated[str, StringConstraints(max_length=2000)]

RESERVED_LABELS = frozenset({"alertname", "use_case", "workspace", "severity"})


class Zone(Document):
    """A polygon on the frame. `units`: pixels, or fractions (0..1) of the frame's width and height.

    `anchor` is the point of a box that has to lie inside: its centre, or the middle of its lower edge (the feet).
    """

    points: Annotated[tuple[tuple[float, float], ...], Field(min_length=3, max_length=1000)]
    units: Literal["pixels", "fraction"] = "pixels"
    anchor: Literal["center", "bottom"] = "center"

    @model_validator(mode="after")
    def _fractions_are_fractions(self) -> Self:
        if self.units == "fraction" and any(not 0 <= part <= 1 for point in self.points for part in point):
            raise ValueError("points in units of a fraction must lie within 0..1")
        return self


class SeenClass(Document):
    """A class seen with at least `min_confidence`, at least `min_count` times; in `zone`, where one is given.

    An annotation without a confidence counts as certain.
    """

    class_: Annotated[ClassName, Field(alias="class")]
    min_confidence: Confidence = 0.0
    min_count: Annotated[int, Field(ge=1, le=1000)] = 1
    zone: Zone | None = None


class EventCondition(Document):
    """What one event must be like. All that is given must hold; of `any_of` one entry.

    `metadata` and `event_data` map a key to the value, or the list of values, that it must have.
    """

    event_type: EventType | None = None
    result: Literal["pass", "fail"] | None = None
    feedback: Literal["correct", "incorrect", "inconclusive"] | None = None
    device_ids: Annotated[tuple[str, ...], Field(max_length=1000)] = ()
    metadata: dict[MetadataKey, MetadataValue | tuple[MetadataValue, ...]] = {}
    event_data: dict[MetadataKey, MetadataValue | tuple[MetadataValue, ...]] = {}
    any_of: Annotated[tuple[SeenClass, ...], Field(max_length=100)] = ()


class Window(Document):
    """Over the time `within` up to a moment, one of:

    - `count`: at least so many events match;
    - `ratio`: at least this share of the events that `of` describes match, when there are `min_events` of those;
    - `distinct`: matching events have at least so many different values of `field`.
    """

    within: LongDuration
    count: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None = None
    ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    min_events: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    of: EventCondition | None = None
    distinct: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None = None
    field: EventField | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.count, self.ratio, self.distinct)) != 1:
            raise ValueError("give exactly one of count, ratio and distinct")
        if (self.distinct is None) != (self.field is None):
            raise ValueError("distinct and field go together")
        if self.ratio is None and (self.of is not None or self.min_events != 1):
            raise ValueError("of and min_events belong to ratio")
        return self


class AlertRule(Document):
    """One alert rule of a use case. Times are those of events; `docs/alerts.md` says how they pass.

    The alert of a group fires once its condition held for the whole of `for`, and resolves once the condition did not
    hold for `resolve_after`. After that the group does not fire again before `cooldown` has passed. An event that
    arrives more than `lateness` after its time is stored, and left out here.
    """

    name: RuleName
    description: str = ""
    enabled: bool = True
    when: EventCondition = EventCondition()
    window: Window | None = None
    absence: LongDuration | None = None
    group_by: Annotated[tuple[EventField, ...], Field(max_length=10)] = ()
    for_: Annotated[Duration, Field(alias="for")] = 0
    cooldown: Duration = 0
    resolve_after: Duration = 0
    lateness: Annotated[int, Field(ge=0, le=3600), BeforeValidator(_seconds), WithJsonSchema(_DURATION_SCHEMA)] = 10
    severity: Severity = "medium"
    labels: dict[LabelName, Template] = {}
    annotations: dict[LabelName, Template] = {}
    inhibited_by: tuple[RuleName, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.window is None) == (self.absence is None):
            raise ValueError("give either window or absence")
        if self.absence is not None and (self.for_ or self.resolve_after):
            raise ValueError(
                "absence is a time in itself and ends with the next event: leave out for and resolve_after"
            )
        if self.absence is not None and not self.group_by:
            raise ValueError("absence needs group_by, such as [device_id]: whose silence is looked for")
        labels = [label_of(path) for path in self.group_by]
        if doubled := {label for label in labels if labels.count(label) > 1 or label in RESERVED_LABELS}:
            raise ValueError(f"group_by: the label {sorted(doubled)[0]} is taken already")
        if taken := (RESERVED_LABELS | set(labels)) & set(self.labels):
            raise ValueError(f"labels: {sorted(taken)[0]} is set by the system or by group_by")
        for name, text in (self.labels | self.annotations).items():
            for path in placeholders(text):
                if path not in _OWN_PLACEHOLDERS and not re.fullmatch(_FIELD, path):
                    raise ValueError(f"the template of {name} has an unknown field {path!r}")
        return self


def placeholders(text: str) -> list[str]:
    """The fields that a template names between {{ and }}."""
    return _PLACEHOLDER.findall(text)


def fill(text: str, values: dict[str, str]) -> str:
    """The template with its fields filled in; a field that the event does not have becomes nothing."""
    return _PLACEHOLDER.sub(lambda matched: values.get(matched[1], ""), text)


def label_of(path: str) -> str:
    """The label under which a field of the event appears: `custom_metadata.line_id` is `line_id`."""
    return re.sub(r"\W", "_", path.rpartition(".")[2])


def check_rules(rules: tuple[AlertRule, ...]) -> None:
    """Names are unique, and inhibition is between rules of the same grouping. Raises ValueError naming the rule."""
    by_name = {rule.name: rule for rule in rules}
    if len(by_name) != len(rules):
        raise ValueError("alerts: two rules have the same name")
    for rule in rules:
        for other in rule.inhibited_by:
            if other not in by_name or other == rule.name:
                raise ValueError(f"rule {rule.name!r}, field inhibited_by: no other rule {other!r}")
            if by_name[other].group_by != rule.group_by:
                raise ValueError(f"rule {rule.name!r}, field inhibited_by: {other!r} must have the same group_by")
