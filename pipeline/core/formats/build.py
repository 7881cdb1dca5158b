"""Parts of the canonical form that the adapters put together.

An annotation is a plain dictionary as in schemas.annotations; `Found` names the list that it belongs into.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.core.formats.base import FormatContext, FormatError
from pipeline.core.formats.node import Node
from schemas.annotations import ANNOTATION_KINDS
from schemas.common import MAX_ANNOTATIONS

Annotation = dict[str, Any]
Found = tuple[str, Annotation]
Box = tuple[float, float, float, float]
"""Centre x, centre y, width, height in pixels."""
Points = list[list[float]]

UNCLASSIFIED = "unclassified"
"""The class of an object to which its producer gives none: a tracker's moving object, for example."""

_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$")
_UNTRACKED = {"18446744073709551615", "-1"}
"""Track ids that mean "none": NVIDIA's UNTRACKED_OBJECT_ID, unsigned and signed."""


def corners(node: Node, left: float, top: float, right: float, bottom: float) -> Box:
    """The centre-based box between two corners. Raises FormatError at `node` where they are the wrong way round."""
    if right < left or bottom < top:
        raise node.error("the box ends left of or above where it begins")
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


def scaled(size: Mapping[str, int], *fractions: float) -> list[float]:
    """Fractions x, y, x, y ... of a frame's width and height in pixels."""
    return [fraction * size["height" if i % 2 else "width"] for i, fraction in enumerate(fractions)]


def top_left(left: float, top: float, width: float, height: float) -> Box:
    """The centre-based box of one given by its top left corner."""
    return left + width / 2, top + height / 2, width, height


def around(points: Points) -> Box:
    """The upright box around points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return top_left(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def label(node: Node, name_key: str, index_key: str, context: FormatContext, default: str | None = None) -> str:
    """The class of `node`: its name, else the registry's name of its index, else `default`, else a FormatError."""
    name = node.identifier(name_key)
    if name is not None:
        return name
    index = node.integer(index_key)
    if index is not None:
        return context.class_name(index)
    if default is None:
        raise node.error(f"is missing, and so is {index_key}; the class is needed", name_key)
    return default


def classified(class_name: str, confidence: float | None, **ids: int | str | None) -> Annotation:
    """The part that all annotations share; `ids` are class_id, tracker_id and detection_id where known."""
    annotation: Annotation = {"class": class_name, "confidence": confidence}
    for key, value in ids.items():
        if value is not None and not (key == "tracker_id" and value in _UNTRACKED):
            annotation[key] = value
    return annotation


def located(
    base: Annotation, box: Box, points: Points | None = None, keypoints: list[Annotation] | None = None
) -> Found:
    """An object of the most precise kind that is known of it: outline before keypoints before box.

    An object is one annotation only, so that counts of objects are right.
    """
    base["x"], base["y"], base["width"], base["height"] = box
    if points and len(points) >= 3:
        base["points"] = points
        return "instance_segmentations", base
    if keypoints:
        base["keypoints"] = keypoints
        return "keypoints", base
    return "object_detections", base


def keypoint(name: str, x: float, y: float, confidence: float | None) -> Annotation:
    """One named point in pixels."""
    return {"id": name, "x": x, "y": y, "confidence": confidence}


def pairs(numbers: list[float]) -> Points:
    """The points of a flat list x, y, x, y; an odd number at the end is no point."""
    return [[x, y] for x, y in zip(numbers[::2], numbers[1::2], strict=False)]


def largest(polygons: Iterable[Points]) -> Points:
    """The polygon with the largest area (shoelace formula), [] without any."""
    return max(polygons, key=_area, default=[])


def _area(points: Points) -> float:
    return abs(math.fsum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1], strict=True))) / 2


def zoned(text: str | None) -> str | None:
    """A time that states its zone, else None: local time without a zone says nothing about when it was."""
    return text if text and _ZONE.search(text) else None


def predictions(found: Iterable[Found]) -> dict[str, list[Annotation]]:
    """The canonical `result`. Raises FormatError beyond the most annotations that one image may have."""
    result: dict[str, list[Annotation]] = {}
    for count, (kind, annotation) in enumerate(found):
        # Checked while converting, lest an absurd record keep the pipeline from all others.
        if count >= MAX_ANNOTATIONS * len(ANNOTATION_KINDS):
            raise FormatError(f"has too many annotations; {MAX_ANNOTATIONS} of each kind are the most for one image")
        result.setdefault(kind, []).append(annotation)
    return result


def without_none(**fields: Any) -> dict[str, Any]:
    """The fields that have a value. Empty objects and lists count as none, `result` excepted: nothing was seen."""
    return {key: value for key, value in fields.items() if key == "result" or value not in (None, {}, [])}


def source(**ids: str | None) -> dict[str, str]:
    """The ids of the canonical `source` that are known."""
    return {key: value for key, value in ids.items() if value is not None}


def frame(node: Node) -> dict[str, int] | None:
    """The canonical `image` from an object with `width` and `height`; None where one is null, absent or 0."""
    width, height = node.integer("width"), node.integer("height")
    return {"width": width, "height": height} if width and height else None
