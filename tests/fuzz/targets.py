"""What is fuzzed: each target takes bytes and fails on anything but the errors that its callers expect."""

import base64
import gzip
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson

from pipeline.core.bundle import read_bundle
from pipeline.core.formats.base import FormatError
from pipeline.core.formats.node import Node
from pipeline.core.formats.rle import outline
from pipeline.core.images import decode_base64, inspect_image
from pipeline.core.process import process
from pipeline.core.record import Record
from pipeline.errors import InvalidRecordError
from schemas.use_case import ImagePolicy
from schemas.vision_event import VisionEvent
from tests.unit.registry import NOW_MS, REGISTRY

POLICY = ImagePolicy()
HEADERS: tuple[list[tuple[str, bytes]], ...] = (
    [],
    [("vision-format", b"roboflow")],
    [("vision-format", b"\xff\x00")],
    [("ce_specversion", b"1.0"), ("ce_time", b"2026-11-23T10:00:00Z"), ("ce_source", b"\xff\n\r")],
    [("vision-origin", b"vision.inferences/0/1\x00\xff")],
)


def record(data: bytes) -> None:
    """A whole record: headers and key chosen by the first two bytes, the rest is its value."""
    if len(data) < 2:
        return
    value, headers = data[2:], HEADERS[data[0] % len(HEADERS)]
    key = (None, b"cam-7", b"\xff\xfe\x00", value[:300])[data[1] % 4]
    with suppress(InvalidRecordError):
        processed = process(Record(value, offset=7, timestamp=NOW_MS, key=key, headers=headers), REGISTRY)
        accepted(processed.event)


def accepted(event: dict[str, Any]) -> None:
    """An accepted event is what consumers are promised: JSON that the published schema allows."""
    VisionEvent.model_validate_json(orjson.dumps(event, option=orjson.OPT_UTC_Z))


def image(data: bytes) -> None:
    """The header of an image."""
    with suppress(InvalidRecordError):
        info = inspect_image(data, "images.0.data", POLICY)
        assert info.width * info.height <= POLICY.max_pixels
        assert info.width > 0
        assert info.height > 0


def base64_text(data: bytes) -> None:
    """Inline data, with and without a prefix."""
    text = data.decode("utf-8", "replace")
    with suppress(InvalidRecordError):
        content = decode_base64(text, "images.0.data", POLICY)
        assert len(content) <= POLICY.max_bytes
    assert decode_base64(base64.b64encode(data).decode(), "images.0.data", POLICY) == data


def mask(data: bytes) -> None:
    """A run-length encoded mask: two sides, then the packed counts."""
    if len(data) < 4:
        return
    size = [int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")]
    for counts in (data[4:].decode("latin-1"), list(data[4:])):
        with suppress(FormatError):
            points = outline(Node({"size": size, "counts": counts}))
            assert all(0 <= x <= size[1] and 0 <= y <= size[0] for x, y in points)


def bundle(data: bytes) -> None:
    """A bundle as it comes, and the same bytes as the tar within one."""
    for content in (data, gzip.compress(data, 1)):
        with suppress(InvalidRecordError):
            found = read_bundle(content)
            assert not any(".." in name or name.startswith("/") for name in found.images)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "record": record,
    "image": image,
    "base64": base64_text,
    "mask": mask,
    "bundle": bundle,
}
