"""Deleting events. A deletion is a tombstone: a row that says of its key that nothing is there any more.

Its version is one higher than that of the newest row of the id. So it hides every row of the id that came before,
also one that is delivered again or read again from Kafka, and gives way to any event that is sent later: no row of a
later record has a lower version. All keys of an id get one, so that no earlier version comes back (decision 2).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from clickhouse_connect.driver import Client

from pipeline.core.query.conditions import Bindings
from pipeline.core.query.replaced import rank
from pipeline.core.query.statements import Statement
from pipeline.edges.clickhouse import translated
from pipeline.edges.queries import Deadline, rows

_KEPT_DAYS: Final = 30
"""A tombstone outlives what it hides, and the raw topic (7 days), from which the event could be read again."""

_COLUMNS: Final = (
    *("workspace_id", "event_id", "use_case_id", "timestamp", "retention_days"),
    *("topic", "partition", "offset", "version", "is_deleted"),
)


def delete_events(
    client: Client, workspace_id: str, use_case_id: str, event_ids: Sequence[str], timeout_s: float
) -> list[str]:
    """Delete events of a use case and return the ids of those that were there, in the order given.

    Raises QueryLimitError, and as `clickhouse.translated`.
    """
    by_id: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows(client, _keys_of(workspace_id, event_ids), Deadline(timeout_s)):
        by_id[row["event_id"]].append(row)
    deleted, tombstones = [], []
    for event_id in dict.fromkeys(event_ids):
        newest = max(by_id[event_id], key=rank, default=None)
        if newest is None or newest["is_deleted"] or newest["use_case_id"] != use_case_id:
            continue
        deleted.append(event_id)
        tombstones += [_tombstone(workspace_id, row, newest) for row in by_id[event_id]]
    if tombstones:
        with translated():
            client.insert("stored_events", tombstones, column_names=_COLUMNS)
    return deleted


def _keys_of(workspace_id: str, event_ids: Sequence[str]) -> Statement:
    """The newest row of every key of these ids."""
    bindings = Bindings()
    ids = bindings.bind(list(event_ids), "Array(String)")
    return Statement(
        f"""SELECT event_id, use_case_id, timestamp, toUnixTimestamp64Micro(timestamp) AS moment, retention_days,
    newest.1 AS version, toUnixTimestamp64Milli(newest.2) AS inserted_ms,
    newest.3 AS is_deleted, newest.4 AS topic, newest.5 AS partition, newest.6 AS offset
FROM
(
    SELECT event_id, use_case_id, timestamp, max(retention_days) AS retention_days,
        max((version, inserted_at, is_deleted, topic, partition, offset)) AS newest
    FROM stored_events
    PREWHERE event_id_hash IN (SELECT cityHash64(arrayJoin({ids})))
    WHERE workspace_id = {bindings.bind(workspace_id, "String")} AND event_id IN {ids}
    GROUP BY event_id, use_case_id, timestamp
)""",
        bindings.values,
    )


def _tombstone(workspace_id: str, row: dict[str, Any], newest: dict[str, Any]) -> tuple[Any, ...]:
    return (
        *(workspace_id, row["event_id"], row["use_case_id"], row["moment"], max(row["retention_days"], _KEPT_DAYS)),
        *(newest["topic"], newest["partition"], newest["offset"], newest["version"] + 1, 1),
    )
