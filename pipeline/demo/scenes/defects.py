"""Synthetic defects: scratches, dents and stains, drawn at random into a frame, with their true bounding boxes."""

import math
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage  # type: ignore[import-untyped]

from pipeline.demo.geometry import Box, Floats, Mask, Pixels

DefectKind = Literal["scratch", "dent", "stain"]
KINDS: tuple[DefectKind, ...] = ("scratch", "dent", "stain")

_OVERSAMPLING = 3


class Defect(NamedTuple):
    """What was drawn, and where."""

    kind: DefectKind
    box: Box


def add_defects(rng: np.random.Generator, pixels: Pixels, kinds: list[DefectKind]) -> tuple[Pixels, list[Defect]]:
    """The frame with defects of `kinds` drawn in at random places that do not overlap, and where they are."""
    frame = pixels.astype(np.float32)
    height, width = frame.shape[:2]
    drawn: list[Defect] = []
    for kind in kinds:
        for _ in range(20):
            centre = (rng.uniform(0.18, 0.82) * width, rng.uniform(0.18, 0.82) * height)
            if all(math.dist(centre, other.box[:2]) > 110 for other in drawn):
                drawn.append(Defect(kind, _DRAW[kind](rng, frame, centre)))
                break
    return np.clip(frame, 0, 255).astype(np.uint8), drawn


def _scratch(rng: np.random.Generator, frame: Floats, centre: tuple[float, float]) -> Box:
    """A bright, slightly bent line, 80 to 160 pixels long and 3 to 4.5 wide, with tapered ends."""
    length, angle = rng.uniform(80, 160), rng.uniform(0, math.pi)
    bend = rng.uniform(-0.06, 0.06) * length
    along = np.linspace(-0.5, 0.5, 24)
    across = bend * (1 - (2 * along) ** 2)
    x = centre[0] + along * length * math.cos(angle) - across * math.sin(angle)
    y = centre[1] + along * length * math.sin(angle) + across * math.cos(angle)
    height, width = frame.shape[:2]
    canvas = Image.new("L", (width * _OVERSAMPLING, height * _OVERSAMPLING))
    pen, stroke = ImageDraw.Draw(canvas), rng.uniform(3.0, 4.5) * _OVERSAMPLING
    points = [(float(a) * _OVERSAMPLING, float(b) * _OVERSAMPLING) for a, b in zip(x, y, strict=True)]
    for start, end, place in zip(points, points[1:], along, strict=False):
        pen.line([start, end], fill=255, width=max(2, round(stroke * (1 - 1.2 * abs(place) ** 2))))
    mask = np.asarray(canvas.reduce(_OVERSAMPLING), dtype=np.float32) / 255
    strength = np.float32(rng.uniform(0.85, 1.0))
    frame += (mask * strength)[:, :, None] * (np.float32(rng.uniform(230, 250)) - frame)
    return _box_of(mask > 0.3, 0, 0)


def _dent(rng: np.random.Generator, frame: Floats, centre: tuple[float, float]) -> Box:
    """A round hollow of radius 18 to 26 pixels, lit from one side: a dark flank, a bright one, a shaded floor."""
    radius, sun = rng.uniform(18, 26), rng.uniform(0, 2 * math.pi)
    dx, dy, patch = _patch(frame, centre, radius * 1.3)
    distance = np.hypot(dx, dy) / radius
    floor = np.exp(-((distance / 0.75) ** 4))
    flank = (dx * math.cos(sun) + dy * math.sin(sun)) / radius * np.exp(-((distance / 0.9) ** 6))
    shade = 1 - 0.5 * floor + 0.6 * flank
    patch *= shade[:, :, None].astype(np.float32)
    return Box(centre[0], centre[1], 2 * radius, 2 * radius)


def _stain(rng: np.random.Generator, frame: Floats, centre: tuple[float, float]) -> Box:
    """A dark, brownish patch of irregular outline, 30 to 48 pixels in radius, through which the texture shows."""
    radius = rng.uniform(30, 48)
    dx, dy, patch = _patch(frame, centre, radius * 1.5)
    angle = np.arctan2(dy, dx)
    outline = 1 + sum(rng.uniform(-0.16, 0.16) * np.cos(n * angle + rng.uniform(0, 2 * math.pi)) for n in (2, 3, 5))
    inside = 1 / (1 + np.exp((np.hypot(dx, dy) / radius - outline) * 14))
    colour = np.array([0.42, 0.38, 0.34]) * rng.uniform(0.9, 1.1)
    patch *= (1 - inside[:, :, None] * (1 - colour)).astype(np.float32)
    left, top = centre[0] + dx[0, 0], centre[1] + dy[0, 0]
    return _box_of(inside > 0.5, left, top)


_DRAW = {"scratch": _scratch, "dent": _dent, "stain": _stain}


def _patch(frame: Floats, centre: tuple[float, float], reach: float) -> tuple[Floats, Floats, Floats]:
    """A view of the frame around `centre`, with each pixel's distance from it in x and in y."""
    height, width = frame.shape[:2]
    left, top = max(0, int(centre[0] - reach)), max(0, int(centre[1] - reach))
    right, bottom = min(width, int(centre[0] + reach) + 1), min(height, int(centre[1] + reach) + 1)
    dy, dx = np.mgrid[top:bottom, left:right].astype(np.float64)
    return dx - centre[0], dy - centre[1], frame[top:bottom, left:right]


def _box_of(mask: Mask, left: float, top: float) -> Box:
    """The bounding box of a mask whose first pixel lies at `left`, `top`."""
    rows, columns = ndimage.find_objects(mask.astype(np.int8))[0]
    return Box.from_corners(left + columns.start, top + rows.start, left + columns.stop, top + rows.stop)
