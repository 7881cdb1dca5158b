"""The vision event: what a raw inference result becomes, as published to `vision.events` and as stored.

One shape serves both: the JSON of this model is the value of the Kafka record and, unchanged, the row that ClickHouse
parses (`schemas/clickhouse`). Annotations of all images lie in flat lists; their `image` is the position in `images`.
"""

from typing import Annotated, NotRequired

from pydantic import AwareDatetime, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from schemas.annotations import Classification, InstanceSegmentation, Keypoints, ObjectDetection
from schemas.common import ClassName, Confidence, Document, Identifier, Metadata
from schemas.event_data import EventData, EventType


@with_config(ConfigDict(extra="forbid"))
class StoredImage(TypedDict):
    """One view of an event: the output image shown and the original, each named by the SHA-256 of its content.

    Widths and heights are pixels; sizes are bytes. Fields of an image that is absent or unknown are absent.
    """

    label: NotRequired[str]
    metadata: NotRequired[Metadata]
    source_id: NotRequired[str]
    content_type: NotRequired[str]
    size: NotRequired[int]
    width: NotRequired[int]
    height: NotRequired[int]
    input_source_id: NotRequired[str]
    input_content_type: NotRequired[str]
    input_size: NotRequired[int]
    input_width: NotRequired[int]
    input_height: NotRequired[int]


@with_config(ConfigDict(extra="forbid"))
class Warning(TypedDict):
    """Something about a stored event that its producer should look at. `field` is a dotted path."""

    code: str
    field: str
    message: str


class VisionEvent(Document):
    """A timestamped record of one processed image.

    `version` orders events of the same id: the highest is the current one. `topic`, `partition` and `offset` name the
    Kafka record that the event was made from. `class_counts` counts detections, segmentations and keypoint objects.
    """

    workspace_id: Identifier
    use_case_id: Identifier
    event_id: Identifier
    event_type: EventType
    timestamp: AwareDatetime
    factory_id: str = ""
    device_id: str = ""
    stream_id: str = ""
    workflow_id: str = ""
    frame_id: str = ""
    frame_width: Annotated[int, Field(ge=0)] = 0
    frame_height: Annotated[int, Field(ge=0)] = 0
    images: list[StoredImage] = []
    display_image_position: Annotated[int, Field(ge=0)] = 0
    object_detections: list[ObjectDetection] = []
    classifications: list[Classification] = []
    instance_segmentations: list[InstanceSegmentation] = []
    keypoints: list[Keypoints] = []
    class_counts: dict[ClassName, int] = {}
    max_confidence: Confidence | None = None
    custom_metadata: Metadata = {}
    event_data: EventData | dict[str, object] = {}
    comment: str = ""
    warnings: list[Warning] = []
    retention_days: Annotated[int, Field(ge=1)]
    topic: str
    partition: int
    offset: int
    version: int
