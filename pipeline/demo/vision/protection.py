"""Protective equipment: finds a face with a cascade of local binary patterns, then measures colours around it.

The cascade is the one of OpenCV that scikit-image ships (Liao et al., 2007). Above the face, a helmet is a strongly
coloured area that neither hair nor wall is; below it, a high-visibility vest is a strongly orange one.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from PIL import Image
from skimage.feature import Cascade

from pipeline.demo.geometry import Box, Mask, Pixels
from pipeline.demo.scenes.frame import luminance
from pipeline.demo.scenes.photographs import sample_file

REDUCE = 2
_FACE_SIDES = ((45, 45), (110, 110))
"""Least and largest width and height of a face, in pixels of the reduced frame."""
_LEAST_SKIN = 0.35
_COVERED, _CORE = 0.25, 0.8
"""Share of strongly coloured pixels above which a region counts as covered, measured in its inner part."""


class Garment(NamedTuple):
    """A piece of equipment: where it is or should be, whether it is worn, and how sure that is (0.5..1)."""

    box: Box
    worn: bool
    confidence: float


class Person(NamedTuple):
    """A person that was found, and the equipment of theirs."""

    face: Box
    confidence: float
    body: Box
    helmet: Garment
    vest: Garment


def find_people(frame: Pixels) -> list[Person]:
    """The people who face the camera. One face found twice counts once."""
    hue, saturation, value = (np.asarray(band) for band in Image.fromarray(frame).convert("HSV").split())
    skin = ((hue < 26) | (hue > 245)) & (saturation > 35) & (saturation < 170) & (value > 90)
    vivid = (saturation > 165) & (value > 70)
    orange = ((hue < 22) | (hue > 248)) & (saturation > 140) & (value > 100)
    people: list[Person] = []
    for face in _faces(frame):
        # Cheeks and chin: a brim or a fringe may cover the rest.
        confidence = _share(skin, Box(face.x, face.y + 0.2 * face.height, 0.7 * face.width, 0.5 * face.height))
        known = any(math.dist(face[:2], person.face[:2]) < face.width for person in people)
        if confidence >= _LEAST_SKIN and not known:
            people.append(_person(face, confidence, vivid, orange))
    return people


def _faces(frame: Pixels) -> list[Box]:
    grey = luminance(frame, REDUCE) / 255
    found = _cascade().detect_multi_scale(
        grey, scale_factor=1.1, step_ratio=1, min_size=_FACE_SIDES[0], max_size=_FACE_SIDES[1], min_neighbor_number=3
    )
    boxes = [
        Box.from_corners(face["c"], face["r"], face["c"] + face["width"], face["r"] + face["height"]) for face in found
    ]
    return [Box(*(REDUCE * value for value in box)) for box in boxes]


@cache
def _cascade() -> Cascade:
    return Cascade(str(sample_file("lbpcascade_frontalface_opencv.xml")))


def _person(face: Box, skin: float, vivid: Mask, orange: Mask) -> Person:
    height, width = vivid.shape
    size = (width, height)
    side = face.width
    head = Box(face.x, face.y - 0.68 * side, 1.6 * side, 0.9 * side)
    chest = Box(face.x, face.y + 1.75 * side, 2.4 * side, 1.1 * side)
    left, _, right, _ = Box(face.x, face.y, 3.8 * side, side).corners
    body = Box.from_corners(left, head.corners[1], right, height)
    return Person(
        face.within(size) or face,
        min(0.99, skin),
        body.within(size) or body,
        _garment(head, vivid),
        _garment(chest, orange),
    )


def _garment(region: Box, colour: Mask) -> Garment:
    height, width = colour.shape
    share = _share(colour, Box(region.x, region.y, _CORE * region.width, _CORE * region.height))
    worn = 1 / (1 + math.exp(-14 * (share - _COVERED)))
    box = region.within((width, height)) or region
    return Garment(box, worn >= 0.5, max(worn, 1 - worn))


def _share(mask: Mask, box: Box) -> float:
    """The share of the box's pixels that are set, 0 for a box outside the frame."""
    left, top, right, bottom = (max(0, round(value)) for value in box.corners)
    inside = mask[top:bottom, left:right]
    return float(inside.mean()) if inside.size else 0.0
