"""The statements behind the charts. Each is of the same events as the list of the same filters.

Rows are bounded by the statements themselves: a chart with a million bars helps nobody.
"""

from collections.abc import Sequence
from typing import Final

from pipeline.core.analysis.keys import text_of
from pipeline.core.query.conditions import Bindings, conditions
from pipeline.core.query.document import EventFilters
from pipeline.core.query.spans import Span
from pipeline.core.query.statements import Statement
from schemas.annotations import ANNOTATION_KINDS

MAX_PARTS: Final = 20
"""Most values of a split, and most classes."""
MAX_SERIES: Final = 6
"""Most values over time; the others are summed."""
MAX_CELLS: Final = 400
BINS: Final = 20

_STEPS_S: Final = (
    *(1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 2 * 3600, 6 * 3600, 12 * 3600),
    *(86400, 7 * 86400),
)
_MOST_STEPS: Final = 120

_FIGURES: Final = (
    "count() AS events, countIf(event_data.result.:String = 'pass') AS passed, "
    "countIf(event_data.result.:String = 'fail') AS failed"
)


def step_seconds(span: Span) -> int:
    """The width of a bar over time, in seconds: a round one, with at most 120 of them."""
    seconds = max(1, (span.until - span.since) // 1_000_000)
    return next((step for step in _STEPS_S if seconds / step <= _MOST_STEPS), _STEPS_S[-1])


class Charts:
    """The statements of one query in one workspace. `span` is what is looked at."""

    def __init__(self, workspace_id: str, filters: EventFilters, span: Span) -> None:
        self._workspace_id = workspace_id
        self._filters = filters
        self._span = span

    def extent(self) -> Statement:
        """The first and the last time of the events, in microseconds; rows that were replaced may widen it."""
        bindings = Bindings()
        return Statement(
            f"""SELECT toUnixTimestamp64Micro(min(timestamp)) AS since, toUnixTimestamp64Micro(max(timestamp)) AS until,
    count() AS rows
FROM stored_events
WHERE {self._events(bindings)} AND NOT is_deleted""",
            bindings.values,
        )

    def over_time(self, step_s: int, time_zone: str, split: str | None) -> Statement:
        """By time (seconds since the epoch), of all events or of the most frequent values of `split`.

        `part` is NULL for all other values together.
        """
        bindings = Bindings()
        step = _interval(step_s)
        zone = bindings.bind(time_zone, "String")
        moment = f"toUnixTimestamp(toDateTime(toStartOfInterval(timestamp, {step}, {zone}), {zone}))"
        events = self._events(bindings)
        if split is None:
            return Statement(
                f"""SELECT {moment} AS at, {_FIGURES}
FROM stored_events FINAL
WHERE {events}
GROUP BY at
ORDER BY at""",
                bindings.values,
            )
        value = text_of(split, bindings)
        return Statement(
            f"""WITH frequent AS
(
    SELECT {value} AS value
    FROM stored_events FINAL
    WHERE {events}
    GROUP BY value
    ORDER BY count() DESC, value
    LIMIT {MAX_SERIES}
)
SELECT {moment} AS at, if({value} IN (SELECT value FROM frequent), {value}, NULL) AS part, {_FIGURES}
FROM stored_events FINAL
WHERE {events}
GROUP BY at, part
ORDER BY at, part""",
            bindings.values,
        )

    def split(self, key: str) -> Statement:
        """By the values of a key, the most frequent first; `of` is how many values there are."""
        bindings = Bindings()
        return Statement(
            f"""SELECT {text_of(key, bindings)} AS part, {_FIGURES}, count() OVER () AS of
FROM stored_events FINAL
WHERE {self._events(bindings)}
GROUP BY part
ORDER BY events DESC, part
LIMIT {MAX_PARTS}""",
            bindings.values,
        )

    def classes(self) -> Statement:
        """By class: annotations of all kinds, and their mean confidence; `of` is how many classes there are."""
        bindings = Bindings()
        names, confidences = (
            f"arrayConcat({', '.join(f'{kind}.{part}' for kind in ANNOTATION_KINDS)})"
            for part in ("class", "confidence")
        )
        return Statement(
            f"""SELECT toString(name) AS part, count() AS found, round(avg(confidence), 4) AS mean,
    count() OVER () AS of
FROM stored_events FINAL
ARRAY JOIN {names} AS name, {confidences} AS confidence
WHERE {self._events(bindings)}
GROUP BY part
ORDER BY found DESC, part
LIMIT {MAX_PARTS}""",
            bindings.values,
        )

    def confidences(self) -> Statement:
        """Annotations by confidence in steps of 0.05, of the class of the filter or of all."""
        bindings = Bindings()
        lists = [f"{kind}.confidence" for kind in ANNOTATION_KINDS]
        if self._filters.detection_class is not None:
            name = bindings.bind(self._filters.detection_class.value, "String")
            lists = [f"arrayFilter((p, c) -> c = {name}, {kind}.confidence, {kind}.class)" for kind in ANNOTATION_KINDS]
        return Statement(
            f"""SELECT least(toUInt8(floor(assumeNotNull(confidence) * {BINS} + 0.00001)), {BINS - 1}) AS bin,
    count() AS found
FROM stored_events FINAL
ARRAY JOIN arrayConcat({", ".join(lists)}) AS confidence
WHERE {self._events(bindings)} AND confidence IS NOT NULL
GROUP BY bin
ORDER BY bin""",
            bindings.values,
        )

    def heat_map(self, rows: str, columns: str) -> Statement:
        """By the values of two keys."""
        bindings = Bindings()
        return Statement(
            f"""SELECT {text_of(rows, bindings)} AS row, {text_of(columns, bindings)} AS column, {_FIGURES}
FROM stored_events FINAL
WHERE {self._events(bindings)}
GROUP BY row, column
ORDER BY events DESC, row, column
LIMIT {MAX_CELLS}""",
            bindings.values,
        )

    def comparison(self, spans: Sequence[Span]) -> Statement:
        """Figures of several spans of time side by side, and the objects of each class in them; both ends count."""
        bindings = Bindings()
        which = ", ".join(
            f"timestamp >= {bindings.moment(span.since)} AND timestamp <= {bindings.moment(span.until)}, {number}"
            for number, span in enumerate(spans)
        )
        return Statement(
            f"""SELECT multiIf({which}, -1) AS span, {_FIGURES},
    countIf(notEmpty(warnings.code)) AS warned, round(avg(max_confidence), 4) AS confidence,
    sumMap(class_counts) AS objects
FROM stored_events FINAL
WHERE {self._events(bindings)} AND span >= 0
GROUP BY span
ORDER BY span""",
            bindings.values,
        )

    def _events(self, bindings: Bindings) -> str:
        since, until = bindings.moment(self._span.since), bindings.moment(self._span.until)
        parts = [
            f"use_case_id = {bindings.bind(self._filters.use_case_id, 'String')}",
            f"workspace_id = {bindings.bind(self._workspace_id, 'String')}",
            f"timestamp >= {since}",
            f"timestamp <= {until}",
            *conditions(self._filters, self._workspace_id, bindings, self._span.since),
        ]
        return "\n    AND ".join(parts)


def _interval(step_s: int) -> str:
    """Steps of hours and days begin with those of the zone's clock, shorter ones need not."""
    for unit, seconds in (("Day", 86400), ("Hour", 3600)):
        if step_s % seconds == 0:
            return f"toInterval{unit}({step_s // seconds})"
    return f"toIntervalSecond({step_s})"
