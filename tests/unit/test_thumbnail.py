"""Small pictures: of any shape and kind, and never of what would fill the memory."""

import io

import pytest
from PIL import Image

from pipeline.core.thumbnail import WIDTH, thumbnail


def encoded(width: int, height: int, kind: str, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height), "red" if mode != "L" else 200).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (encoded(1920, 1080, "JPEG"), (WIDTH, 270)),
        (encoded(1000, 4000, "PNG"), (120, WIDTH)),
        (encoded(1200, 1200, "PNG", "RGBA"), (WIDTH, WIDTH)),
        (encoded(1200, 900, "PNG", "L"), (WIDTH, 360)),
        (encoded(960, 480, "WEBP"), (WIDTH, 240)),
        (encoded(100, 50, "JPEG"), (100, 50)),
    ],
)
def test_it_keeps_the_shape(content: bytes, size: tuple[int, int]) -> None:
    made = Image.open(io.BytesIO(thumbnail(content)))
    assert (made.format, made.size) == ("JPEG", size)


def test_a_turned_photograph_is_turned_as_browsers_do() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    assert Image.open(io.BytesIO(thumbnail(encoded(800, 400, "JPEG", exif=turned)))).size == (240, WIDTH)


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"<svg/>", encoded(300, 300, "JPEG")[:200], encoded(9000, 9000, "PNG"), encoded(20, 20, "GIF")],
    ids=["nothing", "another kind", "markup", "cut off", "too many pixels", "a kind that is not stored"],
)
def test_what_has_none_is_told(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"picture|pixels"):
        thumbnail(content)
