"""Where in a record, as its producer sent it, the field lies that a reject names.

A reject names fields of the canonical form (`images.0.data`); the record may have them under the names of the HTTP API,
at other levels, or not at all.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

Key = str | int

_DEEPEST: Final = 100
_LONGEST_TEXT: Final = 200
_LONGEST_RAW: Final = 4_000

_OTHER_NAMES: Final = {
    "use_case_id": ("solution",),
    "event_type": ("event_schema",),
    "timestamp": ("inference_timestamp",),
}
_IMAGE_NAMES: Final = {
    "output": {"image_id": "sourceId", "data": "base64Image"},
    "original": {"image_id": "inputSourceId", "data": "inputBase64Image"},
}
_LEVELS: Final = frozenset({"source", "result"})
"""Objects of the canonical form whose fields may lie one level further out."""


def locate(document: Any, field: str) -> tuple[tuple[Key, ...], bool]:
    """The path within `document` of the field that a reject names, and whether it is that field itself.

    Where it is not in the record, the path is that of the nearest object or list around it.
    """
    best: tuple[Key, ...] = ()
    parts = tuple(field.split(".")) if field else ()
    for path, whole in _ways(document, parts, ""):
        if whole:
            return path, True
        if len(path) > len(best):
            best = path
    return best, False


def marked_lines(value: bytes, field: str) -> list[tuple[str, bool]]:
    """A record as indented JSON lines, each with whether it is the named field; raw text if it is no JSON."""
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        return [(line, True) for line in value[:_LONGEST_RAW].decode("utf-8", "backslashreplace").splitlines() or [""]]
    path = locate(document, field)[0] if field else None
    lines: list[tuple[str, bool]] = []
    _render(document, (), path or None, lines, "")
    return lines


def around_marks(lines: Sequence[tuple[str, bool]], most: int) -> tuple[int, Sequence[tuple[str, bool]]]:
    """At most so many of the lines, those before and behind the first marked one, and how many are left out before."""
    mark = next((number for number, (_, marked) in enumerate(lines) if marked), 0)
    start = max(0, min(mark - most // 2, len(lines) - most))
    return start, lines[start : start + most]


def holds(value: bytes, field: str) -> bool:
    """Whether a record has the field that a reject names. One that is not JSON is at fault as a whole."""
    try:
        return locate(orjson.loads(value), field)[1]
    except orjson.JSONDecodeError:
        return True


def _ways(node: Any, parts: tuple[str, ...], role: str) -> Iterator[tuple[tuple[Key, ...], bool]]:
    """Every way down from a node along the parts, as far as it leads, and whether it leads to the end."""
    if not parts:
        yield (), True
        return
    part, rest = parts[0], parts[1:]
    if isinstance(node, list):
        if part.isdecimal() and int(part) < len(node):
            yield from _below(int(part), node[int(part)], rest, role)
        else:
            yield (), False
        return
    if not isinstance(node, dict):
        yield (), False
        return
    api_images = node.get("images") if part == "images" and rest and rest[0].isdecimal() else None
    if isinstance(api_images, list) and (found := _view_of(api_images, int(rest[0]))):
        position, role = found
        for path, whole in _ways(api_images[position], rest[1:], role):
            yield ("images", position, *path), whole
    # A field name may hold a dot itself: longer names first.
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        for key in (name, *(_names_of(name, role) if length == 1 else ())):
            if key in node:
                yield from _below(key, node[key], parts[length:], role)
    if part in _LEVELS and part not in node:
        yield from _ways(node, rest, role)
    yield (), False


def _below(key: Key, child: Any, rest: tuple[str, ...], role: str) -> Iterator[tuple[tuple[Key, ...], bool]]:
    for path, whole in _ways(child, rest, role):
        yield (key, *path), whole


def _names_of(name: str, role: str) -> tuple[str, ...]:
    """What else a field of the canonical form is called by producers."""
    camel = re.sub(r"_([a-z0-9])", lambda matched: matched[1].upper(), name)
    in_image = _IMAGE_NAMES[role].get(name) if role else None
    return tuple(other for other in (camel, in_image, *_OTHER_NAMES.get(name, ())) if other and other != name)


def _view_of(images: list[Any], number: int) -> tuple[int, str] | None:
    """Which of the HTTP API's images the canonical image `number` came from, and its role in it.

    An image of the API with both an output and an original becomes two. None where images are not of that form.
    """
    roles = []
    for position, image in enumerate(images):
        keys = image.keys() if isinstance(image, dict) else set()
        output, original = (bool(keys & set(names.values())) for names in _IMAGE_NAMES.values())
        roles += [(position, "output")] if output or not original else []
        roles += [(position, "original")] if original else []
        if keys & {"role", "data", "image_id", "uri"}:
            return None
    return roles[number] if number < len(roles) else None


def _render(
    node: Any, path: tuple[Key, ...], marked: tuple[Key, ...] | None, lines: list[tuple[str, bool]], label: str
) -> None:
    indent, offending = "  " * len(path), path == marked
    if isinstance(node, (dict, list)) and node:
        opening, closing = "{}" if isinstance(node, dict) else "[]"
        if len(path) >= _DEEPEST:
            lines.append((f"{indent}{label}{opening} ... {closing}", offending))
            return
        lines.append((f"{indent}{label}{opening}", offending))
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            name = f"{orjson.dumps(key).decode()}: " if isinstance(node, dict) else ""
            _render(child, (*path, key), marked, lines, name)
        lines.append((f"{indent}{closing}", False))
        return
    text = orjson.dumps(node).decode()
    short = text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + " ..."
    lines.append((f"{indent}{label}{short}", offending))
