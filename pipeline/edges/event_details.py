"""One stored event with where it came from, and what people said of events."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from clickhouse_connect.driver import Client

from pipeline.core.query.statements import COLUMNS, Statement
from pipeline.edges.queries import Deadline, rows

_EVENT: Final = f"""SELECT {COLUMNS}, class_counts, max_confidence,
    topic, partition, offset, inserted_at, retention_days
FROM stored_events FINAL
PREWHERE use_case_id = {{useCase:String}} AND event_id = {{event:String}}
    AND timestamp IN
    (
        SELECT timestamp FROM stored_events
        WHERE use_case_id = {{useCase:String}} AND workspace_id = {{workspace:String}} AND event_id = {{event:String}}
    )
WHERE workspace_id = {{workspace:String}}
ORDER BY version DESC
LIMIT 1"""

# A feedback event that came again counts with its newest version. Its keys are looked for first, in narrow columns.
_FEEDBACK: Final = """SELECT event_id AS id, said.1 AS about, said.2 AS feedback, said.3 AS reviewer, said.4 AS comment,
    said.5 AS at
FROM
(
    SELECT event_id, argMax((event_data.related_event_id::String, event_data.feedback::String,
        ifNull(custom_metadata.reviewer.:String, ''), comment, timestamp), version) AS said
    FROM stored_events FINAL
    PREWHERE use_case_id = {useCase:String} AND (timestamp, event_id) IN
    (
        SELECT timestamp, event_id FROM stored_events
        WHERE use_case_id = {useCase:String} AND workspace_id = {workspace:String}
            AND timestamp >= now64(6) - toIntervalDay({days:UInt32}) AND event_type = 'operator_feedback'
    )
    WHERE workspace_id = {workspace:String} AND event_data.related_event_id::String IN {events:Array(String)}
    GROUP BY event_id
)
ORDER BY at, id"""


def read_event(
    client: Client, workspace_id: str, use_case_id: str, event_id: str, timeout_s: float
) -> dict[str, Any] | None:
    """The row of an event in its newest version. Raises QueryLimitError, and as `clickhouse.translated`."""
    values = {"workspace": workspace_id, "useCase": use_case_id, "event": event_id}
    return next(rows(client, Statement(_EVENT, values), Deadline(timeout_s)), None)


def read_feedback(
    client: Client, workspace_id: str, use_case_id: str, event_ids: Sequence[str], lookback_days: int, timeout_s: float
) -> dict[str, list[dict[str, Any]]]:
    """What was said of events, by event, in order of time. Raises as `read_event`."""
    values = {"workspace": workspace_id, "useCase": use_case_id, "events": list(event_ids), "days": lookback_days}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows(client, Statement(_FEEDBACK, values), Deadline(timeout_s)):
        found[row.pop("about")].append(row)
    return found
