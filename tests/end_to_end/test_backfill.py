"""The raw topic read again with other rules, while the live worker runs: `vision-events replay --from`."""

import asyncio
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from pipeline.edges.deletion import delete_events
from pipeline.edges.progress import progress
from pipeline.edges.spans import Span
from schemas.use_case import MetadataField, MetadataSchema, UseCase
from tests.end_to_end.system import System, until
from tests.end_to_end.test_reject_limit import committed
from tests.end_to_end.test_rejects import EVENTS, records

LINES = (
    "SELECT groupArray((line, n)) FROM (SELECT toString(custom_metadata.line) AS line, count() AS n FROM vision_events "
    "WHERE use_case_id = {u:String} GROUP BY line ORDER BY line)"
)


def with_line(name: str, line: str, **changes: Any) -> UseCase:
    metadata = MetadataSchema(fields={"line": MetadataField(default=line)}, **changes)
    return UseCase(id=name, name=name, metadata=metadata)


@pytest.fixture(scope="module", autouse=True)
def _worker(system: System) -> Iterator[None]:
    """One worker for all tests of this file: starting it takes longer than most of them."""
    with system.worker():
        yield


@pytest.fixture
def name() -> str:
    return f"case-{uuid.uuid4().hex[:8]}"


def now() -> str:
    """The beginning of a second that no earlier test wrote in: a time on a command line has whole seconds."""
    time.sleep(1 - time.time() % 1)
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"


def test_rules_that_changed_reach_old_records_and_nothing_else_changes(system: System, name: str) -> None:
    other, late = f"{name}-other", f"{name}-late"
    begin = now()
    ids = [str(uuid.uuid4()) for _ in range(300)]
    fields = {"use_case_id": name, "timestamp": datetime.now(UTC).isoformat()}
    events = [orjson.dumps(fields | {"event_id": event_id}) for event_id in ids]
    system.apply(with_line(name, "L1"), with_line(other, "L1"))
    system.publish([*events, *records(other, range(20)), *records(late, range(7))])
    system.publish([orjson.dumps(fields | {"event_id": ids[0], "custom_metadata": {"line": "corrected"}})])
    before = system.drained()
    assert delete_events(system.sql, "default", name, ids[1:3], 10) == ids[1:3]
    system.apply(with_line(name, "L2"), with_line(other, "L2"), with_line(late, "L2"))
    until(lambda: committed(system), lambda places: sum(filter(None, places.values())) == before.produced)
    published, places = len(system.read("vision.events")), committed(system)
    told = system.run("replay", "--from", begin, "--use-case", name, "--rate", "100000")
    assert "replayed 301 records" in told
    assert "27 records of other use cases were left alone" in told
    assert system.value(LINES, u=name) == [("L2", 297), ("corrected", 1)]
    assert system.value(LINES, u=other) == [("L1", 20)]
    assert json.loads(system.run("rejects", "list", "--use-case", late, "--json"))["total"] == 7
    # All of it: rejects whose use case exists by now are events, and leave the list.
    told = system.run("replay", "--from", begin, "--rate", "100000")
    assert "stored 328, rejected 0" in told
    assert system.value(LINES, u=name) == [("L2", 297), ("corrected", 1)]
    assert system.value(LINES, u=other) == [("L2", 20)]
    assert system.value(LINES, u=late) == [("L2", 7)]
    assert "no rejects" in system.run("rejects", "list", "--use-case", late)
    assert len(system.read("vision.events")) == published
    system.run("replay", "--from", begin, "--use-case", late, "--publish-events", "--rate", "100000")
    assert len(system.read("vision.events")) == published + 7
    assert committed(system) == places
    after = system.counts()
    assert (after.produced, after.stored, after.rejected) == (before.produced, before.stored + 7, before.rejected - 7)


def test_what_fails_by_todays_rules_keeps_its_event(system: System, name: str) -> None:
    begin = now()
    system.apply(UseCase(id=name, name=name))
    system.publish(records(name, range(5)) + records(name, range(5, 9), line="L1"))
    before = system.drained()
    strict = MetadataSchema(
        mode="strict", fields={"n": MetadataField(type="number"), "line": MetadataField(required=True)}
    )
    system.apply(UseCase(id=name, name=name, metadata=strict))
    told = system.run("replay", "--from", begin, "--use-case", name)
    assert "stored 4, rejected 5" in told
    assert "5 of the rejected were stored by earlier rules" in told
    assert system.value(EVENTS, u=name) == (9, 9)
    assert "no rejects" in system.run("rejects", "list", "--use-case", name)
    after = system.counts()
    assert (after.stored, after.rejected) == (before.stored, before.rejected)


def test_a_run_that_was_killed_goes_on_where_it_was(system: System, name: str) -> None:
    begin = now()
    system.apply(with_line(name, "L1"))
    system.publish(records(name, range(4_000)))
    system.drained()
    system.apply(with_line(name, "L2"))
    arguments = ["replay", "--from", begin, "--use-case", name]
    slow = subprocess.Popen([sys.executable, "-m", "pipeline", *arguments, "--rate", "100"], env=system.environment)

    def place() -> int:
        group = Span(datetime.fromisoformat(begin).replace(tzinfo=UTC), None, name).group(system.settings.ingest_group)
        return sum(place.committed or 0 for place in asyncio.run(progress(system.settings, group)))

    first = until(place, bool)
    until(place, lambda reached: reached > first)
    slow.kill()
    slow.wait()
    told = system.run(*arguments, "--rate", "100000")
    again = int(told.split()[1].replace(",", ""))
    assert 0 < again < 4_000
    assert system.value(LINES, u=name) == [("L2", 4_000)]
    # It is done now: the same command reads all of it anew.
    assert "replayed 4,000 records" in system.run(*arguments, "--rate", "100000")


def test_a_span_without_records_and_an_unknown_use_case_are_mistakes(system: System) -> None:
    assert "no record of vision.inferences arrived" in system.run(
        "replay", "--from", "2020-01-01", "--to", "2020-01-02", status=2
    )
    assert "no use case 'nothing'" in system.run("replay", "--from", "2020-01-01", "--use-case", "nothing", status=2)
    assert "later than" in system.run("replay", "--from", "2020-01-02", "--to", "2020-01-01", status=2)
