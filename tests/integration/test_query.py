"""Queries find what a plain Python model of them says, page by page, whatever was replaced, moved or deleted before."""

import os
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.core.api_event import api_event
from pipeline.edges.events import EventReader
from pipeline.edges.metadata_fields import custom_metadata_fields, image_metadata_fields
from pipeline.edges.sweep import sweep_if_due
from pipeline.errors import QueryLimitError
from tests.integration.query_model import (
    BASE,
    CONTENT,
    KEYS,
    LOOKBACK_DAYS,
    QUERIES,
    TEXTS,
    TIMEOUT_S,
    TIMES,
    VERDICTS,
    Store,
)
from tests.integration.sql_support import Database

pytest_plugins = ["tests.integration.sql_fixtures"]

EXAMPLES = int(os.environ.get("QUERY_EXAMPLES", "12"))
"""In full: QUERY_EXAMPLES=300, some ten minutes."""

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


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    operations=st.lists(OPERATIONS, min_size=3, max_size=12),
    queries=st.lists(QUERIES, min_size=2, max_size=4),
    limit=st.integers(2, 5),
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


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def test_what_was_inserted_since_the_last_sweep_is_looked_at_and_what_came_late(store: Store) -> None:
    """The sweep was minutes ago: rows from before it are left alone, unless a late record could have been replaced."""
    now = datetime.now(UTC)
    long_ago, lately = now - minutes(30), now - minutes(5)
    sweep_if_due(store.database.writer, timedelta(0))
    store.insert(store.event("moved", BASE, inserted_at=long_ago), store.event("stays", BASE, inserted_at=long_ago))
    store.insert(store.event("moved", BASE + minutes(9), inserted_at=now))
    # The first record of `late` is stored after the second, which was stored long ago.
    clock, store.clock = store.clock, store.clock - 40 * 60_000
    first = store.event("late", BASE + minutes(5), inserted_at=now)
    store.insert(store.event("late", BASE + minutes(3), inserted_at=lately - minutes(20)))
    store.clock = clock
    store.insert(first)
    assert store.found() == ["moved", "late", "stays"]
    assert store.found(startTime=(BASE + minutes(4)).isoformat()) == ["moved"]


def test_a_page_does_not_begin_again_with_the_event_before_it(store: Store) -> None:
    """Keys of one page may have the id and the time of an event that is on the page before."""
    store.insert(store.event("f", BASE + minutes(8)), store.event("a", BASE + minutes(10)))
    store.insert(store.event("f", BASE + minutes(10)), store.event("u", BASE + minutes(5)))
    assert store.found(limit=1) == ["f", "a", "u"]


def test_a_deletion_outlives_redelivery_and_the_sweep_but_not_a_new_event(store: Store) -> None:
    first, second = store.event("a", BASE), store.event("a", BASE + minutes(5))
    store.insert(first, second, store.event("b"))
    assert store.delete("a", "nothing", "a") == ["a"]
    assert store.delete("a") == []
    elsewhere = second | {"use_case_id": f"{store.workspace}/other"}
    for _ in range(2):
        assert store.found() == ["b"]
        for redelivered in (first, second, elsewhere):
            Store(store.database, store.workspace).insert(redelivered)
        assert store.found() == ["b"]
        assert store.count(store.query()) == 1
        sweep_if_due(store.database.writer, timedelta(0))
    visible = "SELECT event_id FROM vision_events WHERE workspace_id = {workspace:String}"
    assert store.database.rows(visible, workspace=store.workspace) == [("b",)], "plain SQL, after the sweep"
    store.insert(store.event("a", BASE))
    assert store.found() == ["b", "a"]


def test_a_new_event_of_the_very_next_record_is_not_taken_for_the_deleted_one(store: Store) -> None:
    deleted = store.event("a")
    store.insert(deleted)
    store.delete("a")
    store.insert(deleted | {"version": deleted["version"] + 1, "offset": deleted["offset"] + 1})
    assert store.found() == ["a"]


def test_workspaces_do_not_see_or_delete_each_others_events(database: Database) -> None:
    mine, theirs = Store(database), Store(database)
    mine.insert(mine.event("a", custom_metadata={"k": "mine"}))
    theirs.insert(theirs.event("a", BASE + minutes(5)), theirs.event("b"))
    assert mine.found() == ["a"]
    assert theirs.found() == ["a", "b"]
    assert mine.delete("a", "b") == ["a"]
    assert theirs.found() == ["a", "b"]
    # Even with the name of the other's use case.
    foreign = theirs.query()
    assert mine.reader.page(mine.workspace, foreign, LOOKBACK_DAYS, 10).rows == []
    assert mine.reader.count(mine.workspace, foreign, LOOKBACK_DAYS) == 0


