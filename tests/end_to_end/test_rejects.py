"""Rejects from the operator's chair: counted, shown, sent again with their outcome told, discarded."""

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from pipeline.edges import reject_replay
from pipeline.edges.kafka import admin
from pipeline.edges.reject_replay import Outcome, outcome_of, replay_rejects
from pipeline.edges.rejects import RejectFilter
from pipeline.errors import DependencyError
from schemas.use_case import MetadataField, MetadataSchema, UseCase
from tests.end_to_end.system import System

EVENTS = "SELECT (count(), uniqExact(event_id)) FROM vision_events WHERE use_case_id = {u:String}"


@pytest.fixture(scope="module", autouse=True)
def _worker(system: System) -> Iterator[None]:
    """One worker for all tests of this file: starting it takes longer than most of them."""
    with system.worker():
        yield


@pytest.fixture
def late(system: System) -> str:
    """A use case that nobody has applied yet."""
    return f"late-{uuid.uuid4().hex[:8]}"


def records(use_case: str, numbers: range, **metadata: Any) -> list[bytes]:
    return [orjson.dumps({"use_case_id": use_case, "custom_metadata": {"n": n} | metadata}) for n in numbers]


def test_replay_tells_what_became_of_each_record(system: System, late: str) -> None:
    strict = MetadataSchema(
        mode="strict", fields={"n": MetadataField(type="number"), "line": MetadataField(required=True)}
    )
    system.publish(records(late, range(12), line="L1") + records(late, range(3)), key=b"cam-1")
    before = system.drained()
    listed = json.loads(system.run("rejects", "list", "--use-case", late, "--group-by", "device", "--json"))
    assert listed["counts"][0] | {"oldest": "", "newest": ""} == {
        "device": "cam-1",
        "rejects": 15,
        "oldest": "",
        "newest": "",
    }
    assert len(listed["rejects"]) == 15
    system.apply(UseCase(id=late, name=late, metadata=strict))
    told = system.run("rejects", "replay", "--use-case", late)
    assert "replayed 15 records" in told
    assert "stored 12, rejected again 3" in told
    assert "invalid_metadata" in told
    after = system.drained()
    assert (after.stored - before.stored, after.rejected - before.rejected) == (12, 3)
    assert system.value(EVENTS, u=late) == (12, 12)
    listed = json.loads(system.run("rejects", "list", "--use-case", late, "--json"))
    assert [(group["reason"], group["rejects"]) for group in listed["counts"]] == [("invalid_metadata", 3)]
    assert {reject["attempts"] for reject in listed["rejects"]} == {2}
    one = listed["rejects"][0]["id"]
    shown = system.run("rejects", "show", one)
    assert '>   "custom_metadata": {' in shown
    assert "custom_metadata.line is not in the record as it was sent" in shown
    assert "discarded 1 reject" in system.run("rejects", "discard", one, "--because", "no line there", "--by", "ann")
    assert "by ann: no line there" in system.run("rejects", "show", one)
    assert json.loads(system.run("rejects", "list", "--use-case", late, "--json"))["total"] == 2
    (gone,) = json.loads(system.run("rejects", "list", "--use-case", late, "--state", "discarded", "--json"))["rejects"]
    assert (gone["id"], gone["decided_by"], gone["note"]) == (one, "ann", "no line there")


def test_two_people_replaying_at_once_make_no_second_event(system: System, late: str) -> None:
    system.publish(records(late, range(700)))
    system.drained()
    system.apply(UseCase(id=late, name=late))
    command = [sys.executable, "-m", "pipeline", "rejects", "replay", "--use-case", late]
    both = [subprocess.Popen(command, env=system.environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=120)[0] for process in both]
    system.drained()
    assert all(process.returncode == 0 for process in both), told
    assert "replayed 700" in "".join(told)
    assert system.value(EVENTS, u=late) == (700, 700)
    assert "no rejects" in system.run("rejects", "list", "--use-case", late)


def test_a_replay_cut_off_between_publish_and_mark_is_repeated(
    system: System, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = RejectFilter(use_case=late)

    def replay(run: str) -> int:
        return replay_rejects(system.settings, system.sql, chosen, run, "me", lambda done, total: None)

    def cut(*_: object) -> None:
        raise DependencyError("cut off")

    system.publish(records(late, range(40)))
    system.drained()
    with monkeypatch.context() as patched:
        patched.setattr(reject_replay, "_mark", cut)
        with pytest.raises(DependencyError, match="cut off"):
            replay("first")
    system.drained()  # rejected again: 80 rejects, and 40 records
    listed = json.loads(system.run("rejects", "list", "--use-case", late, "--json"))
    assert listed["total"] == 40
    system.apply(UseCase(id=late, name=late))
    run = str(uuid.uuid4())
    assert replay(run) == 40
    system.drained()
    assert outcome_of(system.sql, run) == Outcome(stored=40)
    assert system.value(EVENTS, u=late) == (40, 40)
    assert "no rejects" in system.run("rejects", "list", "--use-case", late)


def test_rejects_that_arrive_during_a_replay_are_left_alone(
    system: System, late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reject_replay, "_PAGE_REJECTS", 7)
    steps = []

    def more(done: int, total: int) -> None:
        steps.append((done, total))
        if len(steps) == 1:
            system.publish(records(late, range(100, 110)))
            system.drained()  # these, and the first page again, are rejects by now

    system.publish(records(late, range(50)))
    system.drained()
    assert replay_rejects(system.settings, system.sql, RejectFilter(use_case=late), "run", "me", more) == 50
    assert steps[-1] == (50, 50)
    system.drained()
    total = json.loads(system.run("rejects", "list", "--use-case", late, "--json", "--limit", "0"))["total"]
    assert total == 60


def test_retention_of_rejects_reaches_their_topic(system: System) -> None:
    async def kept() -> str:
        async with admin(system.settings) as client:
            asked = ConfigResource(
                ConfigResourceType.TOPIC, "vision.rejects", {"retention.ms": "", "cleanup.policy": ""}
            )
            (answer,) = await client.describe_configs([asked])
        (resource,) = answer.to_object()["resources"]
        entries = {entry["config_names"]: entry["config_value"] for entry in resource["config_entries"]}
        assert entries["cleanup.policy"] == "delete"
        return str(entries["retention.ms"])

    for days in (45, 30):
        assert f"kept {days} days" in system.run("migrate", "--set", f"reject_retention_days={days}")
        assert int(asyncio.run(kept())) == days * 24 * 3600 * 1000
