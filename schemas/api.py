"""The event of the HTTP API as clients write it: camelCase, annotations within their image, data by event type.

Clients are held to this before the pipeline reads their event (`pipeline/core/formats/vision_event.py` maps the names),
so that an error names the field as the client wrote it. The limits are those of the pipeline's own types.
"""

from typing import Annotated, Literal, NotRequired

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, with_config
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from schemas.common import (
    MAX_ANNOTATIONS,
    MAX_IMAGES,
    ClassName,
    Confidence,
    ExternalId,
    Identifier,
    Integer,
    Length,
    Metadata,
    MetadataValue,
    Number,
)
from schemas.event_data import Severity, Text
from schemas.raw_inference import FrameSize

_CAMEL = ConfigDict(extra="forbid", alias_generator=to_camel)
# Class names and track ids are often numbers: they are taken as text, as on the topic.
_ANNOTATION = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

_Classified = TypedDict("_Classified", {"class": ClassName, "confidence": Confidence | None})


@with_config(_ANNOTATION)
class ApiClassification(_Classified):
    """A class of the whole image; `confidence` is within 0..1."""

    class_id: NotRequired[Integer | None]
    tracker_id: NotRequired[Identifier | None]
    detection_id: NotRequired[Identifier | None]


@with_config(_ANNOTATION)
class ApiObjectDetection(ApiClassification):
    """A class within a box: centre `x`, `y`, `width`, `height`, in pixels."""

    x: Number
    y: Number
    width: Length
    height: Length


@with_config(_ANNOTATION)
class ApiInstanceSegmentation(ApiObjectDetection):
    """A box and the outline within it, [[x, y], ...]."""

    points: Annotated[list[tuple[Number, Number]], Field(min_length=3, max_length=10_000)]


@with_config(_ANNOTATION)
class ApiKeypoint(TypedDict):
    """One named point, in pixels."""

    id: Identifier
    x: Number
    y: Number
    confidence: NotRequired[Confidence | None]


@with_config(_ANNOTATION)
class ApiKeypoints(ApiObjectDetection):
    """A box and the keypoints of the object within it; workflow blocks leave the list out where they saw none."""

    keypoints: NotRequired[Annotated[list[ApiKeypoint], Field(max_length=MAX_ANNOTATIONS)]]


@with_config(_CAMEL)
class ApiImage(TypedDict, total=False):
    """An image of an event: `sourceId` is shown, `inputSourceId` the original, both as answered by the upload call."""

    source_id: Identifier | None
    input_source_id: Identifier | None
    label: Identifier | None
    metadata: Metadata | None
    object_detections: Annotated[list[ApiObjectDetection], Field(max_length=MAX_ANNOTATIONS)] | None
    classifications: Annotated[list[ApiClassification], Field(max_length=MAX_ANNOTATIONS)] | None
    instance_segmentations: Annotated[list[ApiInstanceSegmentation], Field(max_length=MAX_ANNOTATIONS)] | None
    keypoints: Annotated[list[ApiKeypoints], Field(max_length=MAX_ANNOTATIONS)] | None


@with_config(_CAMEL)
class ApiQualityCheck(TypedDict):
    """A part passed or failed inspection."""

    result: Literal["pass", "fail"]
    confidence: NotRequired[Confidence | None]
    external_id: NotRequired[ExternalId]


@with_config(_CAMEL)
class ApiInventoryCount(TypedDict, total=False):
    """How many items of a type were seen at a location."""

    location: Text
    item_count: Annotated[Integer, Field(ge=0)]
    item_type: Text
    external_id: ExternalId


@with_config(_CAMEL)
class ApiSafetyAlert(TypedDict):
    """A safety rule was broken."""

    alert_type: Identifier
    severity: Severity
    description: NotRequired[Text]
    external_id: NotRequired[ExternalId]


@with_config(_CAMEL)
class ApiCustom(TypedDict):
    """Any single value."""

    value: MetadataValue
    external_id: NotRequired[ExternalId]


@with_config(_CAMEL)
class ApiOperatorFeedback(TypedDict):
    """What a person said of an earlier event."""

    related_event_id: Identifier
    feedback: Literal["correct", "incorrect", "inconclusive"]


class _Event(BaseModel):
    model_config = _CAMEL | ConfigDict(frozen=True)

    event_id: Identifier
    use_case_id: Identifier
    timestamp: Annotated[AwareDatetime, Field(strict=True)]
    device_id: Identifier | None = None
    stream_id: Identifier | None = None
    workflow_id: Identifier | None = None
    # Beyond the contract: what else a record says of its source, for clients that send here instead of to Kafka.
    factory_id: Identifier | None = None
    frame_id: Identifier | None = None
    frame: FrameSize | None = None
    images: Annotated[list[ApiImage], Field(max_length=MAX_IMAGES // 2)] | None = None
    display_image_position: Annotated[int, Field(strict=True, ge=0, lt=MAX_IMAGES // 2)] | None = None
    custom_metadata: Metadata | None = None
    comment: Annotated[str, StringConstraints(max_length=10_000)] | None = None


class QualityCheckEvent(_Event):
    """An event of type `quality_check`."""

    event_type: Literal["quality_check"]
    event_data: ApiQualityCheck | None = None


class InventoryCountEvent(_Event):
    """An event of type `inventory_count`."""

    event_type: Literal["inventory_count"]
    event_data: ApiInventoryCount | None = None


class SafetyAlertEvent(_Event):
    """An event of type `safety_alert`."""

    event_type: Literal["safety_alert"]
    event_data: ApiSafetyAlert | None = None


class CustomEvent(_Event):
    """An event of type `custom`."""

    event_type: Literal["custom"]
    event_data: ApiCustom | None = None


class OperatorFeedbackEvent(_Event):
    """An event of type `operator_feedback`."""

    event_type: Literal["operator_feedback"]
    event_data: ApiOperatorFeedback | None = None


ApiEvent = Annotated[
    QualityCheckEvent | InventoryCountEvent | SafetyAlertEvent | CustomEvent | OperatorFeedbackEvent,
    Field(discriminator="event_type"),
]
"""One event as it is written; `eventType` says which."""

MAX_BATCH = 100
"""Most events of one batch call."""


class ApiBatch(BaseModel):
    """Events that are accepted all or not at all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    events: Annotated[list[ApiEvent], Field(min_length=1, max_length=MAX_BATCH)]
