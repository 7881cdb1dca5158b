"""Values to choose from while a filter is written: the most frequent among the newest events, never all there are."""

import re
from typing import Any, Final

from clickhouse_connect.driver import Client

from pipeline.core.query.conditions import Bindings
from pipeline.core.query.statements import Statement
from pipeline.edges.queries import Deadline, rows

EVENTS_LOOKED_AT: Final = 50_000
"""The cost does not grow with the table, and a field with a million values costs as much as any."""
MAX_VALUES: Final = 20

_KEY: Final = re.compile(r"[a-zA-Z0-9_ -]{1,100}")
_COLUMNS: Final = {"device": "device_id", "stream": "stream_id", "workflow": "workflow_id", "factory": "factory_id"}
_KINDS: Final = ("object_detections", "classifications", "instance_segmentations", "keypoints")


def suggest(
    client: Client, place: tuple[str, str, int], field: str, text: str, timeout_s: float
) -> list[dict[str, Any]]:
    """`{value, count}` of values that contain `text`, the most frequent first.

    `place` is workspace, use case and days back. `field` is device, stream, workflow, factory, class, or a key of
    metadata as `custom:KEY` or `image:KEY`. Raises ValueError for another one, QueryLimitError, and as
    `clickhouse.translated`.
    """
    bindings = Bindings()
    workspace_id, use_case_id, days = place
    here = f"workspace_id = {bindings.bind(workspace_id, 'String')}"
    column, values = _values(field, bindings)
    sql = f"""SELECT value, count() AS count
FROM
(
    SELECT arrayJoin({values}) AS value
    FROM
    (
        SELECT {column}
        FROM stored_events
        WHERE use_case_id = {bindings.bind(use_case_id, "String")} AND {here}
            AND timestamp >= now64(6) - toIntervalDay({bindings.bind(days, "UInt32")}) AND NOT is_deleted
            AND event_type != 'operator_feedback'
        ORDER BY timestamp DESC
        LIMIT {bindings.bind(EVENTS_LOOKED_AT, "UInt32")}
    )
)
WHERE value != '' AND positionCaseInsensitiveUTF8(value, {bindings.bind(text, "String")}) > 0
GROUP BY value
ORDER BY count DESC, value
LIMIT {bindings.bind(MAX_VALUES, "UInt32")}"""
    return list(rows(client, Statement(sql, bindings.values), Deadline(timeout_s)))


def _values(field: str, bindings: Bindings) -> tuple[str, str]:
    """What is read of each event, and its values as a list of texts."""
    if column := _COLUMNS.get(field):
        return column, f"[toString({column})]"
    if field == "class":
        both = ", ".join(f"{kind}.class AS {kind}_class" for kind in _KINDS)
        return both, f"arrayDistinct(arrayConcat({', '.join(f'{kind}_class' for kind in _KINDS)}))"
    source, _, key = field.partition(":")
    if source == "custom" and _KEY.fullmatch(key):
        return f"ifNull(toString(custom_metadata.`{key}`), '') AS found", "[found]"
    if source == "image" and _KEY.fullmatch(key):
        name = bindings.bind(key, "String")
        text = f"trimBoth(JSONExtractRaw(m, {name}), '\"')"
        return "images.metadata AS found", f"arrayDistinct(arrayMap(m -> {text}, found))"
    raise ValueError(f"{field!r} has no suggestions")
