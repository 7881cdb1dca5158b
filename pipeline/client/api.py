"""From the canonical form to an event of the HTTP API. Names and places differ; nothing is left out."""

from typing import Any, Final

from pipeline.errors import RefusedError

_TOP: Final = {
    "event_id": "eventId",
    "event_type": "eventType",
    "use_case_id": "useCaseId",
    "timestamp": "timestamp",
    "custom_metadata": "customMetadata",
    "comment": "comment",
}
_SOURCE: Final = {
    "device_id": "deviceId",
    "stream_id": "streamId",
    "workflow_id": "workflowId",
    "factory_id": "factoryId",
    "frame_id": "frameId",
}
_EVENT_DATA: Final = {
    "external_id": "externalId",
    "item_count": "itemCount",
    "item_type": "itemType",
    "alert_type": "alertType",
    "related_event_id": "relatedEventId",
}
_ANNOTATIONS: Final = {
    "object_detections": "objectDetections",
    "classifications": "classifications",
    "instance_segmentations": "instanceSegmentations",
    "keypoints": "keypoints",
}
_REQUIRED: Final = ("event_type", "use_case_id", "timestamp")


def api_event(document: dict[str, Any]) -> dict[str, Any]:
    """The body of `POST /vision-events`. Images must be referred to by `image_id`, none inline.

    Raises RefusedError for what the HTTP API has no place for.
    """
    for name in _REQUIRED:
        if not document.get(name):
            raise RefusedError(f"{name}: the HTTP API requires it")
    event = _renamed(document, _TOP) | _renamed(document.get("source") or {}, _SOURCE)
    if document.get("image"):
        event["frame"] = document["image"]
    if document.get("event_data"):
        event["eventData"] = {_EVENT_DATA.get(name, name): value for name, value in document["event_data"].items()}
    images = _images(document.get("images", ()), document.get("result") or {})
    if images:
        event["images"] = images
    if document.get("display_image_position") is not None:
        event["displayImagePosition"] = document["display_image_position"]
    return event


def _renamed(fields: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {new: fields[old] for old, new in names.items() if fields.get(old) is not None}


def _images(images: Any, result: dict[str, Any]) -> list[dict[str, Any]]:
    """One image of the API is a view: its output image, its original and its annotations."""
    views: dict[Any, dict[str, Any]] = {}
    for number, image in enumerate(images):
        if image.get("uri"):
            raise RefusedError(f"images.{number}.uri: the HTTP API takes no s3 references")
        label = image.get("label")
        view = views.setdefault(image["view"] if image.get("view") is not None else f"label {label}", {})
        if label:
            view["label"] = label
        if image.get("image_id"):
            view["inputSourceId" if image.get("role") == "original" else "sourceId"] = image["image_id"]
        if image.get("metadata"):
            view["metadata"] = view.get("metadata", {}) | image["metadata"]
        _annotate(view, image.get("result") or {})
    if any(result.values()):
        if not views:
            views[None] = {}
        _annotate(next(iter(views.values())), result)
    return list(views.values())


def _annotate(view: dict[str, Any], result: dict[str, Any]) -> None:
    for kind, annotations in result.items():
        if annotations:
            view[_ANNOTATIONS[kind]] = [*view.get(_ANNOTATIONS[kind], ()), *annotations]
