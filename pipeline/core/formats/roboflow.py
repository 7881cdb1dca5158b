"""Roboflow inference: one response, or the outputs of a workflow under whatever names the workflow gives them.

Source: roboflow/inference, inference/core/entities/responses/inference.py,
inference/core/workflows/core_steps/common/serializers.py, inference/core/interfaces/stream/sinks.py (UDPSink).
`class` is the name and `class_id` the index; boxes are centre-based pixels, as in the canonical form.
"""

from collections.abc import Iterator
from typing import Any

from pipeline.core.formats import rle
from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.build import (
    Annotation,
    Box,
    Found,
    Points,
    classified,
    frame,
    keypoint,
    label,
    located,
    predictions,
    source,
    without_none,
    zoned,
)
from pipeline.core.formats.node import Node

_RESPONSE_FIELDS = (
    "inference_id",
    "frame_id",
    "time",
    "top",
    "confidence",
    "parent_id",
    "prediction_type",
    "visualization",
    "profiler_trace",
)


def _recognises(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("outputs"), list) or isinstance(value.get("inference_metadata"), dict):
        return True
    return _is_response(value) or any(_is_response(output) for output in value.values())


def _is_response(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    found = value.get("predictions")
    if isinstance(found, dict):  # several labels, or a semantic mask
        return "predicted_classes" in value or "present_class_ids" in found
    return isinstance(found, list)


def _is_image(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "base64" and bool(value.get("value"))


def _to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    root = Node(value).as_object()
    if isinstance(root.get("outputs"), list):
        entries = list(root.objects("outputs"))
        if len(entries) > 1:
            raise root.error(f"holds the results of {len(entries)} images; publish one record for each", "outputs")
        root = entries[0] if entries else Node({})
    responses = [root] if _is_response(root.value) else []
    responses += [root.object(key) for key, output in root.value.items() if _is_response(output)]
    if not responses and not _recognises(value):
        raise root.error("has no list or object of `predictions`, at the top or in an output of a workflow")
    images = [(key, root.object(key)) for key, output in root.value.items() if _is_image(output)]
    stamp, source_ids = _origin(root, [image for _, image in images])
    sizes = (frame(r.child("image")) for r in responses if isinstance(r.get("image"), dict))
    visualization = root.text("visualization")
    return without_none(
        timestamp=stamp,
        source=source_ids,
        image=next((size for size in sizes if size), None),
        images=[{"data": visualization}] * bool(visualization)
        + [{"label": name, "data": image.text("value")} for name, image in images],
        custom_metadata=root.metadata(*_RESPONSE_FIELDS),
        result=predictions(_merged(responses, context)),
    )


def _origin(root: Node, images: list[Node]) -> tuple[str | None, dict[str, str]]:
    """Time, stream and frame number from UDPSink's `inference_metadata` or from a workflow image of a video.

    Their times are usually naive local times; only one with a zone is taken.
    """
    sink = root.optional_object("inference_metadata")
    video = next((image.optional_object("video_metadata") for image in images), Node({}))
    stamp = sink.text("frame_decoding_time") or video.text("frame_timestamp")
    ids = source(
        stream_id=sink.identifier("source_id") or video.identifier("video_identifier"),
        frame_id=sink.identifier("frame_id") or root.identifier("frame_id") or video.identifier("frame_number"),
    )
    return zoned(stamp), ids


def _merged(responses: list[Node], context: FormatContext) -> Iterator[Found]:
    """Workflows often put out the same detections twice, before and after tracking: the last of an id counts."""
    later: set[str | None] = set()
    for response in reversed(responses):
        ids = set()
        for kind, annotation in _found(response, context):
            detection_id = annotation.get("detection_id")
            if detection_id not in later:
                yield kind, annotation
            ids.add(detection_id)
        later |= ids - {None}


def _found(response: Node, context: FormatContext) -> Iterator[Found]:
    items = response.get("predictions")
    if isinstance(items, dict):
        multiple = response.object("predictions")
        yield from _present(multiple) if "present_class_ids" in items else _labels(response, multiple)
        return
    classes = []
    for item in response.objects("predictions"):
        if "x" in item.value:
            yield _object(item, context)
        else:
            classes.append(item)
    # A classifier with one label lists what it thinks of every class; the top one is its answer.
    top = [item for item in classes if item.get("class") == response.get("top")]
    for item in top or classes:
        yield "classifications", _base(item, context)


def _labels(response: Node, multiple: Node) -> Iterator[Found]:
    """A classifier with several labels: those that it decided for."""
    chosen = response.child("predicted_classes")
    for name in [chosen.name(item.key) for item in chosen.items()]:
        entry = multiple.optional_object(name)
        found = classified(name, entry.confidence("confidence"), class_id=entry.integer("class_id"))
        yield "classifications", found


def _present(mask: Node) -> Iterator[Found]:
    """A semantic mask: the classes present in it."""
    names, present = mask.optional_object("class_map"), mask.child("present_class_ids")
    for item in present.items():
        class_id = present.integer(item.key)
        yield "classifications", classified(names.text(str(class_id)) or str(class_id), None, class_id=class_id)


def _base(item: Node, context: FormatContext) -> Annotation:
    return classified(
        label(item, "class", "class_id", context),
        item.confidence("confidence"),
        class_id=item.integer("class_id"),
        tracker_id=item.identifier("tracker_id"),
        detection_id=item.identifier("detection_id"),
    )


def _object(item: Node, context: FormatContext) -> Found:
    box: Box = (item.number("x"), item.number("y"), item.number("width"), item.number("height"))
    return located(_base(item, context), box, _outline(item), [_keypoint(point) for point in item.objects("keypoints")])


def _outline(item: Node) -> Points:
    for key in ("rle", "rle_mask"):
        if item.get(key) is not None:
            return rle.outline(item.object(key))
    return [[point.number("x"), point.number("y")] for point in item.objects("points")]


def _keypoint(point: Node) -> Annotation:
    name = point.identifier("class") or point.identifier("class_id") or str(point.key)
    return keypoint(name, point.number("x"), point.number("y"), point.confidence("confidence"))


ROBOFLOW = Format("roboflow", _recognises, _to_canonical)
