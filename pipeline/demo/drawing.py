"""The annotated picture of a frame: boxes with labels, outlines, keypoints with their skeleton, and the verdict."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from pipeline.demo.geometry import Pixels

Annotation = Mapping[str, Any]
"""A prediction in the canonical form of `schemas.annotations`."""

_BAD = (225, 45, 57)
_GOOD = (18, 140, 84)
_OTHERS = ((37, 99, 235), (217, 119, 6), (126, 58, 190), (8, 130, 150), (190, 24, 93))
BAD_CLASSES = frozenset({"scratch", "dent", "stain", "missing_part", "defective", "no_helmet", "no_vest"})
GOOD_CLASSES = frozenset({"ok", "helmet", "vest"})
_WHITE = (255, 255, 255)
_FONT_SIZE = 13


def annotate(
    frame: Pixels, result: Mapping[str, Sequence[Annotation]], skeleton: Sequence[tuple[str, str]]
) -> Image.Image:
    """Draw a canonical result onto a copy of the frame. `skeleton` joins keypoints by their ids."""
    picture = Image.fromarray(frame)
    pen = ImageDraw.Draw(picture)
    headings = [(item["class"], f"{item['confidence']:.2f}") for item in result["classifications"]]
    for name, count in sorted(Counter(item["class"] for item in result["instance_segmentations"]).items()):
        _outline(picture, [item["points"] for item in result["instance_segmentations"] if item["class"] == name], name)
        headings.append((name, f"x {count}"))
    for item in result["keypoints"]:
        _box(pen, item, label_below=True)
        _keypoints(pen, item, skeleton)
    for item in result["object_detections"]:
        _box(pen, item)
    x = 6.0
    for name, note in headings:
        x += 6 + _label(pen, (x, 6), f"{name}  {note}", colour_of(name), 16)
    return picture


def colour_of(name: str) -> tuple[int, int, int]:
    """The colour of a class: red for faults, green where all is well, else always the same one for the same name."""
    if name in BAD_CLASSES:
        return _BAD
    if name in GOOD_CLASSES:
        return _GOOD
    return _OTHERS[sum(name.encode()) % len(_OTHERS)]


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _box(pen: ImageDraw.ImageDraw, item: Annotation, label_below: bool = False) -> None:
    left, top = item["x"] - item["width"] / 2, item["y"] - item["height"] / 2
    colour = colour_of(item["class"])
    pen.rectangle((left, top, left + item["width"] - 1, top + item["height"] - 1), outline=colour, width=2)
    corner = (left, top + item["height"] if label_below else top - 18)
    _label(pen, corner, f"{item['class']} {item['confidence']:.2f}", colour, _FONT_SIZE)


def _label(
    pen: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, colour: tuple[int, int, int], size: int
) -> float:
    """White text on the colour of its class, moved so that it stays inside the picture. Returns its width."""
    font = _font(size)
    width, height = pen.textlength(text, font) + 8, size + 5
    frame = pen.im.size
    x = min(max(corner[0], 0), frame[0] - width)
    y = min(max(corner[1], 0), frame[1] - height)
    pen.rounded_rectangle((x, y, x + width, y + height), radius=3, fill=colour)
    pen.text((x + 4, y + height / 2), text, fill=_WHITE, font=font, anchor="lm")
    return width


def _outline(picture: Image.Image, polygons: Sequence[Sequence[Sequence[float]]], name: str) -> None:
    """The outlines of all instances of a class, tinted inside."""
    veil = Image.new("L", picture.size)
    shade, pen = ImageDraw.Draw(veil), ImageDraw.Draw(picture)
    closed = [[(x, y) for x, y in (*polygon, polygon[0])] for polygon in polygons]
    for points in closed:
        shade.polygon(points, fill=55)
    picture.paste(colour_of(name), (0, 0, *picture.size), veil)
    for points in closed:
        pen.line(points, fill=colour_of(name), width=2)


def _keypoints(pen: ImageDraw.ImageDraw, item: Annotation, skeleton: Sequence[tuple[str, str]]) -> None:
    places = {point["id"]: (point["x"], point["y"]) for point in item["keypoints"]}
    for start, end in skeleton:
        if start in places and end in places:
            pen.line((places[start], places[end]), fill=_WHITE, width=2)
    for name, (x, y) in places.items():
        pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill=colour_of("ok"), outline=_WHITE, width=2)
        pen.text(
            (x + 9, y),
            name.replace("_", " "),
            fill=_WHITE,
            font=_font(12),
            anchor="lm",
            stroke_width=2,
            stroke_fill=(20, 20, 20),
        )
