"""Runs the statements of charts within one workspace; each answer comes with the SQL that people can run themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver import Client

from pipeline.core.analysis.charts import Charts, step_seconds
from pipeline.core.analysis.shown import with_values
from pipeline.core.query.document import EventFilters
from pipeline.core.query.spans import Span, searched
from pipeline.core.query.statements import Statement
from pipeline.edges.queries import Deadline, rows


@dataclass(frozen=True, slots=True)
class Chart:
    """The rows of a chart, the SQL behind it, and the span of time that it shows."""

    rows: list[dict[str, Any]]
    sql: str
    span: Span
    step_s: int = 0


class Analyst:
    """Answers for one query. Blocking: call it from threads.

    Everything raises QueryLimitError for what takes longer than `timeout_s`, and as `clickhouse.translated`.
    """

    def __init__(
        self, client: Client, workspace_id: str, filters: EventFilters, lookback_days: int, timeout_s: float
    ) -> None:
        self._client = client
        self._workspace_id = workspace_id
        self._filters = filters
        self._span = searched(filters, datetime.now(UTC), lookback_days)
        self._deadline = Deadline(timeout_s)

    def over_time(self, time_zone: str, split: str | None) -> Chart:
        """Events by time, over the span in which there are any."""
        charts = Charts(self._workspace_id, self._filters, self._span)
        (extent,) = rows(self._client, charts.extent(), self._deadline)
        if not extent["rows"]:
            return Chart([], with_values(charts.over_time(step_seconds(self._span), time_zone, split)), self._span)
        span = Span(extent["since"], extent["until"])
        step_s = step_seconds(span)
        return self._chart(charts.over_time(step_s, time_zone, split), span, step_s)

    def chart(self, make: Callable[[Charts], Statement]) -> Chart:
        """One of the other charts."""
        return self._chart(make(Charts(self._workspace_id, self._filters, self._span)), self._span)

    def comparison(self, spans: Sequence[Span]) -> Chart:
        """Spans of time side by side, in place of the filter's own."""
        whole = Span(min(span.since for span in spans), max(span.until for span in spans))
        return self._chart(Charts(self._workspace_id, self._filters, whole).comparison(spans), whole)

    def _chart(self, statement: Statement, span: Span, step_s: int = 0) -> Chart:
        return Chart(list(rows(self._client, statement, self._deadline)), with_values(statement), span, step_s)
