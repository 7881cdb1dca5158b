"""Trays of coins: the coins of a photograph, cut out and laid again, some turned, some moved, some missing."""
# mypy: allow-untyped-calls

from functools import cache
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage  # type: ignore[import-untyped]
from skimage.filters import sobel
from skimage.measure import regionprops
from skimage.segmentation import watershed

from pipeline.demo.geometry import Floats, Mask, Region
from pipeline.demo.scenes.photographs import Tint, photograph

_BACKGROUND, _COIN = 30, 150
"""Grey levels of the photograph that are surely background, surely coin."""
_LEAST_AREA = 500
_RIM = 4
_BORDER = 12
"""Rows and columns of empty tray that are added all round: no coin may leave the frame."""
_PRINT_EDGE = np.s_[:, 370:]
"""Where the photograph shows the rounded edge of its print."""
_TINT = Tint("#0a1014", "#6d7376", "#f6f1e6", 127)
SLOTS = 24
"""Coins of a full tray."""


class CutOut(NamedTuple):
    """One coin: its picture with transparency, and its centre on the full tray, in pixels of the photograph."""

    picture: Image.Image
    centre: tuple[float, float]


class Tray(NamedTuple):
    """The empty tray and the coins that belong on it."""

    plate: Image.Image
    coins: tuple[CutOut, ...]


@cache
def coin_tray() -> Tray:
    """Take the photograph apart: every coin by itself, and the tray as it looks without them."""
    photo = photograph("coins.png", _TINT)
    grey = np.asarray(photograph("coins.png").convert("L"), dtype=np.float32)
    markers = np.where(grey < _BACKGROUND, 1, np.where(grey > _COIN, 2, 0))
    regions, _ = ndimage.label(ndimage.binary_fill_holes(watershed(sobel(grey), markers) == 2))
    found = [region for region in regionprops(regions) if region.area > _LEAST_AREA]
    covered = ndimage.binary_dilation(regions > 0, iterations=_RIM)
    covered[_PRINT_EDGE] = True
    coins = tuple(_cut_out(photo, region) for region in found)
    return Tray(_plate(np.asarray(photo, dtype=np.float32), covered), coins)


def lay(rng: np.random.Generator, missing: int) -> tuple[Image.Image, list[tuple[float, float]]]:
    """A tray with `missing` coins left out, the others turned and moved a little; and the centres of those laid."""
    tray = coin_tray()
    picture, centres = tray.plate.copy(), []
    kept = rng.permutation(len(tray.coins))[missing:]
    for index in sorted(kept.tolist()):
        coin = tray.coins[index]
        turned = coin.picture.rotate(rng.uniform(-60, 60), Image.Resampling.BICUBIC)
        x, y = coin.centre[0] + rng.uniform(-3.5, 3.5), coin.centre[1] + rng.uniform(-3.5, 3.5)
        picture.paste(turned, (round(x - turned.width / 2), round(y - turned.height / 2)), turned)
        centres.append((x, y))
    return picture, centres


def _cut_out(photo: Image.Image, region: Region) -> CutOut:
    top, left, bottom, right = region.bbox
    side = max(bottom - top, right - left) + 2 * _RIM
    centre = ((left + right) / 2, (top + bottom) / 2)
    corner = (round(centre[0] - side / 2), round(centre[1] - side / 2))
    mask = np.zeros((side, side), dtype=np.float32)
    mask[top - corner[1] : bottom - corner[1], left - corner[0] : right - corner[0]] = region.image
    soft = ndimage.gaussian_filter(mask, 0.8) * 255
    picture = photo.crop((*corner, corner[0] + side, corner[1] + side)).convert("RGBA")
    picture.putalpha(Image.fromarray(soft.astype(np.uint8)))
    return CutOut(picture, (centre[0] + _BORDER, centre[1] + _BORDER))


def _plate(photo: Floats, covered: Mask) -> Image.Image:
    """The tray without coins: what lies around a coin is blurred into its place, with the tray's own grain."""
    seen = 1 - covered.astype(np.float32)
    weight = np.maximum(ndimage.gaussian_filter(seen, 14), 1e-6)
    filled = ndimage.gaussian_filter(photo * seen[:, :, None], (14, 14, 0)) / weight[:, :, None]
    grain = np.random.default_rng(0).normal(0, 2.5, covered.shape)[:, :, None]
    inside = ndimage.gaussian_filter(covered.astype(np.float32), 1.5)[:, :, None]
    plate = photo * (1 - inside) + (filled + grain) * inside
    bordered = np.pad(plate, ((_BORDER, _BORDER), (_BORDER, _BORDER), (0, 0)), mode="reflect")
    return Image.fromarray(np.clip(bordered, 0, 255).astype(np.uint8))
