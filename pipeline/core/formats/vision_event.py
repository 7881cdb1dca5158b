"""An event of the Vision Events HTTP API, and one of its local edge call `/v2/events`.

Source: the API's public contract; roboflow/inference, .../sinks/roboflow/vision_events/v1.py (edge call).
Annotations have the canonical fields already; what differs are names and that images hold them. Beyond the contract,
the edge call takes ids (a resend with the same one replaces), and an event says of its source and frame all that a
record can.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.build import without_none
from pipeline.core.formats.node import Node

_SOURCE = {
    "deviceId": "device_id",
    "streamId": "stream_id",
    "workflowId": "workflow_id",
    "factoryId": "factory_id",
    "frameId": "frame_id",
}
_EVENT = {
    "eventId": "event_id",
    "eventType": "event_type",
    "useCaseId": "use_case_id",
    "timestamp": "timestamp",
    "displayImagePosition": "display_image_position",
    "customMetadata": "custom_metadata",
    "comment": "comment",
    "frame": "image",
}
_EDGE_SOURCE = {"device_id": "device_id", "stream_id": "stream_id", "workflow_id": "workflow_id"}
_EDGE_EVENT = {
    "event_id": "event_id",
    "event_schema": "event_type",
    "solution": "use_case_id",
    "inference_timestamp": "timestamp",
    "displayImagePosition": "display_image_position",
    "custom_metadata": "custom_metadata",
}
_EVENT_DATA = {
    "externalId": "external_id",
    "itemCount": "item_count",
    "itemType": "item_type",
    "alertType": "alert_type",
    "relatedEventId": "related_event_id",
}
_ANNOTATIONS = {
    "objectDetections": "object_detections",
    "classifications": "classifications",
    "instanceSegmentations": "instance_segmentations",
    "keypoints": "keypoints",
}
_OUTPUT = {"sourceId": "image_id", "base64Image": "data"}
_ORIGINAL = {"inputSourceId": "image_id", "inputBase64Image": "data"}
_METADATA = {"metadata": "metadata"}

_EVENT_FIELDS = frozenset((*_EVENT, *_SOURCE, "eventData", "images"))
_EDGE_EVENT_FIELDS = frozenset((*_EDGE_EVENT, *_EDGE_SOURCE, "event_data", "images"))
_IMAGE_FIELDS = frozenset((*_OUTPUT, *_ORIGINAL, *_METADATA, "label", *_ANNOTATIONS))


def _recognises(value: Any) -> bool:
    return isinstance(value, dict) and "eventType" in value and "useCaseId" in value


def _recognises_edge(value: Any) -> bool:
    return isinstance(value, dict) and "event_schema" in value and "inference_timestamp" in value


def _to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    event = Node(value).as_object()
    _refuse_others(event, _EVENT_FIELDS)
    return _renamed(event, _EVENT) | without_none(
        source=_renamed(event, _SOURCE), images=_images(event), event_data=_event_data(event, "eventData")
    )


def _edge_to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    event = Node(value).as_object()
    _refuse_others(event, _EDGE_EVENT_FIELDS)
    return _renamed(event, _EDGE_EVENT) | without_none(
        source=_renamed(event, _EDGE_SOURCE), images=_images(event), event_data=_event_data(event, "event_data")
    )


def _refuse_others(node: Node, known: frozenset[str]) -> None:
    if unknown := node.value.keys() - known:
        raise node.error("unknown field", next(key for key in node.value if key in unknown))


def _renamed(node: Node, names: Mapping[str, str]) -> dict[str, Any]:
    """The fields that are there and not null under their canonical names."""
    fields = node.value
    return {new: value for old, new in names.items() if (value := fields.get(old)) is not None}


def _event_data(event: Node, key: str) -> dict[str, Any]:
    return {_EVENT_DATA.get(name, name): value for name, value in event.optional_object(key).value.items()}


def _images(event: Node) -> list[dict[str, Any]]:
    return [image for view, node in enumerate(event.objects("images")) for image in _view(node, view)]


def _view(node: Node, view: int) -> Iterator[dict[str, Any]]:
    """One image of the API is a view: its output image, its original, or neither of both."""
    _refuse_others(node, _IMAGE_FIELDS)
    common = {"view": view} | without_none(label=node.text("label"))
    said = _renamed(node, _METADATA) | {"result": _annotations(node)}
    output, original = _renamed(node, _OUTPUT), _renamed(node, _ORIGINAL)
    if output or not original:
        yield common | output | said
        said = {}
    if original:
        yield common | {"role": "original"} | original | said


def _annotations(node: Node) -> dict[str, Any]:
    annotations = _renamed(node, _ANNOTATIONS)
    if isinstance(annotations.get("keypoints"), list):
        # The workflow block leaves the list out of an object of which it saw no point.
        annotations["keypoints"] = [
            item | {"keypoints": item.get("keypoints", [])} if isinstance(item, dict) else item
            for item in annotations["keypoints"]
        ]
    return annotations


VISION_EVENT = Format("vision_event", _recognises, _to_canonical)
EDGE_EVENT = Format("edge_event", _recognises_edge, _edge_to_canonical)
