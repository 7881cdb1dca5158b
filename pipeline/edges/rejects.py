"""Rejects in ClickHouse: counted and found by what they have in common, and what was decided of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import REJECT_COLUMNS, translated
from pipeline.errors import ConfigurationError
from schemas.topics import DAY_MS, INFERENCES

State = Literal["open", "replayed", "discarded"]
Place = tuple[str, int, int]
"""Topic, partition and offset."""

GROUPINGS: Final = {"reason": "reason", "use-case": "use_case_id", "device": "device_id", "day": "toDate(timestamp)"}
"""What rejects can be counted by, and its column."""

_PLACE: Final = re.compile(r"([A-Za-z0-9._-]+)/(\d+)/(\d+)")
_BYTES: Final[dict[str, str | dict[str, str]]] = {"key": "bytes", "value": "bytes", "headers": {"String": "bytes"}}


@dataclass(frozen=True, slots=True)
class RejectFilter:
    """Which rejects are meant. Fields that are None or empty do not narrow the choice."""

    ids: tuple[str, ...] = ()
    reason: str | None = None
    use_case: str | None = None
    device: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    states: tuple[State, ...] = ("open",)
    only_of: tuple[str, ...] | None = None
    """Use cases of which alone rejects are meant, for callers who may see no others."""
    none_of: tuple[str, ...] = ()
    """Use cases of which none is meant."""

    def condition(self) -> tuple[str, dict[str, Any]]:
        """A WHERE condition and its bound parameters. Raises ConfigurationError for an id of another form."""
        parts, values = ["1"], dict[str, Any]()
        for name, expression in (
            ("reason", "reason = {reason:String}"),
            ("use_case", "use_case_id = {use_case:String}"),
            ("device", "device_id = {device:String}"),
            ("since", "timestamp >= {since:DateTime64(3, 'UTC')}"),
            ("until", "timestamp < {until:DateTime64(3, 'UTC')}"),
        ):
            if (value := getattr(self, name)) is not None:
                parts.append(expression)
                values[name] = value
        if self.states:
            parts.append("state IN {states:Array(String)}")
            values["states"] = list(self.states)
        if self.only_of is not None:
            parts.append("use_case_id IN {only_of:Array(String)}")
            values["only_of"] = list(self.only_of)
        if self.none_of:
            parts.append("use_case_id NOT IN {none_of:Array(String)}")
            values["none_of"] = list(self.none_of)
        if self.ids:
            parts.append("(topic, partition, offset) IN {ids:Array(Tuple(String, UInt32, UInt64))}")
            values["ids"] = [place_named(text) for text in self.ids]
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
    headers: Sequence[tuple[str, bytes]]

    @property
    def id(self) -> str:
        """What the commands call it: topic/partition/offset."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Decision(NamedTuple):
    """What somebody decided of a reject."""

    state: str
    decided_at: datetime
    decided_by: str
    note: str


def place_named(text: str) -> Place:
    """The place that an id names. Raises ConfigurationError for an id of another form."""
    matched = _PLACE.fullmatch(text)
    if matched is None:
        raise ConfigurationError(f"{text!r} is not the id of a reject; an id is topic/partition/offset, as listed")
    return matched[1], int(matched[2]), int(matched[3])


def count_rejects(client: Client, chosen: RejectFilter, by: Sequence[str] = ("reason",)) -> list[dict[str, Any]]:
    """Rejects counted by some of GROUPINGS, most frequent first: the groups, `rejects`, `oldest` and `newest`."""
    condition, values = chosen.condition()
    columns = ", ".join(f"{GROUPINGS[name]} AS `{name}`" for name in by)
    names = ", ".join(f"`{name}`" for name in by)
    with translated():
        found = client.query(
            f"SELECT {columns}, count() AS rejects, min(timestamp) AS oldest, max(timestamp) AS newest FROM rejects "
            f"WHERE {condition} GROUP BY {names} ORDER BY rejects DESC, {names}",
            parameters=values,
        )
        return list(found.named_results())


