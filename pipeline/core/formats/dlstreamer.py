"""Intel DL Streamer: frames of `gvametaconvert`, bare or wrapped by DL Streamer Pipeline Server.

Pipeline Server publishes `{"metadata": frame, "blob": base64}` or `[frame, base64]`, and adds the frame's number, the
time, the pipeline's name and, where it stored the image, `S3_meta`.
Sources: open-edge-platform/dlstreamer, gvametaconvert/{jsonconverter,convert_tensor}.cpp and gvawatermark (keypoints);
open-edge-platform/edge-ai-libraries, microservices/dlstreamer-pipeline-server/docs.
"""

import re
from collections.abc import Iterator
from typing import Any

from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.build import (
    UNCLASSIFIED,
    Annotation,
    Box,
    Found,
    classified,
    corners,
    frame,
    keypoint,
    label,
    located,
    predictions,
    scaled,
    source,
    top_left,
    without_none,
)
from pipeline.core.formats.node import Node

_FRAME_FIELDS = ("objects", "tensors", "timestamp", "system_timestamp")
_FRACTIONS = ("x_min", "y_min", "x_max", "y_max")


def _recognises(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) == 2 and isinstance(value[0], dict) and isinstance(value[1], str)
    return isinstance(value, dict) and (_is_frame(value) or _is_frame(value.get("metadata")))


def _is_frame(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    # A frame in which nothing was found has neither objects nor tensors (add-empty-results).
    return "gva_meta" in value or ("resolution" in value and not value.keys().isdisjoint(_FRAME_FIELDS))


def _to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    message, image = _unwrapped(Node(value))
    if not _is_frame(message.value):
        raise message.error("has no `resolution` with `objects`, `tensors` or `timestamp`, and no `gva_meta`")
    device_id = _without_password(message.text("source"))
    size = frame(message.optional_object("resolution")) or frame(message)
    pipeline = message.optional_object("pipeline")
    names = [name for name in (pipeline.identifier("name"), pipeline.identifier("version")) if name]
    return without_none(
        timestamp=_time(message),
        source=source(
            device_id=device_id, frame_id=message.identifier("frame_id"), workflow_id="/".join(names) if names else None
        ),
        image=size,
        images=[{"data": image}] if image else _stored_image(message.optional_object("S3_meta")),
        custom_metadata=message.optional_object("tags").metadata(),
        result=predictions(_found(message, context.refined(device_id, size))),
    )


def _unwrapped(root: Node) -> tuple[Node, str | None]:
    """The frame, and its image where it came along."""
    if isinstance(root.value, list):
        return root.object(0), root.text(1)
    if not _is_frame(root.as_object().value) and isinstance(root.get("metadata"), dict):
        return root.object("metadata"), root.text("blob")
    return root, None


def _stored_image(stored: Node) -> list[Annotation]:
    bucket, key = stored.text("bucket"), stored.text("key")
    return [{"uri": f"s3://{bucket}/{key}"}] if bucket and key else []


def _time(message: Node) -> str | int | float | None:
    """The sender's clock where known, else the pipeline's. The field `timestamp` is a position in the stream."""
    sent = message.optional_object("rtp").time("sender_ntp_unix_timestamp_ns")
    stamped = message.text("system_timestamp")
    if stamped is not None:  # local time is written like 12:00:00.000:+0100
        stamped = re.sub(r":([+-]\d\d)(\d\d)$", r"\1:\2", stamped)
    return sent or stamped or message.time("time")


def _without_password(uri: str | None) -> str | None:
    """A stream's address often carries the camera's user and password; these must not end up in events."""
    return re.sub(r"^([a-zA-Z][a-zA-Z0-9+.-]*://)[^/]*@", r"\1", uri) if uri else uri


def _found(message: Node, context: FormatContext) -> Iterator[Found]:
    if message.get("objects") is None:
        for region in message.objects("gva_meta"):
            yield _region(region, context)
    for item in message.objects("objects"):
        if _is_whole_frame(item, context):
            yield from _classifications(item, context)
        else:
            yield _object(item, context)


def _is_whole_frame(item: Node, context: FormatContext) -> bool:
    """Results of a classifier on the whole frame come as an object of the frame's size without a detection."""
    if "detection" in item.value or "roi_type" in item.value:
        return False
    return [item.get(key) for key in ("x", "y", "w", "h")] == [0, 0, context.width, context.height]


def _classifications(item: Node, context: FormatContext) -> Iterator[Found]:
    for key, value in item.value.items():
        if isinstance(value, dict) and ("label" in value or "label_id" in value):
            entry = item.object(key)
            confidence, class_id = entry.confidence("confidence"), entry.integer("label_id")
            yield "classifications", classified(_label(entry, context), confidence, class_id=class_id)


def _object(item: Node, context: FormatContext) -> Found:
    detection = item.optional_object("detection")
    base = classified(
        detection.text("label") or item.text("roi_type") or _label(detection, context),
        detection.confidence("confidence"),
        class_id=detection.integer("label_id"),
        tracker_id=item.identifier("id"),
        detection_id=item.identifier("region_id"),
    )
    box = _box(item, detection, context)
    keypoints = [point for tensor in item.objects("tensors") for point in _keypoints(tensor, box)]
    return located(base, box, keypoints=keypoints)


def _box(item: Node, detection: Node, context: FormatContext) -> Box:
    """In pixels where these are given, else from fractions of the frame."""
    if item.get("x") is not None:
        return top_left(item.number("x"), item.number("y"), item.number("w"), item.number("h"))
    box = detection.object("bounding_box")
    return corners(box, *scaled(context.frame_size(box.path), *(box.number(key) for key in _FRACTIONS)))


def _keypoints(tensor: Node, box: Box) -> Iterator[Annotation]:
    """Points are fractions of the object's box; (-1, -1) is a point that was not found."""
    if tensor.get("format") != "keypoints":
        return
    data, dims = tensor.numbers("data"), tensor.numbers("dims")
    step = int(dims[-1]) if dims else 0
    if step < 2 or len(data) % step:
        raise tensor.error("is not as long as dims says", "data")
    names, confidences = tensor.child("point_names"), tensor.child("confidence")
    x, y, width, height = box
    for place, i in enumerate(range(0, len(data), step)):
        if (data[i], data[i + 1]) != (-1, -1):
            name = names.identifier(place) or str(place)
            # One number stands for all points; a list has one for each.
            each = (
                confidences.confidence(place)
                if isinstance(confidences.value, list)
                else tensor.confidence("confidence")
            )
            yield keypoint(name, x + (data[i] - 0.5) * width, y + (data[i + 1] - 0.5) * height, each)


def _region(region: Node, context: FormatContext) -> Found:
    """An object as Pipeline Server writes it beside or instead of `objects`; its first tensor is the detection."""
    tensor = next(region.objects("tensor"), Node({}, "tensor", region))
    base = classified(
        _label(tensor, context),
        tensor.confidence("confidence"),
        class_id=tensor.integer("label_id"),
        tracker_id=region.identifier("object_id"),
    )
    edges = (region.number(key) for key in ("x", "y", "width", "height"))
    return located(base, top_left(*edges))


def _label(node: Node, context: FormatContext) -> str:
    """Models without a list of labels, and regions that were drawn by hand, need not give any class."""
    return label(node, "label", "label_id", context, UNCLASSIFIED)


DLSTREAMER = Format("dlstreamer", _recognises, _to_canonical)
