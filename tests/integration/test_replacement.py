"""The same event id again replaces the earlier event, also under another timestamp or in another use case."""

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.edges.clickhouse import insert_events
from pipeline.edges.sweep import sweep_forever, sweep_if_due, sweep_replaced
from tests.integration.sql_support import Database

pytest_plugins = ["tests.integration.sql_fixtures"]

BEGIN = datetime(2026, 11, 23, 10, tzinfo=UTC)
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)

# Every view that an analyst counts in shows a replaced event no longer.
VIEWS = ("vision_events", "detections", "classifications", "segmentations", "keypoints", "images")
BOX = {"class": "scratch", "confidence": 0.9, "x": 1, "y": 2, "width": 3, "height": 4}


@dataclass
class Events:
    """Events of a workspace and of use cases that no other test sees."""

    database: Database
    workspace: str = field(default_factory=lambda: str(uuid.uuid4()))
    offset: int = 0

    def insert(self, event_id: str, minute: int, version: int, use_case: str = "u", **fields: Any) -> None:
        self.offset += 1
        event = {
            "workspace_id": self.workspace,
            "use_case_id": f"{self.workspace}/{use_case}",
            "event_id": event_id,
            "event_type": "quality_check",
            "timestamp": BEGIN + timedelta(minutes=minute),
            "object_detections": [BOX],
            "classifications": [{"class": "scratch", "confidence": 0.9}],
            "instance_segmentations": [BOX | {"points": [[0, 0], [1, 0], [1, 1]]}],
            "keypoints": [BOX | {"keypoints": [{"id": "tip", "x": 1, "y": 1}]}],
            "images": [{"source_id": "0" * 64}],
            "retention_days": 14,
            "topic": self.workspace,
            "partition": 0,
            "offset": self.offset,
            "version": version,
        }
        insert_events(self.database.writer, [orjson.dumps(event | fields, option=orjson.OPT_UTC_Z)])

    def delete(self, event_id: str, minute: int, version: int) -> None:
        self.insert(event_id, minute, version, is_deleted=1)

    def sweep(self) -> int:
        return sweep_replaced(self.database.writer, ALWAYS)

    def merge(self) -> None:
        self.database.writer.command("OPTIMIZE TABLE stored_events FINAL")

    def visible(self, view: str = "vision_events") -> list[tuple[str, str, int]]:
        """(event id, use case, minute) of each row of a view."""
        query = f"""
            SELECT event_id, substring(use_case_id, 38), dateDiff('minute', {{begin:DateTime('UTC')}}, timestamp)
            FROM {view}
            WHERE workspace_id = {{workspace:String}} ORDER BY ALL"""
        return self.database.rows(query, begin=BEGIN, workspace=self.workspace)


@pytest.fixture
def events(database: Database) -> Events:
    return Events(database)


def test_an_event_that_moves_in_time_leaves_no_row_behind(events: Events) -> None:
    events.insert("a", minute=0, version=1)
    events.insert("b", minute=0, version=1)
    events.insert("a", minute=5, version=2)
    assert events.sweep() == 1
    for view in VIEWS:
        assert events.visible(view) == [("a", "u", 5), ("b", "u", 0)], view


def test_an_event_that_moves_to_another_use_case_or_month(events: Events) -> None:
    events.insert("a", minute=0, version=1)
    events.insert("a", minute=0, version=2, use_case="v")
    events.insert("b", minute=0, version=1)
    events.insert("b", minute=60 * 24 * 31, version=2)
    assert events.sweep() == 2
    assert events.visible() == [("a", "v", 0), ("b", "u", 60 * 24 * 31)]


def test_the_older_event_arriving_last_is_the_one_that_goes(events: Events) -> None:
    events.insert("a", minute=5, version=2)
    assert events.sweep() == 0
    events.insert("a", minute=0, version=1)
    assert events.sweep() == 1
    assert events.visible() == [("a", "u", 5)]
    events.insert("a", minute=0, version=1)  # delivered again: the tombstone is there already
    assert events.visible() == [("a", "u", 5)]
    assert events.sweep() == 0


def test_a_later_event_under_the_old_key_wins_again(events: Events) -> None:
    events.insert("a", minute=0, version=1)
    events.insert("a", minute=5, version=2)
    events.sweep()
    events.insert("a", minute=0, version=3)
    assert events.sweep() == 1
    assert events.visible() == [("a", "u", 0)]


def test_an_event_between_two_others_is_hidden_too(events: Events) -> None:
    events.insert("a", minute=0, version=1)
    events.insert("a", minute=5, version=5)
    events.sweep()
    events.insert("a", minute=9, version=9)
    events.sweep()
    events.insert("a", minute=0, version=7)  # newer than the tombstone under its key, older than the event in force
    assert events.sweep() == 1
    events.insert("a", minute=0, version=8)  # older than the tombstone by now
    assert events.sweep() == 0
    assert events.visible() == [("a", "u", 9)]


def test_a_deleted_event_does_not_bring_its_predecessor_back(events: Events) -> None:
    events.insert("a", minute=0, version=1)
    events.insert("a", minute=5, version=2)
    events.delete("a", minute=5, version=3)
    events.merge()  # only the deletion is left of the later event
    assert events.sweep() == 1
    assert events.visible() == []
    events.insert("a", minute=9, version=4)
    events.sweep()
    assert events.visible() == [("a", "u", 9)]


