"""Run-length encoded masks (COCO's RLE) to the outline of their largest part.

A mask is read column by column; runs of background and foreground alternate, background first. Runs come as a list of
integers or packed into text: groups of 5 bits, least significant first, offset by 48, bit 6 meaning "more follows";
from the fourth run on, the difference to the run two before (`rleToString` in the COCO API's maskApi.c).

The outline follows the edges of the pixels, so it is exact: its area is the number of pixels within it.
"""

from itertools import groupby

from pipeline.core.formats.build import Points, largest
from pipeline.core.formats.node import Node

_MAX_SIDE = 16_384
_MAX_RUNS = 100_000
_MAX_VERTICES = 10_000
"""Most points of a canonical outline (schemas.annotations.InstanceSegmentation)."""

_Vertex = tuple[int, int]
_Span = tuple[int, int]
"""Top and bottom (exclusive) of foreground pixels in one column."""


def outline(mask: Node) -> Points:
    """The outline of the largest part of `mask`, an object of `size` [height, width] and `counts`.

    [] where the mask is empty, or so ragged that its outline has more than 10,000 vertices.
    """
    height, width = (_side(value, mask) for value in mask.numbers("size", 2))
    polygons = _loops(_edges(_columns(_runs(mask), height, width, mask)))
    points = largest(_straightened(loop) for loop in polygons)
    return points if len(points) <= _MAX_VERTICES else []


def _side(value: float, mask: Node) -> int:
    if not (value.is_integer() and 1 <= value <= _MAX_SIDE):
        raise mask.error(f"is not two whole numbers from 1 to {_MAX_SIDE}", "size")
    return int(value)


def _runs(mask: Node) -> list[int]:
    counts = mask.get("counts")
    runs = _unpacked(counts, mask) if isinstance(counts, str) else [int(n) for n in mask.numbers("counts")]
    if len(runs) > _MAX_RUNS or any(run < 0 for run in runs):
        raise mask.error(f"is not at most {_MAX_RUNS} lengths of runs", "counts")
    return runs


def _unpacked(text: str, mask: Node) -> list[int]:
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 30:
            raise mask.error("is not a run-length code", "counts")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (bits & 16) << (shift - 4)  # the top bit of the last group is the sign
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs


def _columns(runs: list[int], height: int, width: int, mask: Node) -> list[list[_Span]]:
    """The foreground spans of each column, merged where runs of length 0 split them."""
    if sum(runs) != height * width:
        raise mask.error(f"covers {sum(runs)} pixels, but the mask has {height} x {width}", "counts")
    columns: list[list[_Span]] = [[] for _ in range(width)]
    start = 0
    for position, run in enumerate(runs):
        end = start + run
        while position % 2 and start < end:
            column, top = divmod(start, height)
            bottom = min(height, top + end - start)
            spans = columns[column]
            if spans and spans[-1][1] == top:
                top = spans.pop()[0]
            spans.append((top, bottom))
            start = column * height + bottom
        start = end
    return columns


def _edges(columns: list[list[_Span]]) -> dict[_Vertex, list[_Vertex]]:
    """Edges between foreground and background, directed so that the foreground lies on one and the same side.

    Between two columns a side of a pixel is an edge where only one of both is foreground: the ends of all spans of
    both columns, in order, bound these pieces in pairs.
    """
    edges: dict[_Vertex, list[_Vertex]] = {}
    x1 = 0
    left: list[_Span] = []
    # Columns that are alike are one broad column.
    for right, alike in groupby([*columns, []]):
        x, x1 = x1, x1 + len(list(alike))
        ends = sorted([(y, 0) for span in left for y in span] + [(y, 1) for span in right for y in span])
        right_is_foreground = 0
        for (y1, side1), (y2, side2) in zip(ends[::2], ends[1::2], strict=True):
            right_is_foreground ^= side1
            if y1 < y2:
                begin, end = ((x, y2), (x, y1)) if right_is_foreground else ((x, y1), (x, y2))
                edges.setdefault(begin, []).append(end)
            right_is_foreground ^= side2
        for top, bottom in right:
            edges.setdefault((x, top), []).append((x1, top))
            edges.setdefault((x1, bottom), []).append((x, bottom))
        left = right
    return edges


def _loops(edges: dict[_Vertex, list[_Vertex]]) -> list[list[_Vertex]]:
    """The edges linked into closed loops; each vertex has as many edges in as out."""
    loops = []
    while edges:
        begin = next(iter(edges))
        loop: list[_Vertex] = []
        vertex = begin
        while not loop or vertex != begin:
            loop.append(vertex)
            ends = edges[vertex]
            vertex, emptied = ends.pop(), vertex
            if not ends:
                del edges[emptied]
        loops.append(loop)
    return loops


def _straightened(loop: list[_Vertex]) -> Points:
    """The loop without vertices at which it goes straight on."""
    turns = zip(loop[-1:] + loop[:-1], loop, loop[1:] + loop[:1], strict=True)
    return [
        [float(x), float(y)] for (px, py), (x, y), (nx, ny) in turns if (px == x) != (nx == x) or (py == y) != (ny == y)
    ]
