"""Predictions of a model on one image: the four annotation kinds of a vision event.

Coordinates are absolute pixels with the origin at the top left; `x` and `y` are the *centre* of a bounding box.
These are typed dictionaries, not model classes: pydantic checks them all the same, and the checked dictionary is
serialised without a conversion (measured: validate and serialise 5.9 us a record against 9.0 us with classes).
"""

from typing import Annotated

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from schemas.common import MAX_ANNOTATIONS, ClassName, Confidence, Identifier, Integer, Length, Number

# Trackers number their tracks and some models name classes by index: numbers are taken as text there.
_CONFIG = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

# `class` is a keyword, so the fields that every annotation must have are declared in functional form.
_Classified = TypedDict("_Classified", {"class": ClassName, "confidence": Confidence | None})


@with_config(_CONFIG)
class _Tracked(TypedDict, total=False):
    image: Annotated[int, Field(ge=0)]
    class_id: Integer | None
    tracker_id: Identifier | None
    detection_id: Identifier | None


@with_config(_CONFIG)
class Classification(_Classified, _Tracked):
    """A class of the whole image. `confidence` is within 0..1, or null where the producer states none.

    `image` is the position in the event's `images` of the annotated image (absent: 0); the pipeline sets it.
    """


@with_config(_CONFIG)
class ObjectDetection(Classification):
    """A class within a bounding box: centre `x`, `y`, then `width` and `height`, in pixels."""

    x: Number
    y: Number
    width: Length
    height: Length


@with_config(_CONFIG)
class InstanceSegmentation(ObjectDetection):
    """A bounding box and the outline within it: `points` is a closed polygon [[x, y], ...] of three or more."""

    points: Annotated[list[tuple[Number, Number]], Field(min_length=3, max_length=10_000)]


@with_config(_CONFIG)
class _KeypointPosition(TypedDict):
    id: Identifier
    x: Number
    y: Number


@with_config(_CONFIG)
class Keypoint(_KeypointPosition, total=False):
    """One named point, in pixels."""

    confidence: Confidence | None


@with_config(_CONFIG)
class Keypoints(ObjectDetection):
    """A bounding box and the keypoints of the object within it."""

    keypoints: Annotated[list[Keypoint], Field(max_length=MAX_ANNOTATIONS)]


@with_config(ConfigDict(extra="forbid"))
class Predictions(TypedDict, total=False):
    """The canonical `result` of a raw inference record: all that a model said of one image."""

    object_detections: Annotated[list[ObjectDetection], Field(max_length=MAX_ANNOTATIONS)]
    classifications: Annotated[list[Classification], Field(max_length=MAX_ANNOTATIONS)]
    instance_segmentations: Annotated[list[InstanceSegmentation], Field(max_length=MAX_ANNOTATIONS)]
    keypoints: Annotated[list[Keypoints], Field(max_length=MAX_ANNOTATIONS)]


OBJECT_KINDS = ("object_detections", "instance_segmentations", "keypoints")
"""The annotation kinds that have a box."""
ANNOTATION_KINDS = (*OBJECT_KINDS, "classifications")
