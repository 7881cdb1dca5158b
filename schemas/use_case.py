"""The use case document: what events of one purpose look like and how they are completed.

A document is data: it is applied while the system runs, and running workers follow within seconds.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.common import (
    DEFAULT_WORKSPACE,
    MEBIBYTE,
    ClassName,
    Confidence,
    Document,
    Identifier,
    MetadataKey,
    MetadataValue,
)
from schemas.event_data import EventType, Severity, Text
from schemas.rule import AlertRule, check_rules

MetadataType = Literal["string", "number", "boolean"]
ImageType = Literal["image/jpeg", "image/png", "image/webp"]


class MetadataField(Document):
    """One key of the use case's custom metadata."""

    type: MetadataType = "string"
    description: str = ""
    required: bool = False
    enum: tuple[MetadataValue, ...] | None = None
    default: MetadataValue | None = None

    @model_validator(mode="after")
    def _default_and_enum_fit(self) -> Self:
        for value in (*(self.enum or ()), *(() if self.default is None else (self.default,))):
            if metadata_type(value) != self.type:
                raise ValueError(f"{value!r} is not a {self.type}")
        if self.enum is not None and self.default is not None and self.default not in self.enum:
            raise ValueError(f"default {self.default!r} is not among the values of enum")
        return self


class MetadataSchema(Document):
    """The custom metadata of a use case.

    `lenient` stores an event that does not fit, with a warning; `strict` rejects it.
    """

    mode: Literal["lenient", "strict"] = "lenient"
    fields: dict[MetadataKey, MetadataField] = {}


class ClassThreshold(Document):
    """A class seen with at least `min_confidence`, at least `min_count` times in the event."""

    class_: Annotated[ClassName, Field(alias="class")]
    min_confidence: Confidence = 0.0
    min_count: Annotated[int, Field(ge=1)] = 1


class QualityRule(Document):
    """`result` is `fail` when any of `fail_when` holds, else `pass`; its confidence is that of the deciding class."""

    fail_when: Annotated[tuple[ClassThreshold, ...], Field(min_length=1)]


class CountRule(Document):
    """`item_count` is the number of objects of `classes` (absent: of all); `location` is taken from a metadata key."""

    item_type: Text
    classes: tuple[ClassName, ...] | None = None
    min_confidence: Confidence = 0.0
    location_from: MetadataKey | None = None


class SafetyViolation(ClassThreshold):
    """A class that breaks a safety rule, and what is then said of the event."""

    alert_type: Identifier
    severity: Severity
    description: Text = ""


class SafetyRule(Document):
    """The first violation that holds gives the event's data; without one `alert_type` is `none`, severity `low`."""

    violations: Annotated[tuple[SafetyViolation, ...], Field(min_length=1)]


class Enrichment(Document):
    """What the pipeline adds to an event of the use case.

    `device_metadata` names metadata keys taken from the device registry, `shift_field` the key that receives the name
    of the factory's shift at the event's time. A rule computes `event_data` where the producer gives none.
    """

    device_metadata: tuple[MetadataKey, ...] = ()
    shift_field: MetadataKey | None = None
    quality: QualityRule | None = None
    count: CountRule | None = None
    safety: SafetyRule | None = None


class ImagePolicy(Document):
    """Which images of an event are accepted and kept. Sizes are bytes of the encoded image and pixels of the frame."""

    required: bool = False
    keep: Literal["all", "output", "original", "none"] = "all"
    max_bytes: Annotated[int, Field(ge=1, le=64 * MEBIBYTE)] = 8 * MEBIBYTE
    max_pixels: Annotated[int, Field(ge=1, le=1_000_000_000)] = 50_000_000
    types: tuple[ImageType, ...] = ("image/jpeg", "image/png", "image/webp")


_RULE_OF_TYPE = {"quality": "quality_check", "count": "inventory_count", "safety": "safety_alert"}


class UseCase(Document):
    """Events of one purpose and one metadata structure."""

    id: Identifier
    name: Annotated[str, Field(min_length=1, max_length=256)]
    description: str = ""
    workspace_id: Identifier = DEFAULT_WORKSPACE
    status: Literal["active", "inactive"] = "active"
    event_type: EventType = "custom"
    metadata: MetadataSchema = MetadataSchema()
    enrichment: Enrichment = Enrichment()
    images: ImagePolicy = ImagePolicy()
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 14
    alerts: Annotated[tuple[AlertRule, ...], Field(max_length=1000)] = ()

    @model_validator(mode="after")
    def _rules_fit_the_event_type(self) -> Self:
        for rule, event_type in _RULE_OF_TYPE.items():
            if getattr(self.enrichment, rule) is not None and self.event_type != event_type:
                raise ValueError(f"enrichment.{rule} computes {event_type} events, but event_type is {self.event_type}")
        check_rules(self.alerts)
        return self


_METADATA_TYPES: dict[type, MetadataType] = {str: "string", bool: "boolean", int: "number", float: "number"}


def metadata_type(value: MetadataValue) -> MetadataType:
    """The metadata type of a value; a boolean is not a number."""
    return _METADATA_TYPES[type(value)]
