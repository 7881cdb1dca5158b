"""Reading stored events: pages and counts of a query, within one workspace.

A page is exact at any moment: an event that came again shows once, in its newest version, whether or not the sweep
has hidden the old row (pipeline/core/query/replaced.py), and a deleted one does not show.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from clickhouse_connect.driver import Client

from pipeline.core.query.cursor import Position
from pipeline.core.query.document import EventFilters
from pipeline.core.query.replaced import in_force, look_since
from pipeline.core.query.spans import Span, newest_first, searched
from pipeline.core.query.statements import LAST_SWEEP, Statements
from pipeline.edges.queries import Deadline, lines, rows
from pipeline.edges.sweep import NOT_SWEPT_YET

_CHUNK: Final = 100
"""Rows read at once: each may have thousands of annotations."""
_NEAREST: Final = 8
_PAGE_BYTES: Final = 16 * 1024**2
"""A page that has grown to this ends early; the next one goes on."""
_beside: Final = ThreadPoolExecutor(8, thread_name_prefix="query-beside")
"""What a page asks beside its keys and its rows: most of such a statement's time is spent before it reads anything."""


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
        swept = _beside.submit(self._last_sweep)
        for found in self._keys(now, after, wanted):
            yield from self._current(found, swept.result())

    def newer(self, than: Position) -> dict[str, Any] | None:
        """The nearest event after a position in time."""
        swept = _beside.submit(self._last_sweep)
        while True:
            found = list(rows(self._client, self._statements.newer(self._span, than, _NEAREST), self._deadline))
            if not found:
                return None
            if current := list(self._current(found, swept.result())):
                return current[-1]
            than = _position(found[-1])  # all of these were replaced a moment ago

    def _keys(self, now: datetime, after: Position | None, limit: int) -> Iterator[list[dict[str, Any]]]:
        """Rows that match, narrow ones, newest first, at most `limit` at a time: of some the newest row does not."""
        span = self._span if after is None else self._span._replace(until=min(self._span.until, after.timestamp))
        # Reading in order opens every part of the table that the span touches: the newest days first pays without a
        # filter too. The last span may have to be read whole for a filter: all threads at once are faster then.
        parts = list(newest_first(span, now))
        for part in parts:
            in_order = part is not parts[-1] or not self._statements.filtered
            while True:
                statement = self._statements.keys(part, after, limit, in_order=in_order)
                found = list(rows(self._client, statement, self._deadline))
                if found:
                    after = _position(found[-1])
                    yield found
                if len(found) < limit:
                    break

    def _current(self, found: Sequence[dict[str, Any]], swept: int) -> Iterator[dict[str, Any]]:
        """The events at the places of rows that were found to match, as they stand now."""
        since = look_since(found, swept)
        keys = list(dict.fromkeys(map(_position, found)))
        for start in range(0, len(keys), _CHUNK):
            yield from self._chunk(keys[start : start + _CHUNK], since, swept)

    def _chunk(self, keys: Sequence[Position], since: int, swept: int) -> Iterator[dict[str, Any]]:
        looked = _beside.submit(self._others, [key.event_id for key in keys], since)
        answer = lines(self._client, self._statements.rows(keys), self._deadline)
        read = [orjson.loads(line) | {"size": len(line)} for line in answer]
        # The statement looks for times and ids apart: one id may have rows at the times of two keys.
        wanted = set(keys)
        stored = [row for row in read if _position(row) in wanted]
        others = looked.result()
        if (earlier := look_since(stored, swept)) < since:
            # A row took the place of another meanwhile, and its record had arrived before those that were found.
            others = self._others([row["event_id"] for row in stored], earlier)
        yield from in_force(stored, others)

    def _others(self, event_ids: Sequence[str], since: int) -> list[dict[str, Any]]:
        return list(rows(self._client, self._statements.others(event_ids, since), self._deadline))

    def _last_sweep(self) -> int:
        (found,) = rows(self._client, LAST_SWEEP, self._deadline)
        return int(found["swept_ms"])

    def count(self) -> int:
        """How many events match."""
        (found,) = rows(self._client, self._statements.count(NOT_SWEPT_YET), self._deadline)
        return int(found["count"])


def _position(row: dict[str, Any]) -> Position:
    return Position(row["moment"], row["event_id"])
