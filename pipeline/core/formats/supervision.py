"""Rows of supervision's JSONSink: one flat object a detection, corners in pixels, missing values as empty strings.

Source: roboflow/supervision, supervision/detection/tools/json_sink.py.
"""

from typing import Any

from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.build import (
    UNCLASSIFIED,
    Found,
    classified,
    corners,
    label,
    located,
    predictions,
    source,
    without_none,
)
from pipeline.core.formats.node import Node

_COLUMNS = (
    "x_min",
    "y_min",
    "x_max",
    "y_max",
    "class_id",
    "confidence",
    "tracker_id",
    "class_name",
    "detection_id",
)
_FRAME_COUNTERS = ("frame_index", "frame_number", "frame_id")
"""Names under which users keep the number of the frame; the sink itself has none."""


def _recognises(value: Any) -> bool:
    row = value[0] if isinstance(value, list) and value else value
    return isinstance(row, dict) and "x_min" in row and "y_max" in row


def _to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    root = Node(value)
    rows = [_without_blanks(row) for row in (root.items() if isinstance(value, list) else (root,))]
    return without_none(
        source=source(frame_id=_frame_id(rows)),
        custom_metadata=_common_metadata(rows),
        result=predictions(_object(row, context) for row in rows),
    )


def _without_blanks(row: Node) -> Node:
    return Node({k: v for k, v in row.as_object().value.items() if v != ""}, row.key, row.parent)


def _frame_id(rows: list[Node]) -> str | None:
    for counter in _FRAME_COUNTERS:
        frames = {row.identifier(counter) for row in rows}
        if len(frames) > 1:
            raise rows[0].error(f"rows of {len(frames)} frames; publish one record for each frame", counter)
        if frames and frames != {None}:
            return frames.pop()
    return None


def _common_metadata(rows: list[Node]) -> dict[str, Any]:
    """What all rows agree on is about the frame; the rest has no place in the canonical form."""
    common, *others = [row.metadata(*_COLUMNS, *_FRAME_COUNTERS) for row in rows] or [{}]
    return {key: value for key, value in common.items() if all(row.get(key) == value for row in others)}


def _object(row: Node, context: FormatContext) -> Found:
    base = classified(
        label(row, "class_name", "class_id", context, UNCLASSIFIED),
        row.confidence("confidence"),
        class_id=row.integer("class_id"),
        tracker_id=row.identifier("tracker_id"),
        detection_id=row.identifier("detection_id"),
    )
    edges = (row.number(key) for key in ("x_min", "y_min", "x_max", "y_max"))
    return located(base, corners(row, *edges))


SUPERVISION = Format("supervision", _recognises, _to_canonical)
