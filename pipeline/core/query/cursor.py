"""Where the next page begins, as a text that clients hand back: signed, and good for its own query only."""

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final, NamedTuple

from pipeline.core.query.document import EventFilters, EventQuery

_HEAD: Final = struct.Struct(">Bq")
_VERSION: Final = 1
_SIGNATURE_BYTES: Final = 16


class InvalidCursorError(ValueError):
    """A cursor that was not made here, not for this query, or not for this workspace."""


class Position(NamedTuple):
    """The place of an event among those of its use case: microseconds since the epoch, then the id."""

    timestamp: int
    event_id: str


class CursorSigner:
    """Makes and reads the cursors of one query in one workspace. `limit` may change from page to page."""

    def __init__(self, secret: bytes, workspace_id: str, query: EventFilters) -> None:
        described = query.model_dump_json(exclude={"limit", "cursor"} & set(EventQuery.model_fields))
        purpose = f"vision-events cursor\0{workspace_id}\0{described}"
        self._key = hmac.new(secret, purpose.encode(), hashlib.sha256).digest()

    def write(self, position: Position) -> str:
        """The cursor of what comes after an event."""
        content = _HEAD.pack(_VERSION, position.timestamp) + position.event_id.encode()
        return urlsafe_b64encode(self._signature(content) + content).rstrip(b"=").decode()

    def read(self, cursor: str) -> Position:
        """The place that a cursor stands for. Raises InvalidCursorError."""
        try:
            signed = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except ValueError:
            signed = b""
        signature, content = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
        if len(content) < _HEAD.size or not hmac.compare_digest(signature, self._signature(content)):
            raise InvalidCursorError("not a cursor of this query: repeat the query as it was, or begin without cursor")
        _, timestamp = _HEAD.unpack_from(content)
        return Position(timestamp, content[_HEAD.size :].decode())

    def _signature(self, content: bytes) -> bytes:
        return hmac.new(self._key, content, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
