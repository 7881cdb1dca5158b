"""Motorcycles at the end of an assembly line: one photograph, in several paints, at times with a part missing."""
# mypy: allow-untyped-calls

from functools import cache
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage  # type: ignore[import-untyped]
from skimage.restoration import inpaint_biharmonic

from pipeline.demo.geometry import Box
from pipeline.demo.scenes.photographs import photograph

PAINTS = {"red": 0, "blue": 150, "green": 105}
"""Paints by the shift of hue from the photographed red, in 1/256 of the colour circle."""


class Part(NamedTuple):
    """A part: its box in pixels of the photograph, and whether it is among those that assembly forgets."""

    box: Box
    removable: bool = False


PARTS = {
    "tail_light": Part(Box(108, 210, 40, 32)),
    "rear_indicator": Part(Box(156, 233, 24, 28), True),
    "rear_axle": Part(Box(201, 320, 70, 60)),
    "side_badge": Part(Box(310, 286, 36, 20), True),
    "engine_emblem": Part(Box(369, 335, 42, 42), True),
    "tank_badge": Part(Box(425, 201, 50, 26), True),
    "headlight": Part(Box(538, 156, 62, 70)),
    "front_indicator": Part(Box(572, 130, 28, 32), True),
    "front_axle": Part(Box(588, 373, 60, 60)),
}
SKELETON = (
    ("rear_axle", "tail_light"),
    ("tail_light", "rear_indicator"),
    ("rear_indicator", "side_badge"),
    ("rear_axle", "side_badge"),
    ("side_badge", "tank_badge"),
    ("side_badge", "engine_emblem"),
    ("tank_badge", "headlight"),
    ("headlight", "front_indicator"),
    ("headlight", "front_axle"),
)
WHOLE = Box(390, 238, 600, 440)
"""The box of the whole motorcycle."""
_PAINTED = ((80, 150, 500, 300), (500, 258, 650, 330))
"""Left, top, right and bottom of where paint is: elsewhere lies red that is not the motorcycle's."""
_TAIL_LIGHT = (slice(190, 226), slice(80, 120))


@cache
def motorcycle(paint: str, missing: str | None) -> Image.Image:
    """The photograph with the motorcycle in a paint of PAINTS and without the removable part `missing`."""
    if missing is not None:
        return _without(motorcycle(paint, None), PARTS[missing].box)
    photo = photograph("motorcycle_left.png")
    if not PAINTS[paint]:
        return photo
    hue, saturation, value = (np.asarray(band) for band in photo.convert("HSV").split())
    red = ((hue < 12) | (hue > 240)) & (saturation > 95) & (value > 50)
    painted = np.zeros_like(red)
    for left, top, right, bottom in _PAINTED:
        painted[top:bottom, left:right] = ndimage.binary_opening(red[top:bottom, left:right])
    painted[_TAIL_LIGHT] = False
    shifted = Image.merge(
        "HSV", [Image.fromarray(band) for band in (hue + np.uint8(PAINTS[paint]), saturation // 4 * 3, value)]
    )
    soft = ndimage.gaussian_filter(painted.astype(np.float32), 0.8) * 255
    return Image.composite(shifted.convert("RGB"), photo, Image.fromarray(soft.astype(np.uint8)))


def _without(photo: Image.Image, box: Box) -> Image.Image:
    """The photograph with the ellipse in `box` filled from its surroundings (biharmonic inpainting)."""
    margin = 8
    left, top = round(box.x - box.width / 2 - margin), round(box.y - box.height / 2 - margin)
    size = (round(box.width) + 2 * margin, round(box.height) + 2 * margin)
    y, x = np.mgrid[: size[1], : size[0]]
    gone = ((x - size[0] / 2) / box.width * 2) ** 2 + ((y - size[1] / 2) / box.height * 2) ** 2 < 1
    patch = np.asarray(photo.crop((left, top, left + size[0], top + size[1])))
    filled = inpaint_biharmonic(patch, gone, channel_axis=2)
    picture = photo.copy()
    picture.paste(Image.fromarray((np.clip(filled, 0, 1) * 255).astype(np.uint8)), (left, top))
    return picture
