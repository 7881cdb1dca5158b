"""What may be asked of stored events: the body of `POST /vision-events/query` and `/count`."""

import math
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from schemas.common import ClassName, Identifier, MetadataKey
from schemas.event_data import EventType
from schemas.use_case import MetadataType, metadata_type

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 1000
"""Most events of one page; a higher limit gives this many."""
MAX_FILTERS: Final = 50
"""Most filters of one kind."""

# No zero byte: not every way to ClickHouse carries one within a parameter.
Value = (
    Annotated[str, StringConstraints(max_length=1000, strict=True, pattern=r"^[^\x00]*$")]
    | Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
)
Operator = Literal["eq", "neq", "gt", "gte", "lt", "lte", "contains"]
_OPERATORS: Final[dict[MetadataType, tuple[str, ...]]] = {
    "string": ("eq", "neq", "gt", "gte", "lt", "lte", "contains"),
    "number": ("eq", "neq", "gt", "gte", "lt", "lte"),
    "boolean": ("eq", "neq"),
}

EventField = Literal[
    "result",
    "confidence",
    "location",
    "itemCount",
    "itemType",
    "alertType",
    "severity",
    "description",
    "value",
    "externalId",
    "relatedEventId",
    "feedback",
]
EVENT_FIELDS: Final[dict[EventField, str]] = {
    "result": "result",
    "confidence": "confidence",
    "location": "location",
    "itemCount": "item_count",
    "itemType": "item_type",
    "alertType": "alert_type",
    "severity": "severity",
    "description": "description",
    "value": "value",
    "externalId": "external_id",
    "relatedEventId": "related_event_id",
    "feedback": "feedback",
}
"""Fields of `eventData` by their names on the wire, as they are stored; those are understood too."""
_CAMEL: Final[dict[str, EventField]] = {stored: wire for wire, stored in EVENT_FIELDS.items()}


def _text_only(value: Any) -> Any:
    # Numbers would be taken for seconds since the epoch; a wrong unit is better refused than searched for.
    if not isinstance(value, str):
        raise ValueError("give an ISO 8601 time as text")
    return value


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _equal_to(value: Any) -> Any:
    return {"value": value} if isinstance(value, str) else value


def _wire_name(name: Any) -> Any:
    return _CAMEL.get(name, name) if isinstance(name, str) else name


Time = Annotated[datetime, BeforeValidator(_text_only), AfterValidator(_in_utc)]
"""ISO 8601; without a zone it is UTC."""


class _Wire(BaseModel):
    """camelCase on the wire. A name that is not known is an error: a filter must not be dropped in silence."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class ContextFilter(_Wire):
    """An event's device, stream, workflow or external id. Events without one match neither operator."""

    operator: Literal["eq", "neq"] = "eq"
    value: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]


class DetectionFilter(_Wire):
    """An annotation of any kind that has this class, and at least this confidence where one is given."""

    operator: Literal["eq"] = "eq"
    value: Annotated[ClassName, StringConstraints(pattern=r"^[^\x00]+$")]
    min_confidence: Annotated[float, Field(ge=0, le=1)] | None = None


class TimeOfDayFilter(_Wire):
    """Events between two times of the clock of a zone, each day; an end before the start is on the next day."""

    start: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    end: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    time_zone: str = "UTC"

    @model_validator(mode="after")
    def _known_zone(self) -> Self:
        if self.time_zone not in available_timezones():
            raise ValueError(f"{self.time_zone!r} is not the name of a time zone")
        return self


class _ValueFilter(_Wire):
    """A typed comparison. It holds only where the field is there with a value of this type."""

    operator: Operator = "eq"
    value: Value
    type: MetadataType | None = None

    @model_validator(mode="after")
    def _value_and_operator_fit_the_type(self) -> Self:
        if self.type is None:
            self.type = metadata_type(self.value)
        self.value = _as_type(self.value, self.type)
        if self.operator not in _OPERATORS[self.type]:
            raise ValueError(f"operator {self.operator} does not compare a {self.type}: {_OPERATORS[self.type]}")
        return self


class MetadataFilter(_ValueFilter):
    """A comparison of one key of the metadata."""

    field: MetadataKey


class EventFieldFilter(_ValueFilter):
    """A comparison of one field of `eventData`."""

    column: Annotated[EventField, BeforeValidator(_wire_name)]


Context = Annotated[ContextFilter, BeforeValidator(_equal_to)]
MetadataFilters = Annotated[list[MetadataFilter], Field(max_length=MAX_FILTERS)]


class EventFilters(_Wire):
    """Which events are meant: all filters that are given must hold. Times are inclusive.

    Several `imageMetadataFilters` hold together for one image of the event. `feedbackStatus` is what the latest
    operator feedback of the use case says of the event; `none` means that there is no feedback.
    """

    use_case_id: Identifier
    start_time: Time | None = None
    end_time: Time | None = None
    event_type: EventType | None = None
    event_types: Annotated[list[EventType], Field(max_length=20)] | None = None
    time_of_day: TimeOfDayFilter | None = None
    factory_id: Context | None = None
    device_id: Context | None = None
    stream_id: Context | None = None
    workflow_id: Context | None = None
    external_id: Context | None = None
    detection_class: Annotated[DetectionFilter, BeforeValidator(_equal_to)] | None = None
    feedback_status: Literal["correct", "incorrect", "inconclusive", "none"] | None = None
    warnings_only: bool = False
    custom_metadata_filters: MetadataFilters = []
    image_metadata_filters: MetadataFilters = []
    event_field_filters: Annotated[list[EventFieldFilter], Field(max_length=MAX_FILTERS)] = []

    @model_validator(mode="after")
    def _start_before_end(self) -> Self:
        if self.start_time and self.end_time and self.start_time > self.end_time:
            raise ValueError("startTime is after endTime")
        return self


class EventQuery(EventFilters):
    """A page of events, newest first. `cursor` is the `nextCursor` of the page before it."""

    limit: Annotated[int, Field(ge=1)] = DEFAULT_LIMIT
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None


def _as_type(value: Any, wanted: MetadataType) -> Any:
    """The value as this type. Clients with text fields send numbers and truth values as text."""
    given = metadata_type(value)
    if given == wanted:
        return value
    if given == "string" and wanted == "boolean" and value in ("true", "false"):
        return value == "true"
    if given == "string" and wanted == "number":
        return _number(value)
    raise ValueError(f"{value!r} is not a {wanted}")


def _number(text: str) -> int | float:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    raise ValueError(f"{text!r} is not a number")
