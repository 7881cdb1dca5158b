"""Rejects in ClickHouse: found by what they have in common, and marked when they are dealt with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import REJECT_COLUMNS, translated
from pipeline.errors import ConfigurationError

_PLACE: Final = re.compile(r"([A-Za-z0-9._-]+)/(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class RejectFilter:
    """Which rejects are meant. Fields that are None do not narrow the choice."""

    ids: tuple[str, ...] = ()
    reason: str | None = None
    use_case: str | None = None
    device: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    state: str | None = "open"

    def condition(self) -> tuple[str, dict[str, Any]]:
        """A WHERE condition and its bound parameters. Raises ConfigurationError for an id of another form."""
        parts, values = ["1"], dict[str, Any]()
        for name, expression in (
            ("reason", "reason = {reason:String}"),
            ("use_case", "use_case_id = {use_case:String}"),
            ("device", "device_id = {device:String}"),
            ("since", "timestamp >= {since:DateTime64(3, 'UTC')}"),
            ("until", "timestamp < {until:DateTime64(3, 'UTC')}"),
            ("state", "state = {state:String}"),
        ):
            if (value := getattr(self, name)) is not None:
                parts.append(expression)
                values[name] = value
        if self.ids:
            parts.append("(topic, partition, offset) IN {ids:Array(Tuple(String, UInt32, UInt64))}")
            values["ids"] = [_place(text) for text in self.ids]
        return " AND ".join(parts), values


class StoredReject(NamedTuple):
    """A reject as it is stored; the fields are those of `schemas.reject.Reject`."""

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    reason: str
    message: str
    field: str
    use_case_id: str
    device_id: str
    key: bytes
    value: bytes
    headers: Sequence[dict[str, Any]]
    """`name` (text) and `value` (bytes) of each."""

    @property
    def id(self) -> str:
        """What the commands call it: topic/partition/offset."""
        return f"{self.topic}/{self.partition}/{self.offset}"


def _place(text: str) -> tuple[str, int, int]:
    matched = _PLACE.fullmatch(text)
    if matched is None:
        raise ConfigurationError(f"{text!r} is not the id of a reject; an id is topic/partition/offset, as listed")
    return matched[1], int(matched[2]), int(matched[3])


def count_by_reason(client: Client, chosen: RejectFilter) -> list[tuple[str, int, datetime]]:
    """Reason, number and time of the newest, most frequent first."""
    condition, values = chosen.condition()
    with translated():
        rows = client.query(
            f"SELECT reason, count() AS n, max(timestamp) FROM rejects WHERE {condition} "
            "GROUP BY reason ORDER BY n DESC",
            parameters=values,
        ).result_rows
    return [(row[0], row[1], row[2]) for row in rows]


def find_rejects(client: Client, chosen: RejectFilter, limit: int) -> list[StoredReject]:
    """The newest rejects that match, whole."""
    condition, values = chosen.condition()
    columns = ", ".join(REJECT_COLUMNS)
    with translated():
        rows = client.query(
            f"SELECT {columns} FROM rejects WHERE {condition} ORDER BY timestamp DESC, topic, partition, offset "
            "LIMIT {limit:UInt32}",
            parameters=values | {"limit": limit},
            column_formats={"key": "bytes", "value": "bytes", "headers": {"value": "bytes"}},
        ).result_rows
    return [StoredReject(*row) for row in rows]


def mark(client: Client, rejects: Sequence[StoredReject], state: str, note: str = "") -> None:
    """Mark rejects as replayed or discarded; they stay countable."""
    rows = [
        (*reject[:-1], [(header["name"], header["value"]) for header in reject.headers], state, note)
        for reject in rejects
    ]
    with translated():
        client.insert("stored_rejects", rows, column_names=(*REJECT_COLUMNS, "state", "note"))
