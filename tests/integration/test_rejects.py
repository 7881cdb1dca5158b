"""Rejects in the tables: how they are counted, what was decided of them, and that a record is one reject."""

import uuid
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from pipeline.core.record import ORIGIN_HEADER
from pipeline.edges.clickhouse import insert_events, insert_rejects
from pipeline.edges.reject_replay import _pages
from pipeline.edges.rejects import (
    RejectFilter,
    count_rejects,
    decisions_of,
    discard,
    keep_for,
    list_places,
    list_rejects,
    read_rejects,
)
from schemas.reject import Reject, RejectReason
from tests.integration.sql_support import Database

pytest_plugins = ["tests.integration.sql_fixtures"]

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def topic() -> str:
    """A topic that no other test sees; also the use case of its rejects."""
    return f"t-{uuid.uuid4().hex}"


def put(database: Database, topic: str, offset: int, origin: int | None = None, **changes: object) -> None:
    fields: dict[str, object] = {
        "topic": topic,
        "partition": 0,
        "offset": offset,
        "timestamp": NOW + timedelta(seconds=offset),
        "reason": RejectReason.UNKNOWN_USE_CASE,
        "message": "none",
        "use_case_id": topic,
        "value": b"\xff\x00",
    }
    if origin is not None:
        fields["headers"] = ((ORIGIN_HEADER, f"{topic}/0/{origin}".encode()),)
    insert_rejects(database.writer, [Reject(**(fields | changes))])  # type: ignore[arg-type]


def store(database: Database, topic: str, offset: int) -> None:
    event = {
        "workspace_id": topic,
        "use_case_id": topic,
        "event_id": str(uuid.uuid4()),
        "event_type": "custom",
        "timestamp": NOW,
        "retention_days": 1,
        "topic": topic,
        "partition": 0,
        "offset": offset,
        "version": offset,
    }
    insert_events(database.writer, [orjson.dumps(event, option=orjson.OPT_UTC_Z)])


def offsets(database: Database, topic: str, *states: str) -> list[int]:
    chosen = RejectFilter(use_case=topic, states=states or ("open",))  # type: ignore[arg-type]
    return [place[2] for place, _ in list_places(database.writer, chosen)]


def decide(database: Database, topic: str, offset: int, state: str, **more: object) -> None:
    names = {"topic": topic, "partition": 0, "offset": offset, "state": state, "decided_by": "me"} | more
    database.writer.insert("reject_decisions", [tuple(names.values())], column_names=tuple(names))


def test_rejects_are_counted_by_reason_use_case_and_device(database: Database, topic: str) -> None:
    for offset, (reason, device) in enumerate([("not_json", "a"), ("not_json", "b"), ("invalid_image", "a")]):
        put(database, topic, offset, reason=RejectReason(reason), device_id=device)
    groups = count_rejects(database.writer, RejectFilter(use_case=topic), ("reason", "device"))
    assert [(g["reason"], g["device"], g["rejects"]) for g in groups] == [
        ("invalid_image", "a", 1),
        ("not_json", "a", 1),
        ("not_json", "b", 1),
    ]
    (first, second) = count_rejects(database.writer, RejectFilter(use_case=topic))
    assert (first["reason"], first["rejects"], second["reason"]) == ("not_json", 2, "invalid_image")
    span = (first["newest"] - first["oldest"]) / timedelta(seconds=1)
    assert span == 1


def test_a_discarded_reject_stays_readable_and_stays_discarded_when_it_is_delivered_again(
    database: Database, topic: str
) -> None:
    put(database, topic, 1)
    put(database, topic, 2)
    assert discard(database.writer, RejectFilter((f"{topic}/0/1",)), "ann@factory", "a test camera") == 1
    put(database, topic, 1, headers=(("trace", b"\xff\x01"),))  # the worker was killed before its commit
    assert offsets(database, topic) == [2]
    assert offsets(database, topic, "discarded") == [1]
    (listed,) = list_rejects(database.writer, RejectFilter(use_case=topic, states=("discarded",)), 5)
    assert (listed["decided_by"], listed["note"], listed["state"]) == ("ann@factory", "a test camera", "discarded")
    (reject,) = read_rejects(database.writer, [(topic, 0, 1)])
    assert (reject.value, reject.headers) == (b"\xff\x00", (("trace", b"\xff\x01"),))
    assert [(d.state, d.decided_by, d.note) for d in decisions_of(database.writer, (topic, 0, 1))] == [
        ("discarded", "ann@factory", "a test camera")
    ]
    assert discard(database.writer, RejectFilter((f"{topic}/0/1",)), "bob", "again") == 0
    counted = database.rows("SELECT stored, rejected FROM record_counts WHERE topic = {t:String}", t=topic)
    assert counted == [(0, 2)]


def test_all_tries_of_a_record_are_one_reject(database: Database, topic: str) -> None:
    put(database, topic, 1)
    put(database, topic, 5, origin=1)  # replayed by one person, whose command was killed before it marked the first
    put(database, topic, 6, origin=1)  # and by another at the same time
    assert offsets(database, topic) == [6]
    (listed,) = list_rejects(database.writer, RejectFilter(use_case=topic), 5)
    assert listed["attempts"] == 3
    decide(database, topic, 6, "replayed")
    assert offsets(database, topic) == []
    assert offsets(database, topic, "replayed") == [6]
    put(database, topic, 9, origin=1)
    assert offsets(database, topic) == [9]


def test_a_record_of_which_any_try_was_stored_is_no_reject(database: Database, topic: str) -> None:
    put(database, topic, 1)
    decide(database, topic, 1, "replayed")
    put(database, topic, 2, origin=1)
    assert offsets(database, topic) == [2]
    store(database, topic, 1)  # a backfill with other rules
    assert offsets(database, topic, "open", "replayed") == []


def test_replay_undoes_discard(database: Database, topic: str) -> None:
    put(database, topic, 1)
    discard(database.writer, RejectFilter(use_case=topic), "ann", "no use")
    decide(database, topic, 1, "replayed")
    assert offsets(database, topic, "replayed") == [1]
    assert [d.state for d in decisions_of(database.writer, (topic, 0, 1))] == ["discarded", "replayed"]


def test_retention_is_what_the_setting_says(database: Database) -> None:
    assert keep_for(database.writer, 30) is False
    assert keep_for(database.writer, 90) is True
    assert keep_for(database.writer, 90) is False
    query = (
        "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() AND name LIKE '%reject%'"
    )
    tables = dict(database.writer.query(query).result_rows)
    assert "toIntervalDay(90)" in tables["stored_rejects"]
    assert "toIntervalDay(97)" in tables["reject_decisions"]


def test_pages_are_bounded_in_number_and_bytes_and_of_one_partition() -> None:
    places = [((("t", partition, offset)), size) for partition, size in ((0, 1), (1, 8 << 20)) for offset in range(600)]
    pages = list(_pages(places))
    assert [place for page in pages for place in page] == [place for place, _ in places]
    assert all(len({place[:2] for place in page}) == 1 for page in pages)
    assert max(len(page) for page in pages if page[0][1] == 0) == 500
    assert {len(page) for page in pages if page[0][1] == 1} == {2}
