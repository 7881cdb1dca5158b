"""Charts say of events what a plain Python model says, and the SQL that people are shown gives the same rows."""

import os
from collections import Counter
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.core.analysis.charts import Charts
from pipeline.core.analysis.shown import literal
from pipeline.core.query.spans import Span, microseconds
from pipeline.edges.analysis import Analyst, Chart
from schemas.annotations import ANNOTATION_KINDS
from tests.integration.query_model import BASE, CONTENT, LOOKBACK_DAYS, QUERIES, TEXTS, TIMEOUT_S, TIMES, Store
from tests.integration.sql_support import Database

pytest_plugins = ["tests.integration.sql_fixtures"]

EXAMPLES = int(os.environ.get("QUERY_EXAMPLES", "12"))

EVENTS = st.lists(st.tuples(TIMES, CONTENT), min_size=1, max_size=12)


def same_by_hand(analyst: Client, chart: Chart) -> None:
    """The SQL as it is shown, run as it stands by the read-only user, gives the rows of the chart."""
    text = f"{chart.sql}\nFORMAT JSONEachRow SETTINGS output_format_json_quote_64bit_integers = 0"
    answer = analyst.raw_query(text)
    assert [orjson.loads(line) for line in answer.splitlines()] == chart.rows


def figures(events: list[dict[str, Any]]) -> tuple[int, int, int]:
    results = Counter(event.get("event_data", {}).get("result") for event in events)
    return len(events), results["pass"], results["fail"]


def of(row: dict[str, Any]) -> tuple[int, int, int]:
    return row["events"], row["passed"], row["failed"]


@given(events=EVENTS, query=QUERIES)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_chart_is_of_the_events_that_the_query_finds(
    database: Database, events: list[Any], query: dict[str, Any]
) -> None:
    store = Store(database)
    store.insert(*(store.event(str(number), at, **content) for number, (at, content) in enumerate(events)))
    filters = store.query(**query)
    found = [store.current[event_id] for event_id in store.expected(filters)]
    analyst = Analyst(database.writer, store.workspace, filters, LOOKBACK_DAYS, TIMEOUT_S)

    over_time = analyst.over_time("Europe/Berlin", None)
    assert {row["at"]: row["events"] for row in over_time.rows} == (
        Counter(int(event["timestamp"].timestamp()) // over_time.step_s * over_time.step_s for event in found)
        if over_time.step_s
        else {}
    )
    assert sum(row["failed"] for row in over_time.rows) == figures(found)[2]

    split = analyst.chart(lambda charts: charts.split("device"))
    devices = {event.get("device_id", "") for event in found}
    assert {row["part"]: of(row) for row in split.rows} == {
        name: figures([event for event in found if event.get("device_id", "") == name]) for name in devices
    }

    classes = analyst.chart(Charts.classes)
    annotations = [item for event in found for kind in ANNOTATION_KINDS for item in event.get(kind, [])]
    assert {row["part"]: row["found"] for row in classes.rows} == Counter(item["class"] for item in annotations)

    confidences = analyst.chart(Charts.confidences)
    wanted = filters.detection_class.value if filters.detection_class else None
    assert {row["bin"]: row["found"] for row in confidences.rows} == Counter(
        min(19, int(item["confidence"] * 20 + 0.001))
        for item in annotations
        if item["confidence"] is not None and wanted in (None, item["class"])
    )

    heat = analyst.chart(lambda charts: charts.heat_map("type", "data:result"))
    assert {(row["row"], row["column"]): row["events"] for row in heat.rows} == Counter(
        (event["event_type"], event.get("event_data", {}).get("result", "")) for event in found
    )

    middle = microseconds(BASE) + 6 * 60_000_000
    spans = [Span(microseconds(BASE) - 1, middle - 1), Span(middle, middle + 10**9)]
    compared = analyst.comparison(spans)
    free = store.query(**{name: value for name, value in query.items() if name not in ("startTime", "endTime")})
    all_found = [store.current[event_id] for event_id in store.expected(free)]
    for number, span in enumerate(spans):
        part = [event for event in all_found if span.since <= microseconds(event["timestamp"]) <= span.until]
        rows = [row for row in compared.rows if row["span"] == number]
        assert [of(row) for row in rows] == ([figures(part)] if part else [])
        objects: Counter[str] = sum((Counter(event.get("class_counts", {})) for event in part), Counter())
        assert [row["objects"] for row in rows] == ([objects] if part else [])

    for chart in (over_time, split, classes, confidences, heat, compared):
        same_by_hand(database.analyst, chart)


@pytest.mark.parametrize("key", ["meta:k", "meta:part number", "data:value", "data:externalId", "stream"])
def test_keys_of_every_kind_split(database: Database, key: str) -> None:
    store = Store(database)
    for number, text in enumerate(TEXTS):
        fields = {
            "stream_id": text,
            "custom_metadata": {"k": text, "part number": text},
            "event_data": {"value": text, "external_id": text},
        }
        store.insert(store.event(str(number), **fields))
    analyst = Analyst(database.writer, store.workspace, store.query(), LOOKBACK_DAYS, TIMEOUT_S)
    chart = analyst.chart(lambda charts: charts.split(key))
    assert {row["part"]: row["events"] for row in chart.rows} == dict.fromkeys(TEXTS, 1)
    assert {row["of"] for row in chart.rows} == {len(TEXTS)}
    by_time = analyst.over_time("UTC", key)
    assert {row["part"]: row["events"] for row in by_time.rows} == {
        **dict.fromkeys(sorted(TEXTS, key=str.encode)[:6], 1),
        None: len(TEXTS) - 6,
    }
    same_by_hand(database.analyst, chart)
    same_by_hand(database.analyst, by_time)


def test_a_key_with_many_values_gives_a_bounded_chart(database: Database) -> None:
    store = Store(database)
    store.insert(*(store.event(str(number), custom_metadata={"k": f"v{number}"}) for number in range(1500)))
    analyst = Analyst(database.writer, store.workspace, store.query(), LOOKBACK_DAYS, TIMEOUT_S)
    chart = analyst.chart(lambda charts: charts.split("meta:k"))
    assert (len(chart.rows), chart.rows[0]["of"]) == (20, 1500)
    assert len(analyst.chart(lambda charts: charts.heat_map("meta:k", "type")).rows) == 400


@pytest.mark.parametrize("key", ["meta:a`b", "meta:", "data:nothing", "use_case_id", "meta:x'", ""])
def test_what_is_no_key_is_refused(key: str) -> None:
    analyst = Charts("w", Store(None).query(), Span(0, 1))  # type: ignore[arg-type]  # nothing is asked
    with pytest.raises(ValueError, match="nothing that events can be split by"):
        analyst.split(key)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_text_in_place_means_itself(database: Database, text: str) -> None:
    for value in (text, f"{text}'", f"{text}\\", "'; SELECT 1 --" + text, "{p0:String}" + text):
        answer = database.analyst.raw_query(
            f"SELECT {literal(value, 'String')} AS v, {literal([value], 'Array(String)')} AS l FORMAT JSONEachRow"
        )
        assert orjson.loads(answer) == {"v": value, "l": [value]}
