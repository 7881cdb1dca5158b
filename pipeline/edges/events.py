"""Reading stored events: pages and counts of a query, within one workspace.

A page is exact at any moment: an event that came again shows once, in its newest version, whether or not the sweep
has hidden the old row (pipeline/core/query/replaced.py), and a deleted one does not show.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from clickhouse_connect.driver import Client

from pipeline.core.query.cursor import Position
from pipeline.core.query.document import EventFilters
from pipeline.core.query.replaced import in_force, look_since
from pipeline.core.query.spans import Span, newest_first, searched
from pipeline.core.query.statements import Statements
from pipeline.edges.queries import Deadline, lines, rows
from pipeline.edges.sweep import NOT_SWEPT_YET

_CHUNK: Final = 100
"""Rows read at once: each may have thousands of annotations."""
_NEAREST: Final = 8
_PAGE_BYTES: Final = 16 * 1024**2
"""A page that has grown to this ends early; the next one goes on."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of `stored_events`, newest first, and where the next page begins; None on the last page."""

    rows: list[dict[str, Any]]
    next: Position | None


class EventReader:
    """Answers queries of one workspace. Blocking: call it from threads; safe to share.

    Everything raises QueryLimitError for what takes longer than `timeout_s`, and as `clickhouse.translated`.
    """

    def __init__(self, client: Client, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s

    def page(
        self, workspace_id: str, filters: EventFilters, lookback_days: int, limit: int, after: Position | None = None
    ) -> Page:
        """At most `limit` events after a position. The use case must be of this workspace for anything to be found."""
        now = datetime.now(UTC)
        search = _Search(self._client, workspace_id, filters, searched(filters, now, lookback_days), self._timeout_s)
        found: list[dict[str, Any]] = []
        size = 0
        for row in search.events(now, after, limit + 1):
            if len(found) == limit or (found and size > _PAGE_BYTES):
                return Page(found, Position(found[-1]["moment"], found[-1]["event_id"]))
            found.append(row)
            size += row["size"]
        return Page(found, None)

    def newer(
        self, workspace_id: str, filters: EventFilters, lookback_days: int, than: Position
    ) -> dict[str, Any] | None:
        """The event that a query finds next after a position in time."""
        span = searched(filters, datetime.now(UTC), lookback_days)
        return _Search(self._client, workspace_id, filters, span, self._timeout_s).newer(than)

    def count(self, workspace_id: str, filters: EventFilters, lookback_days: int) -> int:
        """How many events a query finds now."""
        span = searched(filters, datetime.now(UTC), lookback_days)
        return _Search(self._client, workspace_id, filters, span, self._timeout_s).count()


class _Search:
    """One call: its statements and its deadline."""

    def __init__(self, client: Client, workspace_id: str, filters: EventFilters, span: Span, timeout_s: float) -> None:
        self._client = client
        self._statements = Statements(workspace_id, filters, span)
        self._span = span
        self._deadline = Deadline(timeout_s)

    def events(self, now: datetime, after: Position | None, wanted: int) -> Iterator[dict[str, Any]]:
        """The events, newest first, until nobody asks for more."""
        for keys in self._keys(now, after, wanted):
            for start in range(0, len(keys), _CHUNK):
                yield from self._current(keys[start : start + _CHUNK])

    def newer(self, than: Position) -> dict[str, Any] | None:
        """The nearest event after a position in time."""
        while True:
            found = rows(self._client, self._statements.newer(self._span, than, _NEAREST), self._deadline)
            keys = list(dict.fromkeys(Position(row["moment"], row["event_id"]) for row in found))
            if not keys:
                return None
            if current := list(self._current(keys)):
                return current[-1]
            than = keys[-1]  # all of these were replaced a moment ago

    def _keys(self, now: datetime, after: Position | None, limit: int) -> Iterator[list[Position]]:
        """Keys of rows that match, newest first, at most `limit` at a time: of some the newest row will not match."""
        span = self._span if after is None else self._span._replace(until=min(self._span.until, after.timestamp))
        # Reading in order opens every part of the table that the span touches: the newest days first pays without a
        # filter too. The last span may have to be read whole for a filter: all threads at once are faster then.
        parts = list(newest_first(span, now))
        for part in parts:
            in_order = part is not parts[-1] or not self._statements.filtered
            while True:
                statement = self._statements.keys(part, after, limit, in_order=in_order)
                answer = rows(self._client, statement, self._deadline)
                found = [Position(row["moment"], row["event_id"]) for row in answer]
                if found:
                    after = found[-1]
                    yield list(dict.fromkeys(found))
                if len(found) < limit:
                    break

    def _current(self, keys: list[Position]) -> Iterator[dict[str, Any]]:
        answer = lines(self._client, self._statements.rows(keys), self._deadline)
        read = [orjson.loads(line) | {"size": len(line)} for line in answer]
        # The statement looks for times and ids apart: one id may have rows at the times of two keys.
        wanted = set(keys)
        stored = [row for row in read if Position(row["moment"], row["event_id"]) in wanted]
        if stored:
            since = look_since(stored, stored[0]["swept_ms"])
            identifiers = [row["event_id"] for row in stored]
            others = rows(self._client, self._statements.others(identifiers, since), self._deadline)
            yield from in_force(stored, others)

    def count(self) -> int:
        """How many events match."""
        (found,) = rows(self._client, self._statements.count(NOT_SWEPT_YET), self._deadline)
        return int(found["count"])
