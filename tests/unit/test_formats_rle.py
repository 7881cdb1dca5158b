"""Outlines of run-length encoded masks, held against the pixels themselves."""

from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.formats import FormatError
from pipeline.core.formats.node import Node
from pipeline.core.formats.rle import outline


def encoded(rows: list[str]) -> dict[str, Any]:
    """The mask of a picture in which # is foreground."""
    pixels = "".join("".join(column) for column in zip(*rows, strict=True))
    runs = [len(list(group)) for _, group in groupby(pixels)]
    return {"size": [len(rows), len(rows[0])], "counts": [0] * pixels.startswith("#") + runs}


def packed(runs: list[int]) -> str:
    """COCO's text form of runs (rleToString of maskApi.c)."""
    text = ""
    for i, run in enumerate(runs):
        value = run - runs[i - 2] if i > 2 else run
        more = True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr((bits | 32 * more) + 48)
    return text


def area(points: list[list[float]]) -> float:
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True))) / 2


def contains(points: list[list[float]], x: float, y: float) -> bool:
    """Whether a ray from the point crosses the outline an odd number of times."""
    inside = False
    for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside


def test_the_largest_part_counts_and_holes_are_filled() -> None:
    points = outline(Node(encoded(["#....", "..###", "..#.#", "..###", "#...."])))
    assert sorted(points) == [[2, 1], [2, 4], [5, 1], [5, 4]]


def test_straight_edges_have_no_vertices_between() -> None:
    points = outline(Node(encoded(["##..", "####"])))
    assert sorted(points) == [[0, 0], [0, 2], [2, 0], [2, 1], [4, 1], [4, 2]]


def test_runs_of_no_length_split_nothing() -> None:
    split = {"size": [4, 1], "counts": [0, 2, 0, 1, 1]}
    assert sorted(outline(Node(split))) == [[0, 0], [0, 3], [1, 0], [1, 3]]


@pytest.mark.parametrize("rows", [["..", ".."], ["."]])
def test_an_empty_mask_has_no_outline(rows: list[str]) -> None:
    assert outline(Node(encoded(rows))) == []


def test_an_outline_with_too_many_vertices_is_none() -> None:
    comb = ["#." * 4000, "#" * 8000]
    assert outline(Node(encoded(comb))) == []


# A tower in each column, standing on common ground: connected and without holes, so that its outline is exact.
@given(heights=st.lists(st.integers(1, 9), min_size=1, max_size=12), upside_down=st.booleans(), text=st.booleans())
def test_the_outline_holds_the_pixels_and_no_other(heights: list[int], upside_down: bool, text: bool) -> None:
    rows = ["".join("#" if height > 9 - row else "." for height in heights) for row in range(10)]
    mask = encoded(rows[::-1] if upside_down else rows)
    if text:
        mask["counts"] = packed(mask["counts"])
    points = outline(Node(mask))
    assert area(points) == sum(heights)
    for y, row in enumerate(rows[::-1] if upside_down else rows):
        for x, pixel in enumerate(row):
            assert contains(points, x + 0.5, y + 0.5) == (pixel == "#")


@given(
    rows=st.integers(1, 8).flatmap(lambda n: st.lists(st.text("#.", min_size=n, max_size=n), min_size=1, max_size=8))
)
def test_any_mask_has_an_outline_within_it(rows: list[str]) -> None:
    points = outline(Node(encoded(rows)))
    assert bool(points) == any("#" in row for row in rows)
    assert all(0 <= x <= len(rows[0]) and 0 <= y <= len(rows) for x, y in points)
    assert area(points) <= len(rows) * len(rows[0])


@given(runs=st.lists(st.integers(0, 1200), max_size=12))
def test_packed_runs_mean_the_same(runs: list[int]) -> None:
    runs = [*runs, 1]
    mask = {"size": [1, sum(runs)], "counts": runs}
    assert outline(Node(mask)) == outline(Node(mask | {"counts": packed(runs)}))


@pytest.mark.parametrize(
    ("mask", "field"),
    [
        ({}, "size"),
        ({"size": [2, 2]}, "counts"),
        ({"size": [2, 2.5], "counts": [4]}, "size"),
        ({"size": [0, 2], "counts": []}, "size"),
        ({"size": [2, 20_000], "counts": [40_000]}, "size"),
        ({"size": [2, 2], "counts": [5]}, "counts"),
        ({"size": [2, 2], "counts": [-1, 5]}, "counts"),
        ({"size": [2, 2], "counts": "~"}, "counts"),
        ({"size": [2, 2], "counts": "o" * 50}, "counts"),
        ({"size": [2, 2], "counts": [0] * 200_000}, "counts"),
    ],
)
def test_errors_name_the_field(mask: dict[str, Any], field: str) -> None:
    with pytest.raises(FormatError) as caught:
        outline(Node(mask))
    assert caught.value.field == field
