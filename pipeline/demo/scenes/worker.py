"""A worker at a gate: the portrait of a photograph, with or without a safety helmet, in high-visibility wear or not."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage  # type: ignore[import-untyped]

from pipeline.demo.geometry import Floats
from pipeline.demo.scenes.photographs import photograph

HELMETS = {"yellow": (246, 200, 24), "blue": (28, 96, 200), "red": (200, 30, 34)}
_CROWN, _HEADROOM = 12, 40
"""Rows of backdrop at the upper edge, and how many they are stretched to: a helmet needs more room than hair."""
_HEIGHT = 392
"""Rows that are kept: head, shoulders and chest."""
_DOME = (228.0, 106.0, 84.0, 84.0)
"""Centre x, brim y, half width and height of the helmet, in pixels."""
_SUIT = ((110, 205), (90, 233), (42, 300), (20, 368), (10, 392), (380, 392), (380, 230), (300, 205), (228, 320))
"""Outline within which all that is orange is the suit: the flag beside it is not."""


@cache
def worker(helmet: str | None, vest: bool) -> Image.Image:
    """The photograph with a helmet of HELMETS drawn on or none, and the orange suit kept or dyed grey-blue."""
    picture = _portrait() if vest else _without_vest(_portrait())
    return picture if helmet is None else _with_helmet(picture, HELMETS[helmet])


def _portrait() -> Image.Image:
    photo = photograph("astronaut.png")
    picture = Image.new("RGB", (photo.width, _HEIGHT))
    picture.paste(photo.crop((0, 0, photo.width, _CROWN)).resize((photo.width, _HEADROOM), Image.Resampling.BICUBIC))
    picture.paste(photo.crop((0, _CROWN, photo.width, photo.height)), (0, _HEADROOM))
    return picture


def _without_vest(picture: Image.Image) -> Image.Image:
    hue, saturation, value = (np.asarray(band) for band in picture.convert("HSV").split())
    outline = Image.new("1", picture.size)
    ImageDraw.Draw(outline).polygon(_SUIT, fill=1)
    suit = ((hue < 26) | (hue > 245)) & (saturation > 70) & np.asarray(outline)
    soft = ndimage.gaussian_filter(ndimage.binary_closing(suit).astype(np.float32), 1) * 255
    bands = (hue + np.uint8(140), saturation // 3, value // 4 * 3)
    dyed = Image.merge("HSV", [Image.fromarray(band) for band in bands]).convert("RGB")
    return Image.composite(dyed, picture, Image.fromarray(soft.astype(np.uint8)))


def _with_helmet(photo: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """A hard hat: a dome shaded as half an ellipsoid lit from the upper left, a ridge along it, a brim below."""
    centre, brim, half_width, height = _DOME
    y, x = np.mgrid[: photo.height, : photo.width].astype(np.float32)
    u, v = (x - centre) / half_width, (brim - y) / height
    dome = np.clip((1 - np.hypot(u, v)) * 30, 0, 1) * np.clip((v + 0.06) * 40, 0, 1)
    depth = np.sqrt(np.clip(1 - u**2 - v**2, 0, 1))
    shade = 0.42 + 0.62 * np.clip(-0.35 * u + 0.45 * v + 0.75 * depth, 0, 1)
    shade += 0.10 * np.exp(-(((np.abs(u) - 0.16 * (1 - 0.3 * v)) / 0.035) ** 2)) * (v > 0.05)
    shine = np.exp(-(((u + 0.38) / 0.16) ** 2 + ((v - 0.62) / 0.12) ** 2))
    across = (x - centre) / (half_width * 1.12)
    drop = brim + 6 - 10 * (1 - across**2)
    rim = np.clip((1 - np.abs(across)) * 40, 0, 1) * np.clip(6.5 - np.abs(y - drop - 4), 0, 1)
    picture = np.asarray(photo, dtype=np.float32)
    shadow = np.clip(1 - np.abs(across), 0, 1) ** 0.3 * np.exp(-(((y - drop - 14) / 8) ** 2)) * (y > drop)
    picture = picture * (1 - 0.45 * np.nan_to_num(shadow))[:, :, None]
    picture = _over(picture, dome, np.array(colour) * shade[:, :, None] + 150 * shine[:, :, None])
    picture = _over(
        picture, rim, np.array(colour) * (0.78 - 0.25 * across[:, :, None] + 0.02 * (drop + 4 - y)[:, :, None])
    )
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def _over(below: Floats, opacity: Floats, above: Floats) -> Floats:
    mixed: Floats = below + opacity[:, :, None] * (above - below)
    return mixed
