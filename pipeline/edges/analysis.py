"""Runs the statements of charts within one workspace; each answer comes with the SQL that people can run themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver import Client

from pipeline.core.analysis.charts import Charts, one_in, step_seconds
from pipeline.core.analysis.shown import with_values
from pipeline.core.query.document import EventFilters
from pipeline.core.query.spans import Span, searched
from pipeline.core.query.statements import Statement
from pipeline.edges.queries import Deadline, rows


@dataclass(frozen=True, slots=True)
class Chart:
    """The rows of a chart, the SQL behind it, and the span of time that it shows.

    It is estimated from one in `one_in` events; 1 is exact.
    """

    rows: list[dict[str, Any]]
    sql: str
    span: Span
    step_s: int = 0
    one_in: int = 1


class Analyst:
    """Answers for one query; very many events are sampled unless it is `exact`. Blocking: call it from threads.

    Everything raises QueryLimitError for what takes longer than `timeout_s`, and as `clickhouse.translated`.
    """

    def __init__(
        self,
        client: Client,
        workspace_id: str,
        filters: EventFilters,
        lookback_days: int,
        timeout_s: float,
        *,
        exact: bool = True,
    ) -> None:
        self._client = client
        self._workspace_id = workspace_id
        self._filters = filters
        self._span = searched(filters, datetime.now(UTC), lookback_days)
        self._deadline = Deadline(timeout_s)
        self._exact = exact

    def over_time(self, time_zone: str, split: str | None) -> Chart:
        """Events by time, over the span in which there are any."""
        (extent,) = rows(self._client, Charts(self._workspace_id, self._filters, self._span).extent(), self._deadline)
        span = Span(extent["since"], extent["until"]) if extent["rows"] else self._span
        step_s = step_seconds(span)
        return self._chart(lambda charts: charts.over_time(step_s, time_zone, split), span, step_s)

    def chart(self, make: Callable[[Charts], Statement]) -> Chart:
        """One of the other charts."""
        return self._chart(make, self._span)

    def comparison(self, spans: Sequence[Span]) -> Chart:
        """Spans of time side by side, in place of the filter's own."""
        whole = Span(min(span.since for span in spans), max(span.until for span in spans))
        return self._chart(lambda charts: charts.comparison(spans), whole)

    def _chart(self, make: Callable[[Charts], Statement], span: Span, step_s: int = 0) -> Chart:
        sampled = 1
        if not self._exact:
            (found,) = rows(self._client, Charts(self._workspace_id, self._filters, span).looked_at(), self._deadline)
            sampled = one_in(found["rows"])
        statement = make(Charts(self._workspace_id, self._filters, span, sampled))
        return Chart(list(rows(self._client, statement, self._deadline)), with_values(statement), span, step_s, sampled)
