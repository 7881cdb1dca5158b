"""Ultralytics `Results.to_json()`: a list with one entry an object; `class` is the index and `name` the label.

Source: ultralytics/engine/results.py, `Results.summary`.
With `normalize=True` coordinates are fractions of the frame, and nothing in the data says so.
"""

from collections.abc import Iterator
from typing import Any

from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.build import (
    Annotation,
    Found,
    Points,
    around,
    classified,
    corners,
    keypoint,
    label,
    located,
    predictions,
    without_none,
)
from pipeline.core.formats.node import Node

_CORNERS = (("x1", "y1"), ("x2", "y2"), ("x3", "y3"), ("x4", "y4"))
_Size = dict[str, int] | None


def _recognises(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    if not value:
        return True
    item = value[0]
    if not isinstance(item, dict) or "name" not in item:
        return False
    box = item.get("box")
    if isinstance(box, dict):
        return "x1" in box
    return item.keys() in ({"name", "class", "confidence"}, {"name", "class", "pixel_ratio"})


def _to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    items = [item.as_object() for item in Node(value).items()]
    boxes = [item.object("box") for item in items if item.get("box") is not None]
    # No detector gives a frame in which every box lies within the first pixels; corners of an oriented box may
    # stick out of the frame.
    normalised = all(-1 <= number <= 2 for box in boxes for corner in _corners(box) for number in corner)
    size = context.frame_size(boxes[0].path) if boxes and normalised else None
    return without_none(image=size, result=predictions(_found(items, size, context)))


def _corners(box: Node) -> Points:
    return [[box.number(x), box.number(y)] for x, y in _CORNERS if x in box.value or x < "x3"]


def _found(items: list[Node], size: _Size, context: FormatContext) -> Iterator[Found]:
    for item in items:
        if item.get("box") is not None:
            yield _object(item, size, context)
    classes = [item for item in items if item.get("box") is None]
    if all("confidence" in item.value for item in classes):  # a classifier's best five, of which one is meant
        classes = sorted(classes, key=lambda item: -(item.confidence("confidence") or 0))[:1]
    for item in classes:
        yield "classifications", _base(item, context)


def _base(item: Node, context: FormatContext) -> Annotation:
    return classified(
        label(item, "name", "class", context),
        item.confidence("confidence"),
        class_id=item.integer("class"),
        tracker_id=item.identifier("track_id"),
    )


def _object(item: Node, size: _Size, context: FormatContext) -> Found:
    box = item.object("box")
    points = [_scaled(x, y, size) for x, y in _corners(box)]
    if len(points) > 2:  # an oriented box
        return located(_base(item, context), around(points), points)
    edges = (number for point in points for number in point)
    keypoints = _keypoints(item, size)
    return located(_base(item, context), corners(box, *edges), _curve(item, "segments", size), keypoints)


def _scaled(x: float, y: float, size: _Size) -> list[float]:
    return [x * size["width"], y * size["height"]] if size else [x, y]


def _curve(item: Node, key: str, size: _Size) -> Points:
    """Points given as a list of x and one of y."""
    curve = item.optional_object(key)
    xs = curve.numbers("x")
    return [_scaled(x, y, size) for x, y in zip(xs, curve.numbers("y", len(xs)), strict=True)] if xs else []


def _keypoints(item: Node, size: _Size) -> list[Annotation]:
    visible = item.optional_object("keypoints").child("visible")
    points = enumerate(_curve(item, "keypoints", size))
    return [keypoint(str(i), x, y, visible.confidence(i)) for i, (x, y) in points]


ULTRALYTICS = Format("ultralytics", _recognises, _to_canonical)