def test_one_record_under_two_keys_keeps_one_row(events: Events) -> None:
    """The same record, delivered again after its device's default use case was changed: the versions are equal."""
    for _ in range(2):
        events.insert("a", minute=0, version=1, use_case="v")
        events.insert("a", minute=0, version=1, use_case="u")
        assert events.sweep() == 1
        assert events.visible() == [("a", "u", 0)]  # what was inserted last
    assert events.sweep() == 0


def test_another_workspace_keeps_its_event_of_the_same_id(database: Database) -> None:
    mine, theirs = Events(database), Events(database)
    mine.insert("a", minute=0, version=1)
    theirs.insert("a", minute=5, version=2)
    assert mine.sweep() == 0
    assert mine.visible() == [("a", "u", 0)]
    assert theirs.visible() == [("a", "u", 5)]


def test_only_ids_inserted_since_are_looked_at(events: Events) -> None:
    events.insert("a", minute=0, version=1)
    events.insert("a", minute=5, version=2)
    later = datetime.now(UTC) + timedelta(days=1)
    assert sweep_replaced(events.database.writer, later) == 0
    assert len(events.visible()) == 2
    assert events.sweep() == 1


def test_tombstones_count_as_no_record_and_outlive_what_they_hide(events: Events) -> None:
    events.insert("a", minute=0, version=1, retention_days=30)
    events.insert("a", minute=5, version=2, retention_days=1)
    events.sweep()
    counts = events.database.rows(
        "SELECT stored, rejected FROM record_counts WHERE topic = {topic:String}", topic=events.workspace
    )
    assert counts == [(2, 0)]
    tombstones = events.database.rows(
        "SELECT version, offset, retention_days FROM stored_events "
        "WHERE is_deleted AND workspace_id = {workspace:String}",
        workspace=events.workspace,
    )
    assert tombstones == [(2, 2, 30)], "version and place in Kafka of the event that replaces, the longer retention"


def test_workers_take_turns(events: Events) -> None:
    never, at_once = timedelta(days=1), timedelta(0)
    client = events.database.writer
    sweep_if_due(client, at_once)
    events.insert("a", minute=0, version=1)
    events.insert("a", minute=5, version=2)
    wait = sweep_if_due(client, never)
    assert 0 < wait <= never.total_seconds()
    assert len(events.visible()) == 2, "another worker swept a moment ago"
    sweep_if_due(client, at_once)
    assert events.visible() == [("a", "u", 5)]


async def test_a_worker_goes_on_sweeping(events: Events) -> None:
    sweeper = asyncio.create_task(sweep_forever(events.database.writer, timedelta(seconds=0.05)))
    try:
        for newest in (1, 2, 3):
            await asyncio.to_thread(events.insert, "a", newest, newest)
            async with asyncio.timeout(30):
                while await asyncio.to_thread(events.visible) != [("a", "u", newest)]:
                    assert not sweeper.done()
                    await asyncio.sleep(0.02)
    finally:
        sweeper.cancel()


OPERATIONS = st.one_of(
    st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.integers(1, 5)),
    st.sampled_from(["sweep", "sweep", "merge"]),
)


@settings(max_examples=25, deadline=None)
@given(operations=st.lists(OPERATIONS, min_size=1, max_size=12))
def test_whatever_the_order_one_row_an_id_is_left_and_it_is_the_newest(
    database: Database, operations: list[Any]
) -> None:
    """Any inserts of (id, minute, version), repeated and out of order, with sweeps and merges in between."""
    events = Events(database)
    newest: dict[str, int] = {}
    versions: dict[str, int] = {}
    for operation in operations:
        if isinstance(operation, str):
            getattr(events, operation)()
            continue
        event_id, minute, version = operation
        events.insert(event_id, minute, version)
        # Equal versions are one record read again, perhaps with other rules: what was inserted last is kept.
        if version >= versions.get(event_id, 0):
            versions[event_id], newest[event_id] = version, minute
    events.sweep()
    expected = [(event_id, "u", minute) for event_id, minute in sorted(newest.items())]
    assert events.visible() == expected
    assert events.sweep() == 0


@pytest.mark.parametrize("merged", [False, True])
def test_a_record_read_again_wins_over_its_own_earlier_outcome(events: Events, merged: bool) -> None:
    """The same version: with the same key ClickHouse keeps what was inserted last, with another the sweep does."""
    for comment in ("before", "after"):
        events.insert("same", 0, 5, comment=comment)
    events.insert("moved", 9, 5)
    events.insert("moved", 1, 5, use_case="a")  # the lower key, the later insert
    if merged:
        events.merge()
    events.sweep()
    assert events.visible() == [("moved", "a", 1), ("same", "u", 0)]
    query = "SELECT comment FROM vision_events WHERE event_id = 'same' AND workspace_id = {w:String}"
    assert events.database.rows(query, w=events.workspace) == [("after",)]
    events.insert("moved", 9, 5)  # back again, over its tombstone
    events.sweep()
    events.sweep()
    assert events.visible() == [("moved", "u", 9), ("same", "u", 0)]


def test_what_is_read_again_neither_overwrites_a_later_event_nor_brings_a_deleted_one_back(events: Events) -> None:
    events.insert("corrected", 0, 5)
    events.insert("corrected", 0, 6, comment="later")
    events.insert("deleted", 0, 5)
    events.delete("deleted", 0, 6)
    for event in ("corrected", "deleted"):
        events.insert(event, 0, 5, comment="again")
        events.insert(event, 3, 5, use_case="other", comment="again, elsewhere")
    events.sweep()
    assert events.visible() == [("corrected", "u", 0)]
    query = "SELECT comment FROM vision_events WHERE workspace_id = {w:String}"
    assert events.database.rows(query, w=events.workspace) == [("later",)]
