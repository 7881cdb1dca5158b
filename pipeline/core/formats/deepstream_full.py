"""NVIDIA DeepStream, full JSON schema (`payload-type` 0): one message for each object.

Source: NVIDIA/DeepStream, src/utils/nvmsgconv/deepstream_schema/{eventmsg_payload,dsmeta_payload}.cpp.
Boxes are pixels of the stream muxer's resolution, which the message does not state.
"""

from collections.abc import Iterator
from typing import Any

from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.build import (
    Annotation,
    Found,
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
from pipeline.core.formats.node import Node

_NOT_A_CLASS = {"bbox", "location", "coordinate", "maskoutline", "signature", "pose", "embedding"}


def _recognises(value: Any) -> bool:
    return isinstance(value, dict) and "mdsversion" in value and "object" in value


def _to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    message = Node(value).as_object()
    sensor, place = message.optional_object("sensor"), message.optional_object("place")
    item = message.object("object")
    class_node = _class_node(item)
    metadata = class_node.metadata("confidence") | {
        "deepstream_event": message.optional_object("event").text("type"),
        "place_id": place.identifier("id"),
        "place_name": place.text("name"),
        "video_path": message.text("videoPath"),
    }
    return without_none(
        event_id=message.identifier("messageid"),
        timestamp=message.time("@timestamp"),
        source=source(device_id=sensor.identifier("id")),
        custom_metadata=without_none(**metadata),
        result=predictions([_object(item, class_node)]),
    )


def _class_node(item: Node) -> Node:
    """The one field of the object that is named after its class."""
    names = [key for key, value in item.value.items() if isinstance(value, dict) and key not in _NOT_A_CLASS]
    if len(names) != 1:
        raise item.error(f"has {len(names)} fields named after a class; one is needed")
    return item.object(names[0])


def _object(item: Node, class_node: Node) -> Found:
    confidence = class_node.confidence("confidence")
    base = classified(str(class_node.key), without_negative(confidence), tracker_id=item.identifier("id"))
    box = item.object("bbox")
    edges = (box.number(key) for key in ("topleftx", "toplefty", "bottomrightx", "bottomrighty"))
    polygons = (pairs(item.child("maskoutline").numbers(part.key)) for part in _parts(item))
    return located(base, corners(box, *edges), largest(polygons), _pose(item))


def without_negative(confidence: float | None) -> float | None:
    """DeepStream writes -0.1 or -1 for an object that the tracker placed and no detector confirmed."""
    return None if confidence is None or confidence < 0 else confidence


def _parts(item: Node) -> Iterator[Node]:
    return item.child("maskoutline").items() if item.get("maskoutline") is not None else iter(())


def _pose(item: Node) -> list[Annotation]:
    pose = item.optional_object("pose")
    joints = [pose.object(name) for name in pose.value]
    return [
        keypoint(str(j.key), j.number("x"), j.number("y"), without_negative(j.confidence("confidence"))) for j in joints
    ]


DEEPSTREAM_FULL = Format("deepstream_full", _recognises, _to_canonical)
