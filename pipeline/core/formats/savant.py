"""Savant's JSON metadata: one object a frame. Times in it are positions in the stream.

Source: insight-platform/Savant, savant/api/parser.py and adapters/python/sinks/metadata_json.py.
"""

import math
from typing import Any

from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.build import (
    Found,
    Points,
    around,
    classified,
    frame,
    located,
    predictions,
    source,
    without_none,
)
from pipeline.core.formats.node import Node


def _recognises(value: Any) -> bool:
    if not isinstance(value, dict) or "source_id" not in value:
        return False
    metadata = value.get("metadata")
    return isinstance(metadata, dict) and "objects" in metadata


def _to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    message = Node(value).as_object()
    return without_none(
        source=source(device_id=message.identifier("source_id"), frame_id=message.identifier("frame_num")),
        image=frame(message),
        custom_metadata=message.optional_object("tags").metadata(),
        result=predictions(_object(item) for item in message.object("metadata").objects("objects")),
    )


def _object(item: Node) -> Found:
    base = classified(item.name("label"), item.confidence("confidence"), tracker_id=item.identifier("object_id"))
    box = item.object("bbox")
    x, y, width, height = (box.number(key) for key in ("xc", "yc", "width", "height"))
    angle = box.optional_number("angle")
    if not angle:
        return located(base, (x, y, width, height))
    points = _rotated(x, y, width, height, math.radians(angle))
    return located(base, around(points), points)


def _rotated(x: float, y: float, width: float, height: float, angle: float) -> Points:
    """The corners of a box turned about its centre by `angle` (radians, clockwise in the image)."""
    cos, sin = math.cos(angle), math.sin(angle)
    offsets = [(sx * width / 2, sy * height / 2) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return [[x + dx * cos - dy * sin, y + dx * sin + dy * cos] for dx, dy in offsets]


SAVANT = Format("savant", _recognises, _to_canonical)
