"""Writes over HTTP: the gateway with real Kafka behind it, against a bare ASGI server that only answers 201."""

import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from deploy.embedded.ports import free_port
from pipeline.edges.clickhouse import connect
from pipeline.edges.keys import create_key
from pipeline.edges.s3 import ImageStore
from pipeline.settings import Settings
from schemas.topics import INFERENCES
from tests.benchmarks import store
from tests.benchmarks.load import drive, request
from tests.benchmarks.processes import BenchmarkError, Running, running
from tests.benchmarks.topic import clear, prepare_topics, run

SINGLE_CONNECTIONS, BATCH_CONNECTIONS = 32, 4
_READY_S = 60

Note = Callable[[str], None]


def gateway(settings: Settings, seconds: int, note: Note) -> list[dict[str, Any]]:
    """Answers a second and their times: as fast as it goes, then at half of that, for singles and batches."""
    run(prepare_topics(settings))
    found: list[dict[str, Any]] = []
    with store.fresh_database(settings) as own:
        own = own.model_copy(update={"rate_limit": 0})
        ImageStore(own).ensure_bucket()
        _, key = create_key(connect(own), "default", "benchmark")
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        with _bare(own) as (port, server):
            found.append(_row("bare server, single", port, server, _single(headers), SINGLE_CONNECTIONS, seconds, note))
        with _gateway(own) as (port, server):
            for kind, make, connections, events in (
                ("single", _single(headers), SINGLE_CONNECTIONS, 1),
                ("batch of 100", _batch(headers), BATCH_CONNECTIONS, 100),
            ):
                row = _row(f"gateway, {kind}", port, server, make, connections, seconds, note, events=events)
                half = row["per_second"] / 2
                found += [
                    row,
                    _row(f"gateway, {kind}, paced", port, server, make, connections, seconds, note, half, events),
                ]
        with _gateway(own.model_copy(update={"rate_limit": 100})) as (port, server):
            title = "gateway, rate limit of 100"
            found.append(_row(title, port, server, _single(headers), SINGLE_CONNECTIONS, seconds, note))
    run(clear(settings, INFERENCES.name))
    wrong = {status for row in found for status in row["statuses"]} - {"201", "429", "503", "529"}
    if wrong:
        raise BenchmarkError(f"answers that may not be: {', '.join(sorted(wrong))}")
    return found


def _row(
    name: str,
    port: int,
    server: Running,
    make: Callable[[int], bytes],
    connections: int,
    seconds: float,
    note: Note,
    per_second: float | None = None,
    events: int = 1,
) -> dict[str, Any]:
    note(f"{name}, {seconds} s")
    run(drive(port, make, connections, 2, per_second))
    before = sum(server.process.cpu_times()[:2])
    load = run(drive(port, make, connections, seconds, per_second))
    server.check()
    cpu = sum(server.process.cpu_times()[:2]) - before
    calls = sum(load.statuses.values())
    figures = load.figures()
    return {
        "name": name,
        "events": events,
        **figures,
        "events_per_second": figures["per_second"] * events,
        "server_us_per_call": cpu / calls * 1e6,
    }


def _event(number: int) -> dict[str, Any]:
    box = {"x": 356.5, "y": 151.25, "width": 92, "height": 58.5}
    return {
        "eventId": str(uuid.uuid4()),
        "eventType": "quality_check",
        "useCaseId": "defect-detection",
        "timestamp": datetime.now(UTC).isoformat(),
        "deviceId": f"cam-{number % 16:02d}",
        "customMetadata": {"line_id": "L1", "part_number": f"PN-{number % 1000:04d}"},
        "eventData": {"result": "pass"},
        "images": [
            {
                "label": "top",
                "objectDetections": [box | {"class": name, "confidence": 0.4} for name in ("scratch", "dent", "stain")],
            }
        ],
    }


def _single(headers: dict[str, str]) -> Callable[[int], bytes]:
    return lambda number: request("gateway", "/vision-events/", headers, json.dumps(_event(number)).encode())


def _batch(headers: dict[str, str]) -> Callable[[int], bytes]:
    # Made once: making a hundred events costs the driver more than the gateway needs for them. Ids come again.
    bodies = [json.dumps({"events": [_event(n) for n in range(100)]}).encode() for _ in range(20)]
    requests = [request("gateway", "/vision-events/batch", headers, body) for body in bodies]
    return lambda number: requests[number % len(requests)]


@contextmanager
def _gateway(settings: Settings) -> Iterator[tuple[int, Running]]:
    port = free_port()
    command = [sys.executable, "-m", "pipeline", "gateway", "--http-port", str(port)]
    with running(command, settings, "gateway") as server:
        _await(f"http://127.0.0.1:{port}/readyz", server)
        yield port, server


@contextmanager
def _bare(settings: Settings) -> Iterator[tuple[int, Running]]:
    port = free_port()
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--lifespan", "off"]
    command = [sys.executable, "-m", "uvicorn", "tests.benchmarks.bare:app", "--port", str(port), *options]
    with running(command, settings, "bare") as server:
        _await(f"http://127.0.0.1:{port}/", server)
        yield port, server


def _await(url: str, server: Running) -> None:
    deadline = time.monotonic() + _READY_S
    while True:
        server.check()
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{url} does not become ready:\n{server.log_tail()}") from None
            time.sleep(0.1)
