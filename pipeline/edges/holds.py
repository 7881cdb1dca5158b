"""Legal holds: copies of events that stay, whatever becomes of the originals, until the hold is released."""

import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import translated
from pipeline.errors import ConfigurationError

_COLUMNS = ("id", "workspace_id", "use_case_id", "since", "until", "reason", "placed_by", "placed_at", "version")

# A line of stored_events, as it could be inserted again. Those that are copied already are left out.
_COPY = """
INSERT INTO held_events (hold_id, workspace_id, use_case_id, timestamp, event_id, version, image_ids, event)
SELECT
    {id:String}, workspace_id, use_case_id, timestamp, event_id, version,
    arrayFilter(x -> x != '', arrayConcat(images.source_id, images.input_source_id)),
    formatRowNoNewline('JSONEachRow', * EXCEPT (is_deleted))
FROM stored_events
WHERE workspace_id = {workspace:String} AND ({use_case:String} = '' OR use_case_id = {use_case:String})
    AND timestamp >= {since:DateTime64(6, 'UTC')} AND timestamp < {until:DateTime64(6, 'UTC')} AND NOT is_deleted
    AND (event_id, version) NOT IN (SELECT event_id, version FROM held_events WHERE hold_id = {id:String})
"""


class Hold(NamedTuple):
    """What is held: events of a workspace, of one use case (empty: of all), whose time lies in [since, until)."""

    id: str
    workspace_id: str
    use_case_id: str
    since: datetime
    until: datetime
    reason: str
    placed_by: str
    placed_at: datetime


def place(
    client: Client, workspace_id: str, use_case_id: str, since: datetime, until: datetime, reason: str, by: str
) -> Hold:
    """Place a hold and copy what it covers now. Raises ConfigurationError, else as `clickhouse.translated`."""
    if since >= until:
        raise ConfigurationError("a hold begins before it ends: --since must be earlier than --until")
    now = datetime.now(UTC)
    hold = Hold(f"hold-{uuid.uuid4().hex[:12]}", workspace_id, use_case_id, since, until, reason, by, now)
    with translated():
        client.insert("legal_holds", [(*hold, time.time_ns())], column_names=_COLUMNS)
    copy(client, hold)
    return hold


def active(client: Client) -> list[Hold]:
    """The holds that are not released. Raises as `clickhouse.translated`."""
    with translated():
        rows = client.query(
            f"SELECT {', '.join(_COLUMNS[:-1])} FROM legal_holds FINAL WHERE released_at IS NULL ORDER BY placed_at"
        ).result_rows
    return [Hold(*row) for row in rows]


def copy(client: Client, hold: Hold) -> int:
    """Copy the events of a hold that are not copied yet and return how many it has now."""
    values: Mapping[str, Any] = {
        "id": hold.id,
        "workspace": hold.workspace_id,
        "use_case": hold.use_case_id,
        "since": hold.since,
        "until": hold.until,
    }
    with translated():
        client.command(_COPY, parameters=dict(values))
        return count(client, hold.id)


def count(client: Client, hold_id: str) -> int:
    """How many events a hold has, each version of an id counted."""
    with translated():
        found: int = client.query(
            "SELECT count() FROM held_events FINAL WHERE hold_id = {id:String}", parameters={"id": hold_id}
        ).result_rows[0][0]
    return found


def release(client: Client, hold_id: str, by: str) -> None:
    """Release a hold: its copies go. Raises ConfigurationError for one that is not active."""
    hold = next((hold for hold in active(client) if hold.id == hold_id), None)
    if hold is None:
        raise ConfigurationError(f"no active hold {hold_id!r}; `vision-events holds list` shows them")
    with translated():
        # First the copies: a release that was cut off can be repeated.
        client.command("ALTER TABLE held_events DROP PARTITION {id:String}", parameters={"id": hold_id})
        client.insert(
            "legal_holds",
            [(*hold, time.time_ns(), datetime.now(UTC), by)],
            column_names=(*_COLUMNS, "released_at", "released_by"),
        )
