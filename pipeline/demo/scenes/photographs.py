"""The photographs that the demo's cameras look at: sample images inside the scikit-image wheel.

Files are opened by path and not through `skimage.data`, because some of its functions download what the wheel lacks.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageOps
from skimage import data

from pipeline.errors import ConfigurationError


class Tint(NamedTuple):
    """Colours (CSS) for a grey photograph: of its darkest shade, of the shade `midpoint` (0..255), of its lightest."""

    dark: str
    middle: str
    light: str
    midpoint: int


def sample_file(name: str) -> Path:
    """A file among the sample data of scikit-image. Raises ConfigurationError when the installed one lacks it."""
    path = Path(data.data_dir) / name
    if not path.is_file():
        raise ConfigurationError(f"the demo needs the sample file {name} of scikit-image 0.26, and {path} is missing")
    return path


@cache
def photograph(file_name: str, tint: Tint | None = None) -> Image.Image:
    """A photograph in RGB. Treat it as read-only: callers share one object.

    Raises as `sample_file`.
    """
    with Image.open(sample_file(file_name)) as image:
        image.load()
    if tint is None:
        return image.convert("RGB")
    return ImageOps.colorize(image.convert("L"), tint.dark, tint.light, mid=tint.middle, midpoint=tint.midpoint)
