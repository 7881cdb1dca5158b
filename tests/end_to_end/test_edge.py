"""The edge as a process of its own: killed again and again, with Kafka away, and every event is stored exactly once."""

import itertools
import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from deploy.embedded.ports import free_port
from pipeline.spool.state import read_state
from schemas.use_case import UseCase
from tests.conftest import Services
from tests.end_to_end.system import System, until

# Read at import: tests themselves run without settings in their environment. The long form: TEST_EDGE_SECONDS=600.
AWAY_S = float(os.environ.get("TEST_EDGE_SECONDS", "2"))
KILL_EVERY_S = 1.0 if AWAY_S < 60 else 20.0
RATE = 50
CAMERAS = 5


class EdgeBox:
    """A device: the edge's process, its disk, and the cameras that send to it."""

    def __init__(self, system: System, folder: Path, use_case: str, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.environment = system.environment | {
            "VISION_EVENTS_DATA_DIR": str(folder),
            "VISION_EVENTS_EDGE_PORT": str(self.port),
            "VISION_EVENTS_EDGE_API_KEY": "an-edge-key",
            "VISION_EVENTS_EDGE_USE_CASE": use_case,
            **{f"VISION_EVENTS_{name.upper()}": value for name, value in settings.items()},
        }
        self.http = httpx.Client(base_url=self.url, headers={"X-API-Key": "an-edge-key"}, timeout=60)
        self.starts = 0
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        with (self.folder / "edge.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pipeline", "edge"], env=self.environment, stdout=log, stderr=log
            )
        until(self.answers, bool)
        return self.process

    def answers(self) -> bool:
        try:
            return self.http.get("/livez").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(60) == 0, self.log()

    def log(self) -> str:
        return (self.folder / "edge.log").read_text()[-4000:]

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", "edge", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        """As `edge status --json` prints it, without the cost of a process."""
        return asdict(read_state(self.folder / "edge"))


@pytest.fixture
def use_case(system: System) -> str:
    name = f"edge-{uuid.uuid4().hex[:8]}"
    system.apply(UseCase(id=name, name=name))
    return name


@pytest.fixture
def box(system: System, use_case: str, tmp_path: Path) -> Iterator[EdgeBox]:
    box = EdgeBox(system, tmp_path, use_case)
    yield box
    if box.process.poll() is None:
        box.kill()


def event(camera: int, number: int, **changes: Any) -> dict[str, Any]:
    return {
        "inference_timestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())}.{number % 1000:03}Z",
        "event_schema": "custom",
        "event_data": {"value": number},
        "images": [],
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{camera}/{number}/{os.getpid()}")),
        "device_id": f"cam-{camera}",
    } | changes


class Camera(threading.Thread):
    """Sends its events in order, each until it is acknowledged."""

    def __init__(self, box: EdgeBox, number: int) -> None:
        super().__init__(daemon=True)
        self.box = box
        self.number = number
        self.acknowledged: list[str] = []
        self.failure: BaseException | None = None
        self.stopping = threading.Event()

    def run(self) -> None:
        try:
            with httpx.Client(base_url=self.box.url, headers={"X-API-Key": "an-edge-key"}, timeout=10) as http:
                begun = time.monotonic()
                for number in itertools.count():
                    self.send(http, event(self.number, number))
                    # What could not be sent while the edge was down is made up for: the rate holds over the whole time.
                    due = begun + (number + 1) * CAMERAS / RATE
                    if self.stopping.wait(max(0.0, due - time.monotonic())):
                        return
        except BaseException as error:
            self.failure = error

    def send(self, http: httpx.Client, body: dict[str, Any]) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                response = http.post("/v2/events", json=body)
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
                continue
            assert response.status_code == 201, response.text
            assert response.json() == {"id": body["event_id"]}
            self.acknowledged.append(body["event_id"])
            return


def test_broker_away_and_kill_9_every_event_is_stored_once(
    system: System, stack: Services, use_case: str, box: EdgeBox
) -> None:
    cameras = [Camera(box, number) for number in range(CAMERAS)]
    begun, before = time.monotonic(), system.counts().produced
    for camera in cameras:
        camera.start()
    until(lambda: system.counts().produced, lambda produced: produced > before)
    box.kill()  # while it forwards
    box.start()
    with stack.away("kafka"):
        away = time.monotonic()
        while time.monotonic() < away + AWAY_S:
            time.sleep(random.uniform(0.5, 1.5) * KILL_EVERY_S)
            box.kill()
            box.start()
        kept = until(box.status, lambda state: state["waiting"] >= 0.5 * RATE * AWAY_S / 2)
        # The first failure is known a moment after a start.
        assert until(box.status, lambda state: state["failure"])["failure"].startswith("Kafka")
    until(lambda: box.status()["delivered"], lambda delivered: delivered > kept["delivered"], 60)
    box.kill()  # while it drains
    box.start()
    for camera in cameras:
        camera.stopping.set()
    for camera in cameras:
        camera.join()
        assert camera.failure is None
    seconds = time.monotonic() - begun

    state = until(box.status, lambda state: state["waiting"] == 0, 120)
    acknowledged = [event_id for camera in cameras for event_id in camera.acknowledged]
    assert state["accepted"] == state["delivered"] + state["replaced"]
    assert (state["refused"], state["damaged_files"]) == (0, ())
    printed = orjson.loads(box.command("status", "--json"))
    assert {name: printed[name] for name in ("accepted", "delivered", "waiting")} == {
        name: state[name] for name in ("accepted", "delivered", "waiting")
    }
    assert "0 waiting + 0 refused" in box.command("status")
    box.stop()
    with system.worker():
        system.drained()
    rows, ids = system.sql.query(
        "SELECT count(), uniqExact(event_id) FROM vision_events WHERE use_case_id = {case:String}",
        parameters={"case": use_case},
    ).result_rows[0]
    assert rows == ids == len(acknowledged)
    stored = {
        row[0]
        for row in system.sql.query(
            "SELECT event_id FROM vision_events WHERE use_case_id = {case:String}", parameters={"case": use_case}
        ).result_rows
    }
    assert stored == set(acknowledged)
    records = in_final_order(system, use_case)
    assert records == {f"cam-{camera.number}": camera.acknowledged for camera in cameras}
    print(
        f"\n{len(acknowledged)} events in {seconds:.0f} s, Kafka away {AWAY_S:.0f} s, {box.starts - 1} times kill -9: "
        f"{rows} stored, {len(stored ^ set(acknowledged))} lost or strange, {state['replaced']} replaced in the spool"
    )


def in_final_order(system: System, use_case: str) -> dict[str, list[str]]:
    """Event ids of each device in the order in which the topic holds their last copies."""
    last: dict[str, tuple[str, int]] = {}
    for record in system.read("vision.inferences"):
        if use_case.encode() not in record.value:  # of another test, and perhaps not JSON
            continue
        document = orjson.loads(record.value)
        if document.get("use_case_id") == use_case:
            last[document["event_id"]] = (document["source"]["device_id"], record.offset)
    order: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for event_id, (device, offset) in last.items():
        order[device].append((offset, event_id))
    return {device: [event_id for _, event_id in sorted(items)] for device, items in order.items()}
