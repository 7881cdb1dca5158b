"""Assembly inspection: finds the product in the frame by its features, then checks each part at its place.

ORB features (Rublee et al., 2011) of the frame are matched with those of a reference photograph; a similarity transform
fitted with RANSAC (Fischler and Bolles, 1981) tells where each part should be; there, normalised cross-correlation
with the reference tells whether it is.
"""
# mypy: allow-untyped-calls

import math
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage  # type: ignore[import-untyped]
from skimage.feature import ORB, match_descriptors
from skimage.measure import ransac
from skimage.transform import SimilarityTransform

from pipeline.demo.geometry import Box, Floats, Mask, Pixels
from pipeline.demo.scenes.frame import Placement, luminance
from pipeline.demo.scenes.motorcycle import PARTS, WHOLE, motorcycle

REDUCE = 2
_FEATURES = 200
_LEAST_MATCHES = 20
_PRESENT = 0.72
"""Correlation with the reference at which a part is as likely missing as present."""


class PartFound(NamedTuple):
    """Where a part is, or should be, in frame pixels, and how well (0..1) what is there resembles it."""

    name: str
    box: Box
    likeness: float

    @property
    def missing(self) -> float:
        """Confidence (0..1) that the part is missing: a logistic curve of the likeness."""
        return 1 / (1 + math.exp(10 * (self.likeness - _PRESENT)))


class Product(NamedTuple):
    """A product that was found: its box, how sure that it is one (0..1), and its parts."""

    box: Box
    confidence: float
    parts: list[PartFound]


class AssemblyModel:
    """What a complete product looks like: features for finding it, a picture of each part for checking it."""

    def __init__(self) -> None:
        reference = motorcycle("red", None)
        self._points, self._descriptors = _features(np.asarray(reference))
        unmoved = Placement(np.array([[1.0, 0, 0], [0, 1, 0]]))
        self._pictures = {name: _straightened(reference, unmoved, part.box) for name, part in PARTS.items()}

    def inspect(self, frame: Pixels) -> Product | None:
        """Find the product of a frame; None when too few of its features are seen."""
        points, descriptors = _features(frame)
        if len(points) < _LEAST_MATCHES:
            return None
        matches = match_descriptors(self._descriptors, descriptors, cross_check=True, max_ratio=0.85)
        if len(matches) < _LEAST_MATCHES:
            return None
        pairs = (self._points[matches[:, 0]], points[matches[:, 1]])
        fitted, inliers = ransac(pairs, SimilarityTransform, 2, residual_threshold=2.5, max_trials=100, rng=0)
        if inliers is None or inliers.sum() < _LEAST_MATCHES:
            return None
        placement = Placement(np.asarray(fitted.params)[:2])
        picture = Image.fromarray(frame)
        parts = [
            PartFound(
                name,
                moved(part.box, placement),
                _likeness(self._pictures[name], _straightened(picture, placement, part.box)),
            )
            for name, part in PARTS.items()
        ]
        return Product(moved(WHOLE, placement), float(inliers.mean()), parts)


def moved(box: Box, placement: Placement) -> Box:
    """The upright box in the frame around a box of the photograph."""
    dx, dy = box.width / 2, box.height / 2
    corners = np.array([[box.x + i * dx, box.y + j * dy] for i in (-1, 1) for j in (-1, 1)])
    low, high = placement.to_frame(corners).min(axis=0), placement.to_frame(corners).max(axis=0)
    return Box(*((low + high) / 2).tolist(), *(high - low).tolist())


def _features(frame: Pixels) -> tuple[Floats, Mask]:
    """Positions (x, y in pixels of the frame) and binary descriptors of the frame's features."""
    # The camera's distance hardly varies, so one scale is enough: it takes half the time of the usual eight.
    orb = ORB(n_keypoints=_FEATURES, n_scales=1, fast_threshold=0.06)
    try:
        orb.detect_and_extract(luminance(frame, REDUCE) / 255)
    except RuntimeError:  # an even frame: ORB's way of saying that it found nothing
        return np.empty((0, 2)), np.empty((0, 256), dtype=bool)
    return (np.asarray(orb.keypoints)[:, ::-1] + 0.5) * REDUCE, np.asarray(orb.descriptors)


def _straightened(frame: Image.Image, placement: Placement, box: Box) -> Floats:
    """What the frame shows at a box of the photograph, turned and scaled as it is there; only its detail."""
    half = (round(box.width / 2), round(box.height / 2))
    linear = placement.matrix[:, :2]
    corner = placement.to_frame(np.array([[box.x - half[0], box.y - half[1]]]))[0]
    coefficients = np.column_stack([linear, corner])
    patch = frame.transform(
        (2 * half[0], 2 * half[1]),
        Image.Transform.AFFINE,
        tuple(coefficients.ravel()),
        resample=Image.Resampling.BILINEAR,
    )
    grey = ndimage.gaussian_filter(np.asarray(patch.convert("L"), dtype=np.float32), 0.8)
    detail: Floats = grey - ndimage.gaussian_filter(grey, 3.5)
    return detail


def _likeness(one: Floats, other: Floats) -> float:
    """Normalised cross-correlation of two pictures, 0 where it is negative."""
    a, b = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return max(0.0, float((a * b).sum()) / norm) if norm > 0 else 0.0
