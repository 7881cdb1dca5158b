"""AXIS Scene Metadata, one message a frame: version 1 (`com.axis.scene.frame.v1`) and the beta before it.

Source: developer.axis.com, AXIS Scene Metadata, Analytics Data Format (v1.0.1 and 0.1-beta).
Boxes are corners in fractions of the frame. The camera is named by the topic only; `channel_id` counts its sensors.
"""

from typing import Any

from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.build import (
    UNCLASSIFIED,
    Found,
    classified,
    corners,
    located,
    predictions,
    scaled,
    source,
    without_none,
)
from pipeline.core.formats.node import Node


def _recognises_beta(value: Any) -> bool:
    frame = value.get("frame") if isinstance(value, dict) else None
    return isinstance(frame, dict) and "observations" in frame


def _recognises_v1(value: Any) -> bool:
    return isinstance(value, dict) and "channel_id" in value and ("detections" in value or "track_events" in value)


def _beta(value: Any, context: FormatContext) -> dict[str, Any]:
    return _frame(Node(value).as_object().object("frame"), "observations", "track_id", context)


def _v1(value: Any, context: FormatContext) -> dict[str, Any]:
    return _frame(Node(value).as_object(), "detections", "object_track_id", context)


def _frame(message: Node, objects: str, track: str, context: FormatContext) -> dict[str, Any]:
    items = list(message.objects(objects))
    size = context.frame_size(items[0].path) if items else None
    return without_none(
        timestamp=message.time("timestamp"),
        source=source(stream_id=message.identifier("channel_id")),
        image=size,
        result=predictions(_object(item, track, size or {}) for item in items),
    )


def _object(item: Node, track: str, size: dict[str, int]) -> Found:
    """Without a class the object is movement that was not classified."""
    kind, box = item.optional_object("class"), item.object("bounding_box")
    base = classified(kind.text("type") or UNCLASSIFIED, kind.confidence("score"), tracker_id=item.identifier(track))
    edges = (box.number(key) for key in ("left", "top", "right", "bottom"))
    return located(base, corners(box, *scaled(size, *edges)))


AXIS_BETA = Format("axis_beta", _recognises_beta, _beta)
AXIS_V1 = Format("axis_v1", _recognises_v1, _v1)
