"""Queries find what a plain Python model of them says, page by page, whatever was replaced, moved or deleted before."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.edges.sweep import sweep_if_due
from tests.integration.query_model import CONTENT, QUERIES, TIMES, VERDICTS, Store
from tests.integration.sql_support import Database

pytest_plugins = ["tests.integration.sql_fixtures"]

IDS = st.sampled_from(["a", "b", "c", "d", "ab", "Z", "ü", "x'y"])
OPERATIONS = st.one_of(
    st.tuples(st.just("event"), IDS, TIMES, CONTENT),
    st.tuples(st.just("event"), IDS, TIMES, CONTENT),
    st.tuples(st.just("event"), IDS, TIMES, CONTENT),
    st.tuples(st.just("feedback"), st.sampled_from(["f1", "f2"]), TIMES, IDS, VERDICTS),
    st.tuples(st.just("elsewhere"), IDS, TIMES),
    st.tuples(st.just("delete"), st.lists(IDS, min_size=1, max_size=3)),
    st.just(("sweep",)),
)


def apply(store: Store, operation: Any) -> None:
    name, *arguments = operation
    if name == "event":
        event_id, at, content = arguments
        store.insert(store.event(event_id, at, **content))
    elif name == "feedback":
        event_id, at, about, verdict = arguments
        said = {"related_event_id": about, "feedback": verdict}
        store.insert(store.event(event_id, at, event_type="operator_feedback", event_data=said))
    elif name == "elsewhere":
        event_id, at = arguments
        store.insert(store.event(event_id, at, use_case_id=f"{store.workspace}/other"))
    elif name == "delete":
        (event_ids,) = arguments
        visible = {id_ for id_, event in store.current.items() if event["use_case_id"] == store.use_case}
        assert store.delete(*event_ids) == [id_ for id_ in dict.fromkeys(event_ids) if id_ in visible]
    else:
        sweep_if_due(store.database.writer, timedelta(0))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    operations=st.lists(OPERATIONS, min_size=3, max_size=14),
    queries=st.lists(QUERIES, min_size=2, max_size=4),
    limit=st.integers(1, 5),
)
def test_a_query_finds_what_the_model_says(
    database: Database, operations: list[Any], queries: list[dict[str, Any]], limit: int
) -> None:
    store = Store(database)
    for operation in operations:
        apply(store, operation)
    for document in [{}, *queries]:
        query = store.query(**document)
        expected = store.expected(query)
        assert list(store.walk(query, limit)) == expected, document
        assert store.count(query) == len(expected), document
