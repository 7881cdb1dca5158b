"""Frames: a photograph seen by a camera that is never quite in the same place, under light that is never the same."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from pipeline.demo.geometry import Floats, Pixels, Size

_NOISE_SIDE = 1024


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a photograph lies in a frame: a similarity transform, `matrix` (2 x 3) from photograph to frame pixels."""

    matrix: Floats

    def to_frame(self, points: Floats) -> Floats:
        """Points of the photograph (n x 2) in frame pixels."""
        moved: Floats = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        return moved

    @property
    def scale(self) -> float:
        """Frame pixels per pixel of the photograph."""
        return math.hypot(*self.matrix[:, 0])

    def render(self, photo: Image.Image, size: Size) -> Image.Image:
        """The frame of `size` that shows the photograph so placed."""
        inverse = np.linalg.inv(np.vstack([self.matrix, [0, 0, 1]]))
        return photo.transform(
            size, Image.Transform.AFFINE, tuple(inverse[:2].ravel()), resample=Image.Resampling.BICUBIC
        )


@dataclass(frozen=True, slots=True)
class Wobble:
    """How far a camera's view varies: zoom (1: as much of the photograph as fits), turn in degrees, mirroring."""

    zoom: tuple[float, float] = (1.0, 1.2)
    turn: float = 0.0
    mirror: bool = False


def place(rng: np.random.Generator, photo: Size, frame: Size, wobble: Wobble) -> Placement:
    """A random placement for which the photograph covers the whole frame."""
    angle = math.radians(rng.uniform(-wobble.turn, wobble.turn))
    cos, sin = math.cos(angle), math.sin(angle)
    # Half extents, in frame pixels, of the upright box around the turned frame.
    half = np.array([frame[0] * cos + frame[1] * abs(sin), frame[0] * abs(sin) + frame[1] * cos]) / 2
    scale = float(np.max(2 * half / np.array(photo))) * rng.uniform(*wobble.zoom)
    slack = np.maximum(np.array(photo) - 2 * half / scale, 0)
    centre = half / scale + slack * rng.random(2)
    flip = -1.0 if wobble.mirror and rng.random() < 0.5 else 1.0
    linear = scale * np.array([[flip * cos, -sin], [flip * sin, cos]])
    return Placement(np.column_stack([linear, np.array(frame) / 2 - linear @ centre]))


def light(rng: np.random.Generator, image: Image.Image, noise: float = 2.5) -> Pixels:
    """The frame under random illumination (brightness, gradient, warmth) with sensor noise of `noise` grey levels."""
    width, height = image.size
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    slope_x, slope_y = rng.uniform(-0.1, 0.1, 2)
    field = rng.uniform(0.85, 1.12) + np.float32(slope_x) * x[None, :] + np.float32(slope_y) * y[:, None]
    field -= np.float32(0.06) * (x[None, :] ** 2 + y[:, None] ** 2)  # vignetting of the lens
    warmth = rng.uniform(-0.03, 0.03)
    row, column = (int(rng.integers(0, _NOISE_SIDE - side)) for side in (height, width))
    grain = _grain()[row : row + height, column : column + width] * np.float32(noise)
    lit = np.asarray(image, dtype=np.float32)
    lit = lit * (field[:, :, None] * np.array([1 + warmth, 1, 1 - warmth], dtype=np.float32)) + grain[:, :, None]
    frame: Pixels = np.clip(lit, 0, 255).astype(np.uint8)
    return frame


@cache
def _grain() -> Floats:
    """Gaussian noise of one grey level, drawn once: a random cut-out of it costs a tenth of drawing anew."""
    return np.random.default_rng(0).standard_normal((_NOISE_SIDE, _NOISE_SIDE), dtype=np.float32)


def luminance(pixels: Pixels, reduce: int = 1) -> Floats:
    """Luminance (0..255), averaged over blocks of `reduce` x `reduce` pixels."""
    grey = Image.fromarray(pixels).convert("L")
    return np.asarray(grey.reduce(reduce) if reduce > 1 else grey, dtype=np.float32)
