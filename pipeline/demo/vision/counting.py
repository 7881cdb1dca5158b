"""Counting: coins on a tray, each outlined, by marker-controlled watershed on the gradient (after Beucher, 1979)."""
# mypy: allow-untyped-calls

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage  # type: ignore[import-untyped]
from skimage.feature import peak_local_max
from skimage.filters import sobel, threshold_otsu
from skimage.measure import find_contours, regionprops
from skimage.morphology import remove_small_objects
from skimage.segmentation import watershed

from pipeline.demo.geometry import Box, Floats, Labels, Mask, Pixels, Region
from pipeline.demo.scenes.frame import luminance

_SHADE = 1500
"""Most pixels of a dark patch that may still be part of a coin."""


class Coin(NamedTuple):
    """A coin that was found: its box, its outline as a closed polygon, its diameter in pixels."""

    box: Box
    points: list[tuple[float, float]]
    diameter: float
    confidence: float


def count_coins(frame: Pixels, least_diameter: float = 30.0) -> list[Coin]:
    """The coins of a frame; those of less than `least_diameter` pixels are taken for dirt."""
    grey = luminance(frame)
    raised = ndimage.gaussian_filter(grey - _background(grey), 0.7)
    level = threshold_otsu(raised)
    tray = remove_small_objects(raised < 0.4 * level, max_size=_SHADE)  # the rest is shade within a coin's relief
    markers = np.where(tray, 1, np.where(raised > 1.35 * level, 2, 0))
    # Flooding what is surely tray would only take time: a seam of it around the rest is enough.
    open_ground = ~ndimage.binary_erosion(tray, iterations=2)
    solid = ndimage.binary_fill_holes(watershed(sobel(grey), markers, mask=open_ground) == 2)
    regions = _separate(ndimage.binary_opening(solid, iterations=2), least_diameter)
    found = [region for region in regionprops(regions) if region.equivalent_diameter_area >= least_diameter]
    return [_coin(region) for region in found]


def _background(grey: Floats, cell: int = 12) -> Floats:
    """The brightness of the tray under the coins: the darkest of each neighbourhood, smoothed.

    Coins lie in rows and light falls off from row to row, so a neighbourhood is wide (wider than a coin) and low.
    """
    height, width = grey.shape
    rows, columns = height // cell, width // cell
    cells = grey[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell)
    low = ndimage.minimum_filter(np.percentile(cells, 20, axis=(1, 3)), (3, 9))
    low = ndimage.gaussian_filter(low, 1.5)
    zoomed: Floats = ndimage.zoom(low, (height / rows, width / columns), order=1)
    return zoomed


def _separate(solid: Mask, least_diameter: float) -> Labels:
    """Label the coins; those that touch are parted where they are thinnest."""
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(solid), 2)
    peaks = peak_local_max(
        depth, min_distance=round(least_diameter / 2), threshold_abs=least_diameter / 4, exclude_border=False
    )
    regions: Labels = ndimage.label(solid)[0]
    if len(np.unique(regions[tuple(peaks.T)])) == len(peaks):
        return regions
    markers = np.zeros(solid.shape, dtype=np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    parted: Labels = watershed(-depth, markers, mask=solid)
    return parted


def _coin(region: Region) -> Coin:
    top, left, bottom, right = region.bbox
    contour = max(find_contours(np.pad(region.image, 1).astype(np.float32), 0.5), key=len)
    # The mask has a border of one pixel, and the middle of its first pixel lies at half a pixel.
    points = [(float(x) + left - 0.5, float(y) + top - 0.5) for y, x in contour[:-1:3]]
    box = Box((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    roundness = 4 * math.pi * float(region.area) / max(float(region.perimeter), 1.0) ** 2
    confidence = min(0.999, math.sqrt(roundness))
    return Coin(box, points, float(region.equivalent_diameter_area), confidence)
