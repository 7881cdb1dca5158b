"""An event as a producer makes it: plain values, canonical predictions or a supervision object, images as bytes."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from pybase64 import b64encode
from pydantic import ValidationError

from pipeline.client.detections import Detections, predictions_of
from pipeline.core.explain import explain
from pipeline.core.outgoing import Defaults, OutgoingEvent, outgoing
from schemas.annotations import Predictions
from schemas.event_data import EventType
from schemas.raw_inference import RawInferenceResult

MetadataValue = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image of an event: its `content`, or the `image_id` or `uri` (s3://) of one that is stored already.

    An `original` and an `output` image of the same `label` belong together.
    """

    content: bytes | None = None
    image_id: str | None = None
    uri: str | None = None
    label: str | None = None
    role: Literal["original", "output"] = "output"
    metadata: Mapping[str, MetadataValue] | None = None

    @classmethod
    def of_file(cls, path: str | Path, **options: Any) -> Self:
        """The image in a file, which is read now. Raises OSError."""
        return cls(content=Path(path).read_bytes(), **options)

    def document(self) -> dict[str, Any]:
        """The image as in a record."""
        given: dict[str, Any] = {
            "data": b64encode(self.content).decode() if self.content is not None else None,
            "image_id": self.image_id,
            "uri": self.uri,
            "label": self.label,
            "metadata": dict(self.metadata) if self.metadata else None,
        }
        return {"role": self.role} | {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One processed image. Fields are those of docs/raw-inference.md; what is left out is filled in by the pipeline.

    `predictions` are canonical (four lists of annotations) or a `supervision.Detections`. `event_id` is made here, so
    that however often the event is sent it is stored once. `timestamp` is when the image was taken, by default now.
    """

    use_case_id: str | None = None
    event_type: EventType | None = None
    predictions: Predictions | Detections | None = None
    images: Sequence[Image] = ()
    device_id: str | None = None
    stream_id: str | None = None
    workflow_id: str | None = None
    factory_id: str | None = None
    frame_id: str | int | None = None
    frame_size: tuple[int, int] | None = None
    custom_metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    event_data: Mapping[str, MetadataValue] | None = None
    display_image_position: int | None = None
    comment: str | None = None
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def outgoing(self) -> OutgoingEvent:
        """The event as it is sent. Raises InvalidRecordError that names the field, before anything is sent."""
        document = self._document()
        try:
            raw = RawInferenceResult.model_validate(document)
        except ValidationError as error:
            raise explain(error, document) from None
        return outgoing(raw, self.event_id, Defaults(self.timestamp))

    def _document(self) -> dict[str, Any]:
        names = ("device_id", "stream_id", "workflow_id", "factory_id", "frame_id")
        source = {name: value for name in names if (value := getattr(self, name)) is not None}
        given = {
            "event_id": self.event_id,
            "use_case_id": self.use_case_id,
            "event_type": self.event_type,
            "timestamp": self.timestamp,
            "source": source or None,
            "image": {"width": self.frame_size[0], "height": self.frame_size[1]} if self.frame_size else None,
            "images": [image.document() for image in self.images] or None,
            "display_image_position": self.display_image_position,
            "custom_metadata": dict(self.custom_metadata) or None,
            "event_data": dict(self.event_data) if self.event_data else None,
            "comment": self.comment,
            "result": predictions_of(self.predictions) if self.predictions is not None else None,
        }
        return {name: value for name, value in given.items() if value is not None}
