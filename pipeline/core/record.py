"""What the core needs of a Kafka record. aiokafka's records have this shape as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class RawRecord(Protocol):
    """A record of the raw topic. `timestamp` is milliseconds since the epoch, set by the broker."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Record:
    """A raw record that did not come from a consumer: tests, rule trials, benchmarks."""

    value: bytes | None
    topic: str = "vision.inferences"
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


ORIGIN_HEADER = "vision-origin"
"""Kafka header of a replayed reject: topic/partition/offset of its first try."""
ORIGIN_TIME_HEADER = "vision-origin-time"
"""Kafka header of a replayed reject: when its first try arrived, in milliseconds since the epoch."""


def first_try(record: RawRecord) -> RawRecord:
    """The record as it was when it came first: a replayed reject has the id, the time and the version of its first try.

    So a replay, and a second one, changes nothing that came in between. An origin that is not later is not believed.
    """
    headers = dict(record.headers)
    try:
        topic, partition, offset = headers[ORIGIN_HEADER].decode().rsplit("/", 2)
        moment = min(int(headers.get(ORIGIN_TIME_HEADER, record.timestamp)), record.timestamp)
        return Record(record.value, topic, int(partition), int(offset), moment, record.key, record.headers)
    except (KeyError, ValueError):
        return record


def place_of(record: RawRecord) -> str:
    """Where a record lies in Kafka, as people and headers name it: topic/partition/offset."""
    return f"{record.topic}/{record.partition}/{record.offset}"


def row_version(timestamp_ms: int, offset: int) -> int:
    """Which of several events with one id is the later: by the broker's time, then by offset.

    The same record always gives the same version, so a redelivery or a replay of old records never wins over what
    came after it. 2**20 offsets a millisecond are told apart, more than a partition takes.
    """
    return (timestamp_ms << 20) | (offset & 0xFFFFF)


def arrival_ms(version: int) -> int:
    """When the record of a row arrived at the broker, in milliseconds since the epoch."""
    return version >> 20
