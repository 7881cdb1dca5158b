"""A consumer that ends by itself is no success: a supervisor has to see it, and nothing may be passed over."""

import subprocess
import sys
import uuid

import pytest

from deploy.embedded.supervisor import die_with_parent
from schemas.topics import ALERT_CANDIDATES, INFERENCES
from schemas.use_case import UseCase
from tests.end_to_end.system import System
from tests.end_to_end.test_rejects import EVENTS, records

DEFECT = """
import sys
from pipeline.cli import main
from pipeline.transport import consumer

cut, topic = consumer.cut, sys.argv.pop()

def broken(offsets, start, fetched, max_bytes):
    if fetched.records[0].topic == topic:
        raise RuntimeError("made by the test")
    return cut(offsets, start, fetched, max_bytes)

consumer.cut = broken
main()
"""
"""A worker whose consumer fails at the first records of a topic."""


@pytest.mark.parametrize(
    ("command", "topic"), [("worker", INFERENCES.name), ("alert-worker", ALERT_CANDIDATES.name)], ids=str
)
def test_a_worker_whose_consumer_ends_by_itself_fails(system: System, command: str, topic: str) -> None:
    name = f"case-{uuid.uuid4().hex[:8]}"
    rule = {"name": "any", "window": {"count": 1, "within": 60}, "group_by": ["device_id"]}
    system.apply(UseCase.model_validate({"id": name, "name": name, "alerts": [rule]}))
    environment = system.environment | {"VISION_EVENTS_WORKER_ID": "w1", "VISION_EVENTS_ALERT_GROUP": f"alerts-{name}"}
    log = system.folder / f"{name}.log"

    def run_defective() -> int:
        with log.open("ab") as output:
            return subprocess.run(
                [sys.executable, "-c", DEFECT, command, topic],
                env=environment,
                stdout=output,
                stderr=output,
                timeout=150,
                check=False,
                preexec_fn=die_with_parent,
            ).returncode

    system.publish(records(name, range(10)), key=b"cam-1")
    if command == "worker":
        assert run_defective() == 1
    with system.worker():
        system.drained()
    assert system.value(EVENTS, u=name) == (10, 10)
    if command == "alert-worker":
        assert run_defective() == 1
    assert "the consumer ended by itself" in log.read_text()
