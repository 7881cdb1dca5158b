"""Hides the rows that an event leaves behind when its id comes again with another timestamp or use case.

The table's key is (use_case_id, timestamp, event_id), so ClickHouse itself replaces an event only where all three are
the same. A sweep finds the others and writes a tombstone over each row that is no longer the newest of its id.
docs/decisions/0002-replacement.md has the alternatives and the measurements.
"""

import asyncio
import logging
import random
from datetime import UTC, datetime, timedelta
from typing import Final

from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import translated
from pipeline.errors import DependencyError, RowRefusedError

log = logging.getLogger(__name__)

INTERVAL: Final = timedelta(seconds=20)
"""From the start of one sweep to that of the next, over all workers: well below the minute that is promised."""

OVERLAP: Final = timedelta(seconds=30)
"""A row is stamped before its insert is committed; this much later a sweep still sees it."""

# The innermost part reads narrow columns only and leaves almost nothing: ids under several keys. For these the state
# of each key is found without FINAL, which would have to merge whole partitions. Among rows with the highest version
# a live one comes before the tombstones written for it, then the one inserted last (a record that was read again with
# other rules, decision 4), and after that the key decides, so that all workers choose the same.
# A tombstone takes the version of the newest row: it hides all that is older, whenever that arrives, and
# gives way to a later event under its own key. It takes the longest retention of the id, to outlive what it hides.
# Ids are unique within a workspace: one workspace cannot hide the events of another.
_REPLACED: Final = """
SELECT workspace_id, event_id, use_case_id, timestamp, newest, longest_retention
FROM
(
    SELECT *, max(latest) OVER same_id AS newest, max(retention) OVER same_id AS longest_retention
    FROM
    (
        SELECT
            workspace_id, event_id, use_case_id, timestamp,
            max((version, NOT is_deleted, inserted_at, timestamp, use_case_id, topic, partition, offset)) AS latest,
            argMax(is_deleted, (version, inserted_at)) AS is_hidden,
            max(retention_days) AS retention
        FROM stored_events
        PREWHERE event_id_hash IN
        (
            SELECT event_id_hash
            FROM stored_events
            PREWHERE event_id_hash IN (SELECT event_id_hash FROM stored_events WHERE inserted_at >= {since})
            GROUP BY event_id_hash
            HAVING min(timestamp) != max(timestamp) OR min(use_case_id) != max(use_case_id)
        )
        GROUP BY workspace_id, event_id, use_case_id, timestamp
    )
    WINDOW same_id AS (PARTITION BY workspace_id, event_id)
)
WHERE latest < newest AND NOT is_hidden
"""

_HIDE_REPLACED: Final = (
    """
INSERT INTO stored_events
(
    workspace_id, event_id, use_case_id, timestamp, retention_days,
    version, topic, partition, offset, is_deleted, inserted_at
)
SELECT
    workspace_id, event_id, use_case_id, timestamp, longest_retention,
    newest.1, newest.6, newest.7, newest.8, 1, fromUnixTimestamp64Milli({started:Int64})
FROM
("""
    + _REPLACED.format(since="fromUnixTimestamp64Milli({since:Int64})")
    + ")"
)

NOT_SWEPT_YET: Final = _REPLACED.format(
    since=f"(SELECT max(started_at) - toIntervalSecond({OVERLAP.seconds}) FROM replacement_sweeps)"
)
"""Selects the rows that the next sweep will hide; `workspace_id`, `event_id`, `use_case_id`, `timestamp` name them."""

_COUNT_HIDDEN: Final = """
SELECT count() FROM stored_events WHERE inserted_at = fromUnixTimestamp64Milli({started:Int64}) AND is_deleted
"""

_CLOCK_AND_LAST: Final = """
SELECT toUnixTimestamp64Milli(now64(3)), toUnixTimestamp64Milli(max(started_at)) FROM replacement_sweeps
"""


def sweep_replaced(client: Client, since: datetime) -> int:
    """Hide every row that a newer event of the same id has replaced, for ids inserted at or after `since`.

    `since` has a zone and is compared with the server's clock. Returns the number of rows hidden now. Running it
    again, or on several workers at once, changes nothing more. Raises as `clickhouse.translated`.
    """
    with translated():
        started = client.query("SELECT toUnixTimestamp64Milli(now64(3))").result_rows[0][0]
        client.command(_HIDE_REPLACED, parameters={"since": _milliseconds(since), "started": started})
        return int(client.query(_COUNT_HIDDEN, parameters={"started": started}).result_rows[0][0])


def sweep_if_due(client: Client, interval: timedelta = INTERVAL) -> float:
    """Sweep, unless some worker did within the interval. Returns the seconds until the next sweep is due.

    The first sweep of a database goes over all its rows. Raises as `clickhouse.translated`.
    """
    span = interval / timedelta(milliseconds=1)
    with translated():
        now, last = client.query(_CLOCK_AND_LAST).result_rows[0]
        # A sweep in the future: the server's clock was set back, and waiting for it to catch up could take for ever.
        if 0 <= now - last < span:
            return float(last + span - now) / 1000
        since = datetime.fromtimestamp(min(now, last) / 1000, UTC) - OVERLAP
        hidden = sweep_replaced(client, since)
        client.command(
            "INSERT INTO replacement_sweeps SELECT fromUnixTimestamp64Milli({now:Int64})", parameters={"now": now}
        )
    if hidden:
        log.info("%d rows replaced by a later event of the same id are hidden", hidden)
    return interval.total_seconds()


async def sweep_forever(client: Client, interval: timedelta = INTERVAL) -> None:
    """Keep sweeping until cancelled. What a failed sweep would have seen, the next one sees.

    Raises ConfigurationError, such as for a table that is not there.
    """
    while True:
        try:
            wait = await asyncio.to_thread(sweep_if_due, client, interval)
        except (DependencyError, RowRefusedError) as error:  # none of them is worth stopping a worker for
            log.warning("replaced events cannot be swept, trying again: %s", error)
            wait = interval.total_seconds()
        # Not all workers at the same moment: the first one sweeps for the others.
        await asyncio.sleep(wait + random.uniform(0, interval.total_seconds() / 10))


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
