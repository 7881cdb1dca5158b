"""Small pictures of large ones, for lists: a page of sixty cameras' originals would be tens of megabytes."""

import io
from typing import Final

from PIL import Image, ImageOps

WIDTH: Final = 480
"""Of a thumbnail, in pixels; as high as the picture's shape makes it, but at most so much too."""
SMALL: Final = 40_000
"""Bytes of a picture that is as good as its thumbnail."""

_MAX_PIXELS: Final = 64_000_000
"""A picture of more is not unpacked: it would need hundreds of megabytes."""


def thumbnail(content: bytes) -> bytes:
    """A JPEG of a picture. Raises ValueError for what is none, or has too many pixels."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                raise ValueError(f"more than {_MAX_PIXELS:,} pixels")
            picture.draft("RGB", (WIDTH, WIDTH))  # a JPEG is unpacked at a fraction of its size
            small = ImageOps.exif_transpose(picture)  # browsers turn the original too
            small.thumbnail((WIDTH, WIDTH))
            made = io.BytesIO()
            small.convert("RGB").save(made, "JPEG", quality=80)
            return made.getvalue()
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"not a picture that can be read: {error}") from None