def list_rejects(client: Client, chosen: RejectFilter, limit: int) -> list[dict[str, Any]]:
    """The newest rejects that match, without the records themselves."""
    condition, values = chosen.condition()
    with translated():
        found = client.query(
            "SELECT concat(topic, '/', toString(partition), '/', toString(offset)) AS id, timestamp, "
            "reason, message, field, use_case_id, device_id, attempts, state, decided_at, decided_by, note "
            f"FROM rejects WHERE {condition} ORDER BY timestamp DESC, topic, partition, offset LIMIT {{limit:UInt32}}",
            parameters=values | {"limit": limit},
        )
        return list(found.named_results())


def list_places(client: Client, chosen: RejectFilter, limit: int | None = None) -> list[tuple[Place, int]]:
    """Where the rejects that match lie, in order, each with the size of its record in bytes; at most `limit`."""
    condition, values = chosen.condition()
    with translated():
        rows = client.query(
            f"SELECT topic, partition, offset, length(value) FROM rejects WHERE {condition} "
            f"ORDER BY topic, partition, offset{'' if limit is None else f' LIMIT {limit:d}'}",
            parameters=values,
        ).result_rows
    return [((row[0], row[1], row[2]), row[3]) for row in rows]


def read_rejects(client: Client, places: Sequence[Place]) -> list[StoredReject]:
    """Rejects with their records, whatever was decided of them. `places` is of one partition, in order."""
    (topic, partition, first), last = places[0], places[-1][2]
    columns = ", ".join(REJECT_COLUMNS)
    with translated():
        rows = client.query(
            f"SELECT {columns} FROM stored_rejects FINAL WHERE topic = {{topic:String}} "
            "AND partition = {partition:UInt32} AND offset BETWEEN {first:UInt64} AND {last:UInt64} ORDER BY offset",
            parameters={"topic": topic, "partition": partition, "first": first, "last": last},
            column_formats=_BYTES,
        ).result_rows
    wanted = set(places)
    return [_reject(row) for row in rows if tuple(row[:3]) in wanted]


def _reject(row: Sequence[Any]) -> StoredReject:
    headers = tuple((header["name"].decode(), header["value"]) for header in row[-1])
    return StoredReject(*(*row[:-1], headers))


def discard(client: Client, chosen: RejectFilter, by: str, note: str) -> int:
    """Mark rejects as discarded and return how many. They stay readable and countable, and can be replayed."""
    condition, values = chosen.condition()
    with translated():
        count: int = client.query(f"SELECT count() FROM rejects WHERE {condition}", parameters=values).result_rows[0][0]
        client.command(
            "INSERT INTO reject_decisions (topic, partition, offset, state, decided_by, note) "
            "SELECT topic, partition, offset, 'discarded', {by:String}, {note:String} "
            f"FROM rejects WHERE {condition}",
            parameters=values | {"by": by, "note": note},
        )
    return count


def keep_for(client: Client, days: int) -> bool:
    """Set how long rejects are kept; true when it was another time before. Raises as `clickhouse.translated`.

    Decisions are kept as long as the raw record behind them can be read again after the reject itself is gone.
    """
    kept = f"toIntervalDay({days})"
    with translated():
        (table,) = client.query(
            "SELECT create_table_query FROM system.tables "
            "WHERE database = currentDatabase() AND name = 'stored_rejects'"
        ).result_rows[0]
        if kept in table:
            return False
        client.command(f"ALTER TABLE stored_rejects MODIFY TTL toDateTime(inserted_at) + {kept}")
        longer = days + INFERENCES.retention_ms // DAY_MS
        client.command(f"ALTER TABLE reject_decisions MODIFY TTL toDateTime(decided_at) + toIntervalDay({longer})")
    return True


def decisions_of(client: Client, place: Place) -> list[Decision]:
    """Everything that was decided of a reject, oldest first."""
    with translated():
        rows = client.query(
            "SELECT state, decided_at, decided_by, note FROM reject_decisions WHERE topic = {topic:String} "
            "AND partition = {partition:UInt32} AND offset = {offset:UInt64} ORDER BY decided_at",
            parameters=dict(zip(("topic", "partition", "offset"), place, strict=True)),
        ).result_rows
    return [Decision(*row) for row in rows]
