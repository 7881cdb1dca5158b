"""Types that scenes, vision and drawing share."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""A colour image, height x width x 3."""
Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]
Region = Any
"""A region of `skimage.measure.regionprops`, whose class is not public."""
Size = tuple[int, int]
"""Width and height in pixels."""


class Box(NamedTuple):
    """A bounding box in pixels, by its centre."""

    x: float
    y: float
    width: float
    height: float

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        dx, dy = self.width / 2, self.height / 2
        return self.x - dx, self.y - dy, self.x + dx, self.y + dy

    @classmethod
    def from_corners(cls, left: float, top: float, right: float, bottom: float) -> "Box":
        """The box between two corners."""
        return cls((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)

    def within(self, size: Size) -> "Box | None":
        """The part of the box that lies in a frame of `size`, None when there is none."""
        left, top, right, bottom = self.corners
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, size[0]), min(bottom, size[1])
        return Box.from_corners(left, top, right, bottom) if left < right and top < bottom else None
