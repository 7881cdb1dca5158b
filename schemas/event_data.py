"""The type-specific part of a vision event (`event_data`), one shape for each of the five event types."""

from typing import Annotated, Literal, NotRequired

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, with_config
from typing_extensions import TypedDict

from schemas.common import Confidence, ExternalId, Identifier, Integer, MetadataValue

EventType = Literal["quality_check", "inventory_count", "safety_alert", "custom", "operator_feedback"]
Severity = Literal["low", "medium", "high"]
Text = Annotated[str, StringConstraints(max_length=1000)]

_CONFIG = ConfigDict(extra="forbid")


@with_config(_CONFIG)
class QualityCheck(TypedDict):
    """A part passed or failed inspection."""

    result: Literal["pass", "fail"]
    confidence: NotRequired[Confidence | None]
    external_id: NotRequired[ExternalId]


@with_config(_CONFIG)
class InventoryCount(TypedDict, total=False):
    """How many items of a type were seen at a location."""

    location: Text
    item_count: Annotated[Integer, Field(ge=0)]
    item_type: Text
    external_id: ExternalId


@with_config(_CONFIG)
class SafetyAlert(TypedDict):
    """A safety rule was broken."""

    alert_type: Identifier
    severity: Severity
    description: NotRequired[Text]
    external_id: NotRequired[ExternalId]


@with_config(_CONFIG)
class Custom(TypedDict):
    """Any single value."""

    value: MetadataValue
    external_id: NotRequired[ExternalId]


@with_config(_CONFIG)
class OperatorFeedback(TypedDict):
    """What a person said of an earlier event."""

    related_event_id: Identifier
    feedback: Literal["correct", "incorrect", "inconclusive"]


EventData = QualityCheck | InventoryCount | SafetyAlert | Custom | OperatorFeedback

EVENT_DATA: dict[str, TypeAdapter[EventData]] = {
    "quality_check": TypeAdapter(QualityCheck),
    "inventory_count": TypeAdapter(InventoryCount),
    "safety_alert": TypeAdapter(SafetyAlert),
    "custom": TypeAdapter(Custom),
    "operator_feedback": TypeAdapter(OperatorFeedback),
}
"""The validator of `event_data` for each event type."""
