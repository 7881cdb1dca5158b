"""A stored event as clients of the HTTP API read it: camelCase, annotations within their image."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic.alias_generators import to_camel

from schemas.annotations import ANNOTATION_KINDS

Link = Callable[[str], str | None]
"""The link to an image by its id; None for an id that no stored image can have."""

_PLAIN: Final = {
    name: to_camel(name)
    for name in ("factory_id", "device_id", "stream_id", "workflow_id", "frame_id", "custom_metadata", "comment")
}
_IMAGE: Final = {
    name: to_camel(name)
    for prefix in ("", "input_")
    for name in (f"{prefix}source_id", f"{prefix}content_type", f"{prefix}size", f"{prefix}width", f"{prefix}height")
}
_ANNOTATION: Final = {name: to_camel(name) for name in ("class_id", "tracker_id", "detection_id")}
_KINDS: Final = {name: to_camel(name) for name in ANNOTATION_KINDS}


def api_event(row: Mapping[str, Any], link: Link | None = None, metadata: Callable[[str], Any] = str) -> dict[str, Any]:
    """The event of a row of `stored_events` (as JSON). What is empty or unknown is left out.

    `link` gives the address of an image, where there are links; `metadata` reads the JSON text of image metadata.
    """
    event: dict[str, Any] = {
        "eventId": row["event_id"],
        "eventType": row["event_type"],
        "useCaseId": row["use_case_id"],
        "timestamp": row["timestamp"],
        "eventData": {to_camel(name): value for name, value in row["event_data"].items()},
    }
    event |= {wire: value for name, wire in _PLAIN.items() if (value := row[name])}
    if row["frame_width"]:
        event["frameSize"] = {"width": row["frame_width"], "height": row["frame_height"]}
    if images := _images(row, link, metadata):
        event["images"] = images
        event["displayImagePosition"] = row["display_image_position"]
    if row["warnings"]:
        event["warnings"] = row["warnings"]
    return event


def _images(row: Mapping[str, Any], link: Link | None, metadata: Callable[[str], Any]) -> list[dict[str, Any]]:
    images = [_image(image, link, metadata) for image in row["images"]]
    for kind, wire in _KINDS.items():
        for annotation in row[kind]:
            position = annotation["image"]
            # An event without pictures has annotations all the same: of an image that nobody kept.
            images += [{} for _ in range(position + 1 - len(images))]
            images[position].setdefault(wire, []).append(_annotation(annotation))
    return images


def _image(stored: Mapping[str, Any], link: Link | None, metadata: Callable[[str], Any]) -> dict[str, Any]:
    image = {wire: value for name, wire in _IMAGE.items() if (value := stored[name])}
    if stored["label"]:
        image["label"] = stored["label"]
    if stored["metadata"]:
        image["metadata"] = metadata(stored["metadata"])
    if link is not None:
        for name, address in (("sourceId", "url"), ("inputSourceId", "inputUrl")):
            if name in image and (found := link(image[name])):
                image[address] = found
    return image


def _annotation(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {
        _ANNOTATION.get(name, name): [_annotation(point) for point in value] if name == "keypoints" else value
        for name, value in stored.items()
        if value is not None and name != "image"
    }
