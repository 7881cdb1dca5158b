"""A bundle: one event and its images in a tar.gz, written where there is no network and posted later (format 1).

Nothing is unpacked to a disk. What a hostile archive may cost is bounded before it is read: unpacked bytes, members,
the size of each, and how far the whole may be compressed.
"""

import gzip
import io
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from pipeline.errors import InvalidRecordError
from schemas.common import MEBIBYTE
from schemas.reject import RejectReason

FORMAT_VERSION: Final = 1
PAYLOAD: Final = "payload.json"
_IMAGES: Final = "images"
_REFERENCES: Final = {"file": "sourceId", "inputFile": "inputSourceId"}


@dataclass(frozen=True, slots=True)
class BundleLimits:
    """Bytes, numbers and the factor by which a bundle may shrink when compressed (looked at beyond a mebibyte)."""

    packed_bytes: int = 25 * MEBIBYTE
    unpacked_bytes: int = 64 * MEBIBYTE
    member_bytes: int = 20 * MEBIBYTE
    payload_bytes: int = 4 * MEBIBYTE
    members: int = 300
    ratio: int = 100


@dataclass(frozen=True, slots=True)
class Bundle:
    """The event as the HTTP API takes it, but for its images, which name members; and the members they name."""

    event: dict[str, Any]
    images: dict[str, bytes]

    def event_with(self, source_ids: Mapping[str, str]) -> dict[str, Any]:
        """The event with each member replaced by the source id of its content."""
        if "images" not in self.event:
            return self.event
        images = [
            {
                _REFERENCES.get(key, key): source_ids[value] if key in _REFERENCES else value
                for key, value in view.items()
            }
            for view in self.event["images"]
        ]
        return self.event | {"images": images}


def read_bundle(content: bytes, limits: BundleLimits | None = None) -> Bundle:
    """Read a bundle. Raises InvalidRecordError that names the member at fault."""
    limits = limits or BundleLimits()
    if len(content) > limits.packed_bytes:
        raise _error("bundle", f"has {len(content)} bytes; {limits.packed_bytes} are the most")
    try:
        members = _members(content, limits)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError, MemoryError) as error:
        raise _error("bundle", f"is not a sound tar.gz: {error}") from None
    if PAYLOAD not in members:
        raise _error(PAYLOAD, "is missing")
    event = _event(members.pop(PAYLOAD))
    _check_references(event, members)
    return Bundle(event, members)


def _members(content: bytes, limits: BundleLimits) -> dict[str, bytes]:
    """The members of the format by name; those in other folders are read past."""
    members: dict[str, bytes] = {}
    stream = _Bounded(content, limits)
    with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload]
        for number, member in enumerate(archive):
            if number >= limits.members:
                raise _error("bundle", f"has more than {limits.members} members")
            name = _checked_name(member)
            if member.isdir() or name.partition("/")[0] not in (_IMAGES, PAYLOAD):
                continue
            limit = limits.payload_bytes if name == PAYLOAD else limits.member_bytes
            if member.size > limit:
                raise _error(name, f"has {member.size} bytes; {limit} are the most")
            if name in members:
                raise _error(name, "is there twice")
            file = archive.extractfile(member)
            members[name] = file.read(limit + 1) if file else b""
            if len(members[name]) != member.size:
                raise _error(name, "is cut short")
    return members


def _checked_name(member: tarfile.TarInfo) -> str:
    """The name of a member that may be in a bundle, whatever it is called."""
    name = member.name
    shown = repr(name[:200])[1:-1] or "(a member without a name)"
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise _error(shown, "is neither a file nor a folder; links and devices are refused")
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or not all(parts) or {".", ".."} & set(parts) or not name.isprintable():
        raise _error(shown, "is not a plain relative path")
    if member.isreg() and len(parts) == 1 and name != PAYLOAD:
        raise _error(shown, f"has no place in a bundle, which holds {PAYLOAD} and {_IMAGES}/")
    if member.isreg() and parts[0] == _IMAGES and len(parts) != 2:
        raise _error(shown, f"is deeper than {_IMAGES}/NAME")
    return name


def _event(content: bytes) -> dict[str, Any]:
    try:
        payload = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise _error(PAYLOAD, f"is not JSON: {error}") from None
    if not isinstance(payload, dict):
        raise _error(PAYLOAD, "is not a JSON object")
    version = payload.pop("bundleFormatVersion", None)
    if type(version) is not int or version != FORMAT_VERSION:
        raise _error(PAYLOAD, f"bundleFormatVersion is {version!r}; {FORMAT_VERSION} is understood")
    return payload


def _check_references(event: dict[str, Any], members: Mapping[str, bytes]) -> None:
    images = event.get("images") or []
    if not isinstance(images, list) or not all(isinstance(view, dict) for view in images):
        raise _error(PAYLOAD, "images is not a list of objects")
    event["images"] = images
    named: set[str] = set()
    for position, view in enumerate(images):
        for key, source in _REFERENCES.items():
            if key not in view:
                continue
            where = f"images.{position}.{key}"
            if source in view:
                raise _error(PAYLOAD, f"{where}: {source} names the same image; give one of both")
            if not isinstance(view[key], str) or view[key] not in members:
                raise _error(PAYLOAD, f"{where}: no member {view[key]!r}")
            named.add(view[key])
    if unnamed := members.keys() - named:
        raise _error(min(unnamed), f"no image of {PAYLOAD} refers to it")


class _Bounded:
    """The unpacked archive, for tarfile to read: ends in an error as soon as it is larger than it may be."""

    def __init__(self, content: bytes, limits: BundleLimits) -> None:
        self._file = gzip.GzipFile(fileobj=io.BytesIO(content))
        self._packed = len(content)
        self._limits = limits
        self._read = 0

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._read += len(data)
        if self._read > self._limits.unpacked_bytes:
            raise _error("bundle", f"unpacks to more than {self._limits.unpacked_bytes} bytes")
        if self._read > max(MEBIBYTE, self._packed * self._limits.ratio):
            raise _error("bundle", f"unpacks to more than {self._limits.ratio} times its size")
        return data


def _error(member: str, message: str) -> InvalidRecordError:
    return InvalidRecordError(RejectReason.INVALID_VALUE, message, member)
