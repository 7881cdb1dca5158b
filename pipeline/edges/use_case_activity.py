"""What use cases saw lately: for whoever looks over all of them."""

from datetime import UTC, datetime
from typing import Any, Final

from clickhouse_connect.driver import Client

from pipeline.core.query.statements import Statement
from pipeline.edges.queries import Deadline, rows

HOURS: Final = 24

_ACTIVITY: Final = """SELECT use_case_id AS useCaseId, count() AS eventCount, max(timestamp) AS lastEvent,
    arraySort(groupUniqArray(event_type)) AS eventTypes,
    sumMapIf(
        [toUInt16(intDiv({now:Int64} - toUnixTimestamp(timestamp), 3600))], [toUInt64(1)],
        toUnixTimestamp(timestamp) > {now:Int64} - 86400 AND toUnixTimestamp(timestamp) <= {now:Int64}
    ) AS hours
FROM vision_events
WHERE workspace_id = {workspace:String}
    AND timestamp >= toDateTime64({now:Int64}, 6, 'UTC') - toIntervalDay({days:UInt32})
GROUP BY use_case_id"""


def use_case_activity(client: Client, workspace_id: str, lookback_days: int, timeout_s: float) -> dict[str, Any]:
    """By use case: `eventCount`, `lastEvent`, `eventTypes`, and `lastDay`, the events of 24 hours, the oldest first.

    Raises QueryLimitError, and as `clickhouse.translated`.
    """
    values = {"workspace": workspace_id, "days": lookback_days, "now": int(datetime.now(UTC).timestamp())}
    found = rows(client, Statement(_ACTIVITY, values), Deadline(timeout_s))
    return {row.pop("useCaseId"): row | {"lastDay": _by_hour(row.pop("hours"))} for row in found}


def _by_hour(hours: list[list[int]]) -> list[int]:
    """Counts from 24 hours ago until now."""
    ago = dict(zip(*hours, strict=True))
    return [ago.get(hour, 0) for hour in range(HOURS - 1, -1, -1)]
