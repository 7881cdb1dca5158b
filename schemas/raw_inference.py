"""The raw inference result: one Kafka record of the topic `vision.inferences`, in canonical form.

Records of other known formats are brought into this form first (`pipeline/core/formats`), so that everything after
decoding deals with one shape.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, model_validator, with_config
from typing_extensions import TypedDict

from schemas.annotations import Predictions
from schemas.common import MAX_IMAGES, Document, Identifier, Metadata, Pixels
from schemas.event_data import EventType

Base64 = Annotated[str, StringConstraints(min_length=1)]
S3Uri = Annotated[str, StringConstraints(max_length=1024, pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+$")]
EpochTime = (
    Annotated[int, Field(strict=True, ge=0, lt=2**63)]
    | Annotated[float, Field(strict=True, ge=0, lt=2**63, allow_inf_nan=False)]
)


@with_config(ConfigDict(extra="forbid", coerce_numbers_to_str=True))
class Source(TypedDict, total=False):
    """Where an image came from. Numbers are taken as text: frame counters and camera indexes are common."""

    device_id: Identifier | None
    stream_id: Identifier | None
    workflow_id: Identifier | None
    factory_id: Identifier | None
    frame_id: Identifier | None


@with_config(ConfigDict(extra="forbid"))
class FrameSize(TypedDict):
    """Width and height in pixels of the frame that the coordinates refer to."""

    width: Pixels
    height: Pixels


class RawImage(Document):
    """One image of a record: inline (`data`), already uploaded (`image_id`) or already in S3 (`uri`).

    An `original` and an `output` image of the same `view` (by default: of the same label) become one image of the
    event. `result` holds the annotations of this view where a record has several views.
    """

    label: Identifier | None = None
    role: Literal["original", "output"] = "output"
    data: Base64 | None = None
    image_id: Identifier | None = None
    uri: S3Uri | None = None
    metadata: Metadata | None = None
    view: Annotated[int, Field(ge=0, lt=MAX_IMAGES)] | None = None
    result: Predictions | None = None

    @model_validator(mode="after")
    def _exactly_one_reference(self) -> Self:
        given = sum(value is not None for value in (self.data, self.image_id, self.uri))
        if given > 1 or (given == 0 and self.result is None):
            raise ValueError("give exactly one of data, image_id and uri")
        return self


class RawInferenceResult(Document):
    """One processed image (or one frame seen by several views) as a producer publishes it.

    `timestamp` is ISO 8601 with a zone, or seconds, milliseconds, microseconds or nanoseconds since the epoch.
    What is absent is filled in by the pipeline: see the field table in docs/raw-inference.md.
    """

    event_id: Identifier | None = None
    use_case_id: Identifier | None = None
    event_type: EventType | None = None
    timestamp: Annotated[AwareDatetime, Field(strict=True)] | EpochTime | None = None
    source: Source | None = None
    image: FrameSize | None = None
    # Factories: a plain default would be copied deeply for each record.
    images: Annotated[list[RawImage], Field(max_length=MAX_IMAGES, default_factory=list)]
    display_image_position: Annotated[int, Field(ge=0, lt=MAX_IMAGES)] | None = None
    custom_metadata: Annotated[Metadata, Field(default_factory=dict)]
    event_data: dict[str, Any] | None = None
    comment: Annotated[str, StringConstraints(max_length=10_000)] | None = None
    format: Identifier | None = None
    result: Annotated[Predictions, Field(default_factory=Predictions)]


ENVELOPE_FIELDS = frozenset(RawInferenceResult.model_fields)
"""Names that a record's top level may have: what else it has makes it a bare result of some other format."""
