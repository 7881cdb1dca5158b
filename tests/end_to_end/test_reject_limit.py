"""A flood of rejects for a new reason stops the worker before any of it is committed: through the real loop."""

import asyncio
import uuid

import orjson

from pipeline.edges.progress import progress
from schemas.topics import INFERENCES
from schemas.use_case import UseCase
from tests.end_to_end.system import System
from tests.end_to_end.test_rejects import EVENTS, records


def committed(system: System) -> dict[int, int | None]:
    places = asyncio.run(progress(system.settings, system.settings.ingest_group))
    return {place.partition: place.committed for place in places if place.topic == INFERENCES.name}


def test_a_flood_stops_the_worker_and_nothing_of_it_is_committed(system: System) -> None:
    name = f"flood-{uuid.uuid4().hex[:8]}"
    system.apply(UseCase(id=name, name=name))
    with system.worker():
        system.publish(records(name, range(3_000)))
        before = system.drained()
    places = committed(system)
    system.publish([orjson.dumps({"use_case_id": name, "timestamp": "yesterday"})] * 4_000, key=b"cam-1")
    for _ in range(2):  # starting it again changes nothing
        worker = system.start_worker(reject_stop_share="0.5")
        assert worker.wait(150) == 4
        assert committed(system) == places
        assert system.counts().rejected == before.rejected
    log = (system.folder / "worker.log").read_text()
    assert "records fail with invalid_timestamp, which is new" in log
    assert 'expected_rejects=["invalid_timestamp"]' in log
    assert "Traceback" not in log[log.rindex("records fail with") - 2_000 :]
    with system.worker(reject_stop_share="0.5", expected_rejects='["invalid_timestamp"]'):
        after = system.drained()
    assert (after.stored - before.stored, after.rejected - before.rejected) == (0, 4_000)
    assert system.value(EVENTS, u=name) == (3_000, 3_000)
    with system.worker(reject_stop_share="0.5"):  # replayed before their cause is mended: no new flood
        assert "rejected again 4,000" in system.run("rejects", "replay", "--use-case", name)
