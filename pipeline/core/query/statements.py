"""The statements behind a page and a count.

A page is found in two steps. First the keys of rows that match, from narrow columns and in the order of the table,
so that reading ends when there are enough. Then the rows of these keys, with FINAL, which merges only the few blocks
that hold them, and with the filters once more: of a row that was replaced under its key only the newest version counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.core.query.conditions import Bindings, conditions
from pipeline.core.query.cursor import Position
from pipeline.core.query.document import EventFilters
from pipeline.core.query.spans import Span

COLUMNS: Final = """event_id, event_type, use_case_id, timestamp, factory_id, device_id, stream_id, workflow_id,
    frame_id, frame_width, frame_height, images, display_image_position, object_detections, classifications,
    instance_segmentations, keypoints, custom_metadata, event_data, comment, warnings, version"""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL, and the values of its placeholders."""

    sql: str
    parameters: dict[str, Any] = field(default_factory=dict)


LAST_SWEEP: Final = Statement("SELECT toUnixTimestamp64Milli(max(started_at)) AS swept_ms FROM replacement_sweeps")
"""When the last sweep that has ended began, in milliseconds since the epoch; 0 when there was none."""


class Statements:
    """The statements of one query in one workspace. `span` is what the query searches."""

    def __init__(self, workspace_id: str, filters: EventFilters, span: Span) -> None:
        self._workspace_id = workspace_id
        self._filters = filters
        self._span = span
        self._bindings = Bindings()
        self._place = (
            f"use_case_id = {self._bindings.bind(filters.use_case_id, 'String')} "
            f"AND workspace_id = {self._bindings.bind(workspace_id, 'String')}"
        )
        found = conditions(filters, workspace_id, self._bindings, span.since)
        self._matches = "".join(f"\n    AND {condition}" for condition in found)
        self.filtered = bool(found)

    def keys(self, span: Span, after: Position | None, limit: int, *, in_order: bool) -> Statement:
        """Keys of rows that match, newest first, from a span of time and after a position.

        In order, reading ends as soon as there are `limit` rows, but goes on in one thread; else all threads read all.
        """
        bindings = self._more()
        begin = "" if after is None else self._after(after, bindings)
        return Statement(
            f"""SELECT toUnixTimestamp64Micro(timestamp) AS moment, event_id, version,
    toUnixTimestamp64Milli(inserted_at) AS inserted_ms
FROM stored_events
WHERE {self._place} AND {_within(span, bindings)} AND NOT is_deleted{begin}{self._matches}
ORDER BY timestamp DESC, event_id DESC
LIMIT {bindings.bind(limit, "UInt32")}
SETTINGS optimize_read_in_order = {int(in_order)}""",
            bindings.values,
        )

    def newer(self, span: Span, than: Position, limit: int) -> Statement:
        """Keys of rows that match and come after a position in time, the nearest first."""
        bindings = self._more()
        moment = bindings.moment(than.timestamp)
        identifier = bindings.bind(than.event_id, "String")
        return Statement(
            f"""SELECT toUnixTimestamp64Micro(timestamp) AS moment, event_id, version,
    toUnixTimestamp64Milli(inserted_at) AS inserted_ms
FROM stored_events
WHERE {self._place} AND {_within(span, bindings)} AND NOT is_deleted
    AND timestamp >= {moment} AND (timestamp, event_id) > ({moment}, {identifier}){self._matches}
ORDER BY timestamp, event_id
LIMIT {bindings.bind(limit, "UInt32")}""",
            bindings.values,
        )

    def rows(self, keys: Sequence[Position]) -> Statement:
        """The rows of keys as they stand now, newest first."""
        bindings = self._more()
        moments = bindings.bind([key.timestamp for key in keys], "Array(Int64)")
        ids = bindings.bind([key.event_id for key in keys], "Array(String)")
        return Statement(
            f"""SELECT {COLUMNS},
    toUnixTimestamp64Micro(timestamp) AS moment, toUnixTimestamp64Milli(inserted_at) AS inserted_ms
FROM stored_events FINAL
PREWHERE use_case_id = {bindings.bind(self._filters.use_case_id, "String")}
    AND timestamp IN (SELECT fromUnixTimestamp64Micro(arrayJoin({moments}), 'UTC'))
    AND event_id IN {ids}
WHERE {self._place}{self._matches}
ORDER BY timestamp DESC, event_id DESC""",
            bindings.values,
        )

    def others(self, event_ids: Sequence[str], inserted_since_ms: int) -> Statement:
        """What was inserted since a time under these ids: one row a key, its newest."""
        bindings = Bindings()
        ids = bindings.bind(list(event_ids), "Array(String)")
        return Statement(
            f"""SELECT event_id, use_case_id, timestamp, newest.1 AS version,
    toUnixTimestamp64Milli(newest.2) AS inserted_ms, newest.3 AS is_deleted
FROM
(
    SELECT event_id, use_case_id, timestamp, max((version, inserted_at, is_deleted)) AS newest
    FROM stored_events
    PREWHERE inserted_at >= fromUnixTimestamp64Milli({bindings.bind(inserted_since_ms, "Int64")})
        AND event_id_hash IN (SELECT cityHash64(arrayJoin({ids})))
    WHERE workspace_id = {bindings.bind(self._workspace_id, "String")}
    GROUP BY event_id, use_case_id, timestamp
)""",
            bindings.values,
        )

    def count(self, replaced: str) -> Statement:
        """How many events match. `replaced` selects rows that are not in force although FINAL shows them."""
        bindings = self._more()
        return Statement(
            f"""SELECT count() AS count
FROM stored_events FINAL
WHERE {self._place} AND {_within(self._span, bindings)}{self._matches}
    AND (event_id, timestamp) NOT IN (SELECT event_id, timestamp FROM ({replaced}) WHERE {self._place})""",
            bindings.values,
        )

    def _more(self) -> Bindings:
        return Bindings(dict(self._bindings.values))

    def _after(self, position: Position, bindings: Bindings) -> str:
        moment = bindings.moment(position.timestamp)
        identifier = bindings.bind(position.event_id, "String")
        return f" AND timestamp <= {moment} AND (timestamp, event_id) < ({moment}, {identifier})"


def _within(span: Span, bindings: Bindings) -> str:
    return f"timestamp >= {bindings.moment(span.since)} AND timestamp <= {bindings.moment(span.until)}"
