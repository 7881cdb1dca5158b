"""ONVIF scene descriptions as JSON over MQTT (Profile M, topic `onvif-mj`).

Source: ONVIF Analytics Service Specification, "Scene Description" and "JSON over MQTT". Coordinates run from -1 to 1 in
both directions with y pointing up, after a transformation: normalised = scale * given + translation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.build import (
    UNCLASSIFIED,
    Found,
    classified,
    corners,
    located,
    predictions,
    source,
    without_none,
    zoned,
)
from pipeline.core.formats.node import Node


@dataclass(frozen=True, slots=True)
class _Transformation:
    """From coordinates of the message to pixels."""

    scale_x: float
    scale_y: float
    shift_x: float
    shift_y: float

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        return self.scale_x * x + self.shift_x, self.scale_y * y + self.shift_y

    def after(self, node: Node) -> "_Transformation":
        """First the transformation that `node` holds, if any, then this one."""
        scale, shift = node.optional_object("Scale"), node.optional_object("Translate")
        x, y = self(*(shift.optional_number(axis) or 0.0 for axis in ("@x", "@y")))
        scale_x, scale_y = (
            number if (number := scale.optional_number(axis)) is not None else 1.0 for axis in ("@x", "@y")
        )
        return _Transformation(self.scale_x * scale_x, self.scale_y * scale_y, x, y)


def _recognises(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    frames = value.get("Frame")
    first = frames[0] if isinstance(frames, list) and frames else frames
    return isinstance(first, dict) and "@UtcTime" in first


def _to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    root = Node(value).as_object()
    frames = list(root.one_or_many("Frame"))
    if len(frames) != 1:
        raise root.error(f"holds {len(frames)} frames; publish one record for each", "Frame")
    items = list(frames[0].one_or_many("Object"))
    size = context.frame_size(items[0].path) if items else None
    found = _found(frames[0], items, size or {"width": 0, "height": 0})
    return without_none(
        timestamp=_utc(frames[0].text("@UtcTime")),
        source=source(workflow_id=frames[0].identifier("@Source")),
        image=size,
        result=predictions(found),
    )


def _found(frame: Node, items: list[Node], size: dict[str, int]) -> Iterator[Found]:
    half_width, half_height = size["width"] / 2, size["height"] / 2
    to_pixels = _Transformation(half_width, -half_height, half_width, half_height)
    transformation = to_pixels.after(frame.optional_object("Transformation"))
    for item in items:
        appearance = item.optional_object("Appearance")
        # An object without a shape is known to be there, but was not seen in this frame.
        if appearance.optional_object("Shape").value:
            yield _object(item, appearance, transformation)


def _utc(text: str | None) -> str | None:
    """The time is UTC by definition, also where it is written without a zone, as the specification's example is."""
    return zoned(text) or (f"{text}Z" if text else None)


def _object(item: Node, appearance: Node, transformation: _Transformation) -> Found:
    shape = appearance.object("Shape")
    inner = transformation.after(appearance.optional_object("Transformation"))
    box = shape.object("BoundingBox")
    left, top = inner(box.number("@left"), box.number("@top"))
    right, bottom = inner(box.number("@right"), box.number("@bottom"))
    points = [
        list(inner(p.number("@x"), p.number("@y"))) for p in shape.optional_object("Polygon").one_or_many("Point")
    ]
    name, likelihood = _class(appearance)
    base = classified(name, likelihood, tracker_id=item.identifier("@ObjectId"))
    return located(base, corners(box, left, top, right, bottom), points)


def _class(appearance: Node) -> tuple[str, float | None]:
    """The likeliest of the classes that the object may have."""
    types = appearance.optional_object("Class").one_or_many("Type")
    named = [(entry.text("#text") or UNCLASSIFIED, entry.confidence("@Likelihood")) for entry in types]
    return max(named, key=lambda entry: entry[1] or 0.0, default=(UNCLASSIFIED, None))


ONVIF = Format("onvif", _recognises, _to_canonical)
