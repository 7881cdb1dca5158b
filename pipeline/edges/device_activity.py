"""What was heard of devices lately: rate, last event, rejects."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from clickhouse_connect.driver import Client

from pipeline.core.query.statements import Statement
from pipeline.core.quiet import unusual_silence_s
from pipeline.edges.queries import Deadline, rows

MAX_DEVICES: Final = 5000
HOURS: Final = 24

_EVENTS: Final = """use_case_id IN {cases:Array(String)} AND workspace_id = {workspace:String}
    AND timestamp > toDateTime64({since:Int64}, 6, 'UTC') AND timestamp <= toDateTime64({now:Int64}, 6, 'UTC')
    AND device_id != '' AND event_type != 'operator_feedback'"""

_LAST_DAY: Final = f"""SELECT device_id AS id, countIf(timestamp > now64(6) - INTERVAL 1 HOUR) AS lastHour,
    sumMap([toUInt16(intDiv({{now:Int64}} - toUnixTimestamp(timestamp), 3600))], [toUInt64(1)]) AS hours
FROM stored_events FINAL
WHERE {_EVENTS}
GROUP BY device_id
ORDER BY device_id
LIMIT {{limit:UInt32}}"""

# Without FINAL: rows that were replaced came from the device too.
_SEEN: Final = f"""SELECT device_id AS id, max(timestamp) AS lastEvent, argMax(use_case_id, timestamp) AS useCaseId,
    argMax(factory_id, timestamp) AS factoryId, argMax(stream_id, timestamp) AS streamId
FROM stored_events
WHERE {_EVENTS} AND NOT is_deleted
GROUP BY device_id
ORDER BY device_id
LIMIT {{limit:UInt32}}"""

_REJECTED: Final = """SELECT device_id AS id, count() AS rejects
FROM stored_rejects FINAL
WHERE use_case_id IN {cases:Array(String)} AND device_id != ''
    AND timestamp > toDateTime64({since:Int64}, 3, 'UTC')
GROUP BY device_id
LIMIT {limit:UInt32}"""


def device_activity(
    client: Client, workspace_id: str, use_case_ids: Sequence[str], lookback_days: int, timeout_s: float
) -> dict[str, dict[str, Any]]:
    """By device: `lastEvent`, `useCaseId`, `factoryId`, `streamId` of its newest event; `lastDay`, `lastHour` and
    `rejects` (numbers, of 24 hours and of one), `hours` (events by hour, the oldest first), `quietAfterSeconds` (from
    when on its silence is unusual, None without events in the last day).

    At most 5000 devices. Raises QueryLimitError, and as `clickhouse.translated`.
    """
    now, deadline = int(datetime.now(UTC).timestamp()), Deadline(timeout_s)
    values = {"cases": list(use_case_ids), "workspace": workspace_id, "now": now, "limit": MAX_DEVICES}

    def ask(sql: str, seconds: int) -> dict[str, dict[str, Any]]:
        found = rows(client, Statement(sql, values | {"since": now - seconds}), deadline)
        return {row.pop("id"): row for row in found}

    seen = ask(_SEEN, lookback_days * 86400)
    lately = ask(_LAST_DAY, HOURS * 3600)
    rejected = ask(_REJECTED, HOURS * 3600)
    for device_id in rejected.keys() - seen.keys():
        seen[device_id] = {"lastEvent": None, "useCaseId": "", "factoryId": "", "streamId": ""}
    for device_id, device in seen.items():
        hours = _by_hour(lately.get(device_id, {}).get("hours"))
        device |= {
            "lastDay": sum(hours),
            "lastHour": lately.get(device_id, {}).get("lastHour", 0),
            "hours": hours,
            "quietAfterSeconds": unusual_silence_s(hours),
            "rejects": rejected.get(device_id, {}).get("rejects", 0),
        }
    return seen


def _by_hour(hours: list[list[int]] | None) -> list[int]:
    """Counts from 24 hours ago until now."""
    ago = dict(zip(*hours, strict=True)) if hours else {}
    return [ago.get(hour, 0) for hour in range(HOURS - 1, -1, -1)]
