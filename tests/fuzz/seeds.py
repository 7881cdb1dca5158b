"""What fuzzing starts from, and how JSON is changed so that it stays JSON."""

import gzip
import io
import random
import tarfile
from pathlib import Path
from typing import Any

import orjson
from PIL import Image

from tests.unit.formats_support import examples

HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1e308, -0.0, 2**63, 2**64 - 1, -(2**63), 10**15, "", "\x00", "'; DROP TABLE"),
    *("../../../etc/passwd", "s3://a/../b", "a\r\nX-Injected: 1", "\u202e", "NaN", "1e999", "0" * 64, [], {}, [[]]),
    *("x" * 1001, {"a": {"b": {}}}, ["x"] * 1001, "2026-11-23T10:00:00Z", "0001-01-01T00:00:00+23:59"),
)


def write_corpus(target: str, folder: Path) -> None:
    """Golden files of every format for records, one image of each kind for images."""
    folder.mkdir(parents=True, exist_ok=True)
    if target == "record":
        for name, stem, golden in examples():
            (folder / f"{name}-{stem}").write_bytes(b"\x00\x01" + orjson.dumps(golden["input"]))
    elif target == "image":
        for kind in ("JPEG", "PNG", "WEBP"):
            buffer = io.BytesIO()
            Image.new("RGB", (32, 24), "red").save(buffer, kind)
            (folder / kind).write_bytes(buffer.getvalue())
    elif target == "mask":
        (folder / "one").write_bytes(b"\x00\x04\x00\x04" + b"51K4")
    elif target == "bundle":
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for name, content in (
                ("payload.json", b'{"bundleFormatVersion": 1, "images": []}'),
                ("images/a.jpg", b"x"),
            ):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        (folder / "tar").write_bytes(buffer.getvalue())
        (folder / "gz").write_bytes(gzip.compress(buffer.getvalue()))
    else:
        (folder / "one").write_bytes(b"data:image/png;base64,iVBORw0KGgo=")


def mutated_record(data: bytes, max_size: int, seed: int, plain: Any) -> bytes:
    """Change one node of the JSON in a record; where that is no JSON, and now and then, change bytes instead."""
    generator = random.Random(seed)
    try:
        document = orjson.loads(data[2:])
    except (orjson.JSONDecodeError, IndexError):
        return bytes(plain(data, max_size))
    if generator.random() < 0.1:
        return bytes(plain(data, max_size))
    holder = {"": document}
    node, key = _choose(holder, generator)
    change = generator.randrange(5)
    if change == 0 and node is not holder:
        del node[key]
    elif change == 1 and isinstance(node, dict) and node is not holder:
        node[generator.choice(_KEYS)] = node[key]
    elif change == 2:
        node[key] = [node[key]] * generator.randrange(4)
    elif change == 3:
        other, place = _choose({"": document}, generator)
        node[key] = orjson.loads(orjson.dumps(other[place]))
    else:
        node[key] = generator.choice(HOSTILE)
    head = bytes([generator.randrange(256), generator.randrange(256)])
    try:
        return (head + orjson.dumps(holder[""]))[:max_size]
    except TypeError:
        return data


def _choose(node: Any, generator: random.Random) -> tuple[Any, Any]:
    """A container and a key of it, somewhere below `node`."""
    key = generator.choice(list(node) if isinstance(node, dict) else range(len(node)))
    below = node[key]
    while isinstance(below, dict | list) and below and generator.random() < 0.8:
        node, key = below, generator.choice(list(below) if isinstance(below, dict) else range(len(below)))
        below = node[key]
    return node, key


def _names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(_names, value.values()))
    return set().union(*map(_names, value)) if isinstance(value, list) else set()


_KEYS = sorted(set().union(*(_names(golden["input"]) for _, _, golden in examples())) | {"result", "images", "source"})
