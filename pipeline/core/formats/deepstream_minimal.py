"""NVIDIA DeepStream, minimal JSON schema (`payload-type` 1): one message for each frame, objects as strings.

    trackingId|left|top|right|bottom|class[|#|attribute...][|confidence][|#|pose2D|name,x,y,confidence|...][|#|...]

Source: NVIDIA/DeepStream, src/utils/nvmsgconv/deepstream_schema/{eventmsg_payload,dsmeta_payload}.cpp.
Attributes have no names and go with objects, so they have no place in the canonical form.
"""

import math
from collections.abc import Iterator
from typing import Any

from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.build import (
    Annotation,
    Found,
    Points,
    classified,
    corners,
    keypoint,
    largest,
    located,
    pairs,
    predictions,
    source,
    without_none,
)
from pipeline.core.formats.deepstream_full import without_negative
from pipeline.core.formats.node import LARGEST, Node

_POSES = {"pose2D", "pose25D", "pose3D"}
_SECTIONS = _POSES | {"embedding", "SV3DT"}


def _recognises(value: Any) -> bool:
    if not (isinstance(value, dict) and value.get("version") == "4.0" and isinstance(value.get("objects"), list)):
        return False
    objects = value["objects"]
    return not objects or (isinstance(objects[0], str) and "|" in objects[0])


def _to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    message = Node(value).as_object()
    outlines = dict(_outlines(message))
    return without_none(
        timestamp=message.time("@timestamp"),
        source=source(device_id=message.identifier("sensorId"), frame_id=message.identifier("id")),
        result=predictions(_object(item, outlines) for item in message.child("objects").items()),
    )


def _fields(item: Node, count: int) -> list[str]:
    if not isinstance(item.value, str):
        raise item.error("is not a string of fields separated by |")
    fields = item.value.split("|")
    if len(fields) < count:
        raise item.error(f"has {len(fields)} fields separated by |; at least {count} are needed")
    return fields


def _number(text: str, item: Node) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) <= LARGEST:
        raise item.error(f"{text[:40]!r} is not a number of pixels")
    return number


def _object(item: Node, outlines: dict[str, Points]) -> Found:
    tracker_id, *edges, class_name = _fields(item, 6)[:6]
    confidence: float | None = None
    pose: list[Annotation] = []
    for section in "|".join(_fields(item, 6)[6:]).split("|#|"):
        name, *rest = section.removeprefix("#|").split("|")
        if name in _POSES:
            pose = [_keypoint(point, item) for point in rest if point]
        elif name not in _SECTIONS and confidence is None:
            confidence = _confidence(section)
    base = classified(class_name, confidence, tracker_id=tracker_id or None)
    box = corners(item, *(_number(edge, item) for edge in edges))
    return located(base, box, outlines.get(tracker_id), pose)


def _confidence(section: str) -> float | None:
    """The last field of the attributes, where it is a number within 0..1."""
    try:
        confidence = float(section.rpartition("|")[2])
    except ValueError:
        return None
    return without_negative(confidence) if confidence <= 1 else None


def _keypoint(text: str, item: Node) -> Annotation:
    name, *numbers = text.split(",")
    if len(numbers) < 3:
        raise item.error(f"{text[:40]!r} is not name,x,y,confidence")
    x, y, *_, confidence = (_number(number, item) for number in numbers)
    return keypoint(name, x, y, without_negative(confidence))


def _outlines(message: Node) -> Iterator[tuple[str, Points]]:
    """Track id and largest outline of each mask: `trackingId|count|x|y|...|#|x|y|...`."""
    if message.get("masks") is None:
        return
    for mask in message.child("masks").items():
        tracker_id, _, *rest = _fields(mask, 2)
        parts = "|".join(rest).split("|#|")
        polygons = (pairs([_number(n, mask) for n in part.split("|") if n not in ("", "#")]) for part in parts)
        yield tracker_id, largest(polygons)


DEEPSTREAM_MINIMAL = Format("deepstream_minimal", _recognises, _to_canonical)
