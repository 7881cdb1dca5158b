"""Workers that are really stuck: stopped by a signal, or left alone by a service that never answers."""

import json
import signal
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.embedded.ports import free_port
from schemas.use_case import UseCase
from tests.end_to_end.system import System, until
from tests.end_to_end.test_rejects import EVENTS, records
from tests.support.mute_proxy import MuteProxy


@pytest.fixture
def name(system: System) -> str:
    name = f"case-{uuid.uuid4().hex[:8]}"
    system.apply(UseCase(id=name, name=name))
    return name


@pytest.fixture
def proxy(system: System) -> Iterator[MuteProxy]:
    """Between a worker and ClickHouse."""
    url = urlsplit(system.settings.clickhouse_url)
    with MuteProxy(url.hostname or "", url.port or 0) as made:
        yield made


def readiness(port: int) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return dict(json.loads(answer.read()))
    except urllib.error.HTTPError as error:
        return dict(json.loads(error.read()))
    except OSError as error:
        return {"ready": False, "problems": [str(error)]}


def test_a_stopped_worker_is_noticed_by_status(system: System, name: str) -> None:
    quick = ("--set", "stuck_after_s=2")

    def status(code: int | None) -> dict[str, Any]:
        return dict(json.loads(system.run("status", "--json", *quick, status=code, output=True)))

    port = free_port()
    with system.worker(health_port=str(port), session_timeout_s="300") as worker:
        until(lambda: readiness(port), lambda answer: answer["ready"])
        assert len(readiness(port)["partitions"]) == system.settings.topic_partitions
        until(
            lambda: status(None)["state"], lambda state: state == "well"
        )  # another worker may have been killed before
        worker.send_signal(signal.SIGSTOP)
        try:
            system.publish(records(name, range(10)), key=b"cam-1")
            words = until(lambda: status(None)["words"], lambda said: "stuck: 10 records" in said[0], 30)
            assert "of vision.inferences/" in words[0]
            assert status(1)["state"] == "wrong"
        finally:
            worker.send_signal(signal.SIGCONT)
        system.drained()
        until(lambda: status(None)["state"], lambda state: state == "well")
    assert system.value(EVENTS, u=name) == (10, 10)


def test_a_service_that_never_answers_is_noticed_by_the_worker(system: System, name: str, proxy: MuteProxy) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{proxy.port}"
    with system.worker(clickhouse_url=url, health_port=str(port), stuck_after_s="2", insert_timeout_s="6"):
        until(lambda: readiness(port), lambda answer: answer["ready"])
        proxy.mute(True)
        try:
            system.publish(records(name, range(10)), key=b"cam-1")
            problems = until(
                lambda: " ".join(readiness(port)["problems"]),
                lambda said: "10 records wait, nothing done" in said and "clickhouse: " in said,
                30,
            )
            assert "kafka" not in problems
        finally:
            proxy.mute(False)
        system.drained()
        until(lambda: readiness(port), lambda answer: answer["ready"])
    assert "stuck: vision.inferences/" in (system.folder / "worker.log").read_text()
    assert system.value(EVENTS, u=name) == (10, 10)


def test_a_worker_that_waits_for_a_service_listens_when_told_to_stop(system: System, proxy: MuteProxy) -> None:
    proxy.mute(True)
    port = free_port()
    worker = system.start_worker(clickhouse_url=f"http://127.0.0.1:{proxy.port}", health_port=str(port))
    until(lambda: readiness(port)["problems"], lambda problems: problems == ["waiting for ClickHouse"])
    worker.terminate()
    assert worker.wait(10) == 0