def test_pages_hold_still_while_events_are_added_and_replaced(store: Store) -> None:
    """Whoever pages sees each event that was there, once; those that are replaced in place as well."""
    before = [store.event(f"e{number:03}", BASE + minutes(number // 3)) for number in range(60)]
    store.insert(*before)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set() and number < 80:
            number += 1
            replaced = before[number * 7 % 60]
            store.insert(
                store.event(f"new{number}", BASE + minutes(number % 60)),
                store.event(replaced["event_id"], replaced["timestamp"], comment="again"),
            )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(2):
            seen = [event_id for event_id in store.walk(store.query(), 11) if event_id.startswith("e")]
            assert seen == sorted(seen, key=lambda id_: (int(id_[1:]) // 3, id_), reverse=True)
            assert len(seen) == len(set(seen)) == 60
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("text", [text for text in TEXTS if text])
def test_no_text_breaks_out_of_its_filter(store: Store, text: str) -> None:
    common = {"device_id": text, "stream_id": text, "event_data": {"external_id": text, "value": text}}
    box = {"class": text, "confidence": 0.5, "x": 1, "y": 1, "width": 1, "height": 1}
    said = {"custom_metadata": {"k": text}, "images": [{"metadata": {"k": text}}], "object_detections": [box]}
    store.insert(store.event(f"its {text}", **common, **said), store.event("other", custom_metadata={"k": "x"}))
    equal = [{"field": "k", "operator": "eq", "value": text}]
    for filters in (
        {"deviceId": text},
        {"streamId": {"operator": "eq", "value": text}},
        {"externalId": text},
        {"detectionClass": text},
        {"detectionClass": {"value": text, "minConfidence": 0.5}},
        {"customMetadataFilters": equal},
        {"imageMetadataFilters": equal},
        {"eventFieldFilters": [{"column": "value", "operator": "contains", "value": text}]},
    ):
        assert store.found(**filters) == [f"its {text}"], filters
        assert store.count(store.query(**filters)) == 1


def test_long_ids_and_pages_longer_than_a_read(store: Store) -> None:
    events = [store.event(f"{number:03}" + "ü" * 250, BASE) for number in range(230)]
    store.insert(*events)
    assert store.found(limit=220) == [event["event_id"] for event in reversed(events)]
    assert len(store.delete(*[event["event_id"] for event in events])) == 230
    assert store.found() == []


def test_how_far_back_events_are_found(store: Store) -> None:
    now = datetime.now(UTC)
    ages = {"ahead": -0.9, "today": 0.1, "last": 13.9, "too old": 14.1}
    store.insert(*[store.event(name, now - timedelta(days=age)) for name, age in ages.items()])
    assert store.found() == ["ahead", "today", "last"]
    assert store.found(startTime=(now - timedelta(days=100)).isoformat()) == ["ahead", "today", "last"]


def test_a_query_that_takes_too_long_ends_with_an_error(store: Store) -> None:
    store.insert(*[store.event(f"e{number}") for number in range(100)])
    hasty = EventReader(store.database.writer, 1e-6)
    with pytest.raises(QueryLimitError, match="narrow startTime and endTime"):
        hasty.page(store.workspace, store.query(), LOOKBACK_DAYS, 10)
    with pytest.raises(QueryLimitError):
        hasty.count(store.workspace, store.query(), LOOKBACK_DAYS)


def test_which_metadata_there_is(store: Store) -> None:
    place = (store.database.writer, store.workspace, store.use_case, LOOKBACK_DAYS, TIMEOUT_S)
    assert custom_metadata_fields(*place) == image_metadata_fields(*place) == {}
    first = {"line_id": "L1", "part number": 25, "ok": True}
    second = {"line_id": 3, "part number": 2.5}
    image = {"metadata": {"lens-1": "a", "gain": 2}}
    store.insert(
        store.event("a", custom_metadata=first, images=[image, {}]),
        store.event("b", custom_metadata=second, images=[{"metadata": {"gain": 0.5, "flash": False}}]),
        store.event("c"),
    )
    assert custom_metadata_fields(*place) == {
        "line_id": {"types": ["number", "string"]},
        "ok": {"types": ["boolean"]},
        "part number": {"types": ["number"]},
    }
    assert image_metadata_fields(*place) == {
        "flash": {"types": ["boolean"]},
        "gain": {"types": ["number"]},
        "lens-1": {"types": ["string"]},
    }


def test_what_a_page_says_of_an_event(store: Store) -> None:
    metadata = dict.fromkeys(KEYS, "x") | {"n": 1, "f": 0.25, "t": True}
    keypoints = {"class": "a", "confidence": 0.9, "x": 1, "y": 2, "width": 3, "height": 4}
    store.insert(
        store.event(
            "a",
            BASE + timedelta(microseconds=7),
            custom_metadata=metadata,
            event_data={"value": 2},
            keypoints=[keypoints | {"keypoints": [{"id": "tip", "x": 1.5, "y": 2}]}],
            comment="fine",
        )
    )
    (row,) = store.reader.page(store.workspace, store.query(), LOOKBACK_DAYS, 10).rows
    event = api_event(row)
    assert event["timestamp"] == BASE.strftime("%Y-%m-%dT%H:%M:%S.000007Z")
    assert event["customMetadata"] == metadata
    assert (event["eventData"], event["comment"]) == ({"value": 2}, "fine")
    assert event["images"] == [{"keypoints": [keypoints | {"keypoints": [{"id": "tip", "x": 1.5, "y": 2}]}]}]
