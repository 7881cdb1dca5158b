"""Results in COCO's format: a list of entries for one image; `bbox` is top left x, y, width and height in pixels.

Source: cocodataset.org, "Results format". Classes are numbers: the device registry's class names name them, counted
from 0, so the registry of a model that counts from 1 needs a first name for 0.
"""

from typing import Any

from pipeline.core.formats import rle
from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.build import (
    Annotation,
    Box,
    Found,
    Points,
    around,
    classified,
    keypoint,
    label,
    largest,
    located,
    pairs,
    predictions,
    source,
    top_left,
    without_none,
)
from pipeline.core.formats.node import Node


def _recognises(value: Any) -> bool:
    item = value[0] if isinstance(value, list) and value else None
    return isinstance(item, dict) and all(key in item for key in ("image_id", "category_id", "score"))


def _to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    items = [item.as_object() for item in Node(value).items()]
    images = {item.identifier("image_id") for item in items}
    if len(images) > 1:
        raise items[0].error(f"results of {len(images)} images; publish one record for each", "image_id")
    return without_none(
        source=source(frame_id=next(iter(images), None)),
        result=predictions(_object(item, context) for item in items),
    )


def _object(item: Node, context: FormatContext) -> Found:
    class_id = item.integer("category_id")
    if class_id is None:
        raise item.error("is missing; an integer is needed", "category_id")
    base = classified(label(item, "category_name", "category_id", context), item.confidence("score"), class_id=class_id)
    outline, keypoints = _outline(item), _keypoints(item)
    return located(base, _box(item, outline, keypoints), outline, keypoints)


def _box(item: Node, outline: Points, keypoints: list[Annotation]) -> Box:
    """Results with masks or keypoints may leave the box out: it is then the one around these."""
    if item.get("bbox") is None and (outline or keypoints):
        return around(outline or [[point["x"], point["y"]] for point in keypoints])
    return top_left(*item.numbers("bbox", 4))


def _outline(item: Node) -> Points:
    mask = item.child("segmentation")
    if isinstance(mask.value, dict):
        return rle.outline(mask)
    if mask.value is None:
        return []
    return largest(pairs(mask.numbers(polygon.key)) for polygon in mask.items())


def _keypoints(item: Node) -> list[Annotation]:
    """Triples x, y, v; what v says differs between producers, so it is not taken for a confidence."""
    numbers = item.numbers("keypoints")
    if len(numbers) % 3:
        raise item.error("is not a list of x, y, v, x, y, v, ...", "keypoints")
    return [keypoint(str(i // 3), numbers[i], numbers[i + 1], None) for i in range(0, len(numbers), 3)]


COCO = Format("coco", _recognises, _to_canonical)
