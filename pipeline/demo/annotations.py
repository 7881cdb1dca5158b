"""Predictions in the canonical form of `schemas.annotations`."""

from typing import Any

from pipeline.demo.geometry import Box

Annotation = dict[str, Any]
Result = dict[str, list[Annotation]]

MOST_CONFIDENT = 0.999
"""Confidences are cut off here: no measurement of the demo is certain."""


def canonical(**found: list[Annotation]) -> Result:
    """A canonical result; kinds that are not given are empty."""
    empty: Result = {"object_detections": [], "classifications": [], "instance_segmentations": [], "keypoints": []}
    return empty | found


def classified(name: str, sure: float) -> Annotation:
    """A class with its confidence."""
    return {"class": name, "confidence": _confidence(sure)}


def boxed(name: str, box: Box, sure: float) -> Annotation:
    """A class within a bounding box."""
    return classified(name, sure) | {key: pixels(value) for key, value in zip(Box._fields, box, strict=True)}


def keypoint(name: str, x: float, y: float, sure: float) -> Annotation:
    """One named point."""
    return {"id": name, "x": pixels(x), "y": pixels(y), "confidence": _confidence(sure)}


def pixels(value: float) -> float:
    """A coordinate to a hundredth of a pixel."""
    return round(float(value), 2)


def _confidence(sure: float) -> float:
    return round(min(max(float(sure), 0.0), MOST_CONFIDENT), 4)
