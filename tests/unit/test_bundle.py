"""Bundles: format 1 as the workflow block writes it, and archives that mean harm."""

import gzip
import io
import random
import tarfile
import tracemalloc
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.bundle import BundleLimits, read_bundle
from pipeline.errors import InvalidRecordError
from schemas.common import MEBIBYTE

SMALL = BundleLimits(unpacked_bytes=2 * MEBIBYTE, member_bytes=100_000, payload_bytes=50_000, members=20, ratio=50)


def payload(**changes: Any) -> dict[str, Any]:
    """What the bundle block writes."""
    return {
        "bundleFormatVersion": 1,
        "eventId": "6f0c7a52-6f0e-4a8e-9e57-0f2b9d7f0c11",
        "eventType": "quality_check",
        "timestamp": "2026-11-24T10:00:00.123456+00:00",
        "images": [{"file": "images/a.jpg", "inputFile": "images/b.jpg", "label": "workflow"}],
        "eventData": {"result": "fail"},
        "displayImagePosition": 0,
    } | changes


Member = tuple[str, bytes] | tarfile.TarInfo


def packed(*members: Member, compress: bool = True, kind: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz" if compress else "w", format=kind) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return buffer.getvalue()


def bundle(document: Any = None, **images: bytes) -> bytes:
    content = orjson.dumps(payload() if document is None else document)
    images = images or {"a": b"output", "b": b"original"}
    return packed(("payload.json", content), *((f"images/{name}.jpg", image) for name, image in images.items()))


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_a_bundle_of_the_block_is_read() -> None:
    read = read_bundle(bundle())
    assert read.images == {"images/a.jpg": b"output", "images/b.jpg": b"original"}
    event = read.event_with({"images/a.jpg": "A", "images/b.jpg": "B"})
    assert event["images"] == [{"sourceId": "A", "inputSourceId": "B", "label": "workflow"}]
    assert "bundleFormatVersion" not in event
    assert event["eventData"] == {"result": "fail"}


def test_an_event_without_images_and_folders_of_later_formats() -> None:
    members = [
        special("images", tarfile.DIRTYPE),
        ("payload.json", orjson.dumps(payload(images=[]))),
        special("videos", tarfile.DIRTYPE),
        ("videos/deep/clip.mp4", b"x" * 500_000),
    ]
    read = read_bundle(packed(*members), SMALL)
    assert (read.images, read.event["images"]) == ({}, [])


GOOD = ("payload.json", orjson.dumps(payload(images=[])))
HOSTILE: dict[str, tuple[bytes, str]] = {
    "no gzip": (packed(GOOD, compress=False), "bundle: is not a sound tar.gz"),
    "nothing": (b"", "bundle: is not a sound tar.gz"),
    "cut": (bundle()[:-200], "sound tar.gz|cut short"),
    "no tar": (gzip.compress(b"hello" * 500), "bundle: is not a sound tar.gz"),
    "no payload": (packed(("images/a.jpg", b"")), "payload.json: is missing"),
    "payload of no JSON": (packed(("payload.json", b"{")), "payload.json: is not JSON"),
    "payload of a list": (packed(("payload.json", b"[]")), "payload.json: is not a JSON object"),
    "no version": (bundle({"images": []}), "bundleFormatVersion is None"),
    "version 2": (bundle(payload(bundleFormatVersion=2)), "bundleFormatVersion is 2; 1 is understood"),
    "version true": (bundle(payload(bundleFormatVersion=True)), "bundleFormatVersion is True"),
    "escape": (packed(GOOD, ("../../etc/passwd", b"x")), "../../etc/passwd: is not a plain relative path"),
    "escape inside": (packed(GOOD, ("images/../../x", b"x")), "images/../../x: is not a plain relative path"),
    "no name": (packed(GOOD, ("\0", b"")), "\\(a member without a name\\): is not a plain relative path"),
    "absolute": (packed(GOOD, ("/etc/passwd", b"x")), "/etc/passwd: is not a plain relative path"),
    "backslash": (packed(GOOD, ("images\\..\\x", b"x")), "is not a plain relative path"),
    "control character": (packed(GOOD, ("images/a\x1b[2J", b"x")), "is not a plain relative path"),
    "symbolic link": (packed(GOOD, special("images/a", tarfile.SYMTYPE, "/etc/passwd")), "images/a: is neither"),
    "hard link": (packed(GOOD, special("images/a", tarfile.LNKTYPE, "payload.json")), "images/a: is neither"),
    "device": (packed(GOOD, special("images/null", tarfile.CHRTYPE)), "images/null: is neither"),
    "pipe": (packed(GOOD, special("images/pipe", tarfile.FIFOTYPE)), "images/pipe: is neither"),
    "twice": (packed(GOOD, GOOD), "payload.json: is there twice"),
    "deep image": (packed(GOOD, ("images/a/b.jpg", b"x")), "images/a/b.jpg: is deeper"),
    "stranger": (packed(GOOD, ("run.sh", b"x")), "run.sh: has no place"),
    "unnamed image": (packed(GOOD, ("images/a.jpg", b"x")), "images/a.jpg: no image of payload.json refers to it"),
    "missing image": (bundle(None, a=b"x"), "payload.json: images.0.inputFile: no member 'images/b.jpg'"),
    "image of no text": (bundle(payload(images=[{"file": 7}])), "images.0.file: no member 7"),
    "both names": (
        bundle(payload(images=[{"file": "images/a.jpg", "sourceId": "x"}])),
        "images.0.file: sourceId names",
    ),
    "images of no list": (bundle(payload(images={"a": 1})), "images is not a list"),
    "large member": (packed(GOOD, ("images/a.jpg", random.Random(1).randbytes(100_001))), "images/a.jpg: has 100001"),
    "large payload": (packed(("payload.json", b" " * 50_001)), "payload.json: has 50001 bytes; 50000 are"),
    "many members": (packed(GOOD, *((f"x/{number}", b"") for number in range(20))), "bundle: has more than 20"),
    "bomb": (packed(GOOD, ("x/zeros", bytes(30 * MEBIBYTE))), "bundle: unpacks to more than 50 times its size"),
    "large": (
        packed(GOOD, ("x/noise", random.Random(2).randbytes(3 * MEBIBYTE))),
        "bundle: unpacks to more than 2097152",
    ),
    "long name": (packed(GOOD, ("x/" + "n" * 3 * MEBIBYTE, b""), kind=tarfile.GNU_FORMAT), "bundle: unpacks to more"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_bundle_is_refused_by_name(name: str) -> None:
    content, said = HOSTILE[name]
    with pytest.raises(InvalidRecordError, match=said.replace("[", "\\[").replace("\\..\\", "")):
        read_bundle(content, SMALL)


def test_a_bundle_larger_than_the_call_takes() -> None:
    with pytest.raises(InvalidRecordError, match="has 26214401 bytes"):
        read_bundle(bytes(25 * MEBIBYTE + 1))


def test_a_bomb_costs_no_memory() -> None:
    bomb = packed(GOOD, ("x/zeros", bytes(40 * MEBIBYTE)))
    tracemalloc.start()
    try:
        with pytest.raises(InvalidRecordError, match="times its size"):
            read_bundle(bomb)
        assert tracemalloc.get_traced_memory()[1] < 8 * MEBIBYTE
    finally:
        tracemalloc.stop()


names = st.text("abc./\\\x00é", min_size=1, max_size=12) | st.sampled_from(["payload.json", "images/a.jpg"])
kinds = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.GNUTYPE_SPARSE])
pax = st.dictionaries(
    st.sampled_from(["size", "path", "GNU.sparse.major", "GNU.sparse.map", "linkpath"]), st.text(max_size=9)
)


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """Archives of any members, their bytes then changed at some places."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=draw(st.sampled_from([0, 1, 2]))) as tar:
        if draw(st.booleans()):
            info = tarfile.TarInfo("payload.json")
            info.size = len(GOOD[1])
            tar.addfile(info, io.BytesIO(GOOD[1]))
        for name in draw(st.lists(names, max_size=4)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = draw(kinds), draw(names)
            content = draw(st.binary(max_size=600)) if info.isreg() else b""
            info.size = len(content)
            info.pax_headers = draw(pax)
            try:
                tar.addfile(info, io.BytesIO(content))
            except ValueError:  # what the writer itself refuses
                continue
    raw = bytearray(buffer.getvalue())
    for place, byte in draw(st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 255)), max_size=6)):
        if place < len(raw):
            raw[place] = byte
    packed_bytes = bytearray(gzip.compress(bytes(raw), 1))
    for place, byte in draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=2)):
        if place < len(packed_bytes):
            packed_bytes[place] = byte
    return bytes(packed_bytes)


@settings(max_examples=100, deadline=None)
@given(archives() | st.binary(max_size=300) | st.binary(max_size=300).map(gzip.compress))
def test_any_archive_is_read_or_refused_with_a_reason(content: bytes) -> None:
    refusal = None
    try:
        read = read_bundle(content, SMALL)
    except InvalidRecordError as error:
        refusal = error
    if refusal is not None:
        assert refusal.field
        assert refusal.message
    else:
        assert all(name.startswith("images/") for name in read.images)
        assert sum(map(len, read.images.values())) <= SMALL.unpacked_bytes
