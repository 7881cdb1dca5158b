"""What is produced: small and large records, images, broken ones, repeated ids, two workspaces; all from a seed."""

import base64
import hashlib
import io
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from PIL import Image

SERIAL = "load-serial"
"""Kafka header by which a record is found again in the log, whatever became of its acknowledgement."""

Headers = list[tuple[str, bytes]]


@dataclass(slots=True)
class Sent:
    """A record and what must become of it: stored with this content, or rejected for this reason."""

    value: bytes
    key: bytes
    workspace_id: str = ""
    event_id: str | None = None
    """None: the record has no id, so its place in Kafka gives it one."""
    content: bytes | None = None
    """Fingerprint of the event, see `fingerprint`; None where it must be rejected."""
    detections: int = 0
    images: tuple[str, ...] = ()
    reason: str | None = None
    timestamp_ms: int | None = None
    headers: Headers = field(default_factory=list)


def fingerprint(
    use_case_id: str,
    timestamp_us: int,
    device_id: str,
    metadata: dict[str, Any],
    detections: Sequence[Sequence[Any]],
    images: Sequence[str],
) -> bytes:
    """One hash over all that an event says. Numbers are chosen so that Float32 holds them exactly."""
    whole = [
        use_case_id,
        timestamp_us,
        device_id,
        sorted(metadata.items()),
        [list(d) for d in detections],
        list(images),
    ]
    return hashlib.sha256(orjson.dumps(whole)).digest()


class Mix:
    """An endless, seeded sequence of records for two use cases, each in a workspace of its own."""

    def __init__(self, seed: str, use_cases: Sequence[tuple[str, str]]) -> None:
        self._random = random.Random(seed)
        self._use_cases = use_cases
        self._pictures = [self._picture(size) for size in (16, 16, 24, 24, 32, 48, 64, 300)]
        self._sent_ids: list[dict[str, Any]] = []
        self._number = 0
        self.skew = timedelta()
        """How wrong the producer's clock is, in what it says and in Kafka's own timestamp."""

    def next(self) -> Sent:
        """The next record."""
        draw = self._random.random()
        if draw < 0.08:
            return self._broken()
        document = self._document(self.skew)
        if draw < 0.16 and self._sent_ids:
            self._repeat(document)
        elif draw < 0.22:
            del document["event_id"]
        elif draw < 0.30:
            picture = self._random.choice(self._pictures)
            document["images"] = [{"label": "top", "data": base64.b64encode(picture).decode()}]
        elif draw < 0.33:
            document["result"] = {"object_detections": [self._box() for _ in range(self._random.randrange(200, 1000))]}
        if "event_id" in document:
            self._sent_ids = [*self._sent_ids[-200:], document]
        return self._good(document)

    def large(self, size: int) -> Sent:
        """A record of nearly `size` bytes, most of them one image."""
        document = self._document(self.skew)
        side = 64
        while len(picture := self._picture(side)) < size * 3 // 4 - 20_000:
            side = int(side * max(1.01, ((size * 3 // 4 - 15_000) / len(picture)) ** 0.5))
        document["images"] = [{"label": "top", "data": base64.b64encode(picture).decode()}]
        return self._good(document)

    def _document(self, skew: timedelta) -> dict[str, Any]:
        self._number += 1
        workspace, use_case = self._random.choice(self._use_cases)
        now = datetime.now(UTC) + skew
        return {
            "workspace": workspace,
            "event_id": str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            "use_case_id": use_case,
            "timestamp": now.isoformat(timespec="microseconds"),
            "source": {"device_id": f"cam-{self._random.randrange(40)}"},
            "custom_metadata": {"number": self._number, "line_id": f"L{self._random.randrange(4)}"},
            "result": {"object_detections": [self._box() for _ in range(self._random.randrange(4))]},
        }

    def _box(self) -> dict[str, Any]:
        eighth = self._random.randrange
        return {
            "class": self._random.choice(("scratch", "dent", "person")),
            "confidence": eighth(9) / 8,
            **{name: eighth(1, 8000) / 8 for name in ("x", "y", "width", "height")},
        }

    def _picture(self, side: int) -> bytes:
        buffer = io.BytesIO()
        Image.frombytes("RGB", (side, side), self._random.randbytes(side * side * 3)).save(buffer, "PNG")
        return buffer.getvalue()

    def _repeat(self, document: dict[str, Any]) -> None:
        """The id of an earlier record: with its time as well, or with another, or in another use case's place."""
        earlier = self._random.choice(self._sent_ids)
        document["event_id"] = earlier["event_id"]
        document["workspace"], document["use_case_id"] = earlier["workspace"], earlier["use_case_id"]
        if self._random.random() < 0.5:
            document["timestamp"] = earlier["timestamp"]

    def _good(self, document: dict[str, Any]) -> Sent:
        raw = {key: value for key, value in document.items() if key != "workspace"}
        boxes = raw["result"]["object_detections"]
        images = tuple(hashlib.sha256(base64.b64decode(image["data"])).hexdigest() for image in raw.get("images", ()))
        content = fingerprint(
            raw["use_case_id"],
            int(datetime.fromisoformat(raw["timestamp"]).timestamp() * 1_000_000 + 0.5),
            raw["source"]["device_id"],
            raw["custom_metadata"],
            [[box[name] for name in ("class", "confidence", "x", "y", "width", "height")] for box in boxes],
            images,
        )
        sent = Sent(
            orjson.dumps(raw),
            raw["source"]["device_id"].encode(),
            document["workspace"],
            raw.get("event_id"),
            content,
            len(boxes),
            images,
        )
        moment = datetime.fromisoformat(raw["timestamp"])
        sent.timestamp_ms = int(moment.timestamp() * 1000)
        if not timedelta(days=-366) <= moment - datetime.now(UTC) <= timedelta(days=1):
            sent.content, sent.reason, sent.images, sent.detections = None, "invalid_timestamp", (), 0
        return sent

    def _broken(self) -> Sent:
        # By a right clock: with two defects at once, the order of checks would decide what it is rejected for.
        good = {key: value for key, value in self._document(timedelta()).items() if key != "workspace"}
        reason, value = self._random.choice(
            (
                ("not_json", b'{"use_case_id": '),
                ("not_json", b"\xff\xfe\x00"),
                ("unknown_format", {"hello": "world"}),
                ("unknown_field", good | {"use_cas": "x"}),
                ("invalid_value", good | {"result": {"classifications": [{"class": "a", "confidence": 91}]}}),
                ("unknown_use_case", good | {"use_case_id": "nobody-applied-this"}),
                ("invalid_timestamp", good | {"timestamp": "2026-11-23T10:00:00"}),
                ("invalid_metadata", good | {"custom_metadata": {"a": {"b": 1}}}),
                ("invalid_image", good | {"images": [{"data": "AAAA"}]}),
            )
        )
        return Sent(value if isinstance(value, bytes) else orjson.dumps(value), b"cam-x", reason=reason)
