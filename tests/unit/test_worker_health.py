"""A worker's health endpoint answers whatever the event loop does, and says what is wrong."""

import asyncio
import contextlib
import json
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.core.stalls import Place
from pipeline.edges.http_server import HttpServer
from pipeline.errors import ConfigurationError, DependencyError
from pipeline.settings import Settings
from pipeline.worker.health import ThreadedAsk, WorkerHealth

SETTINGS = Settings(stuck_after_s=3, insert_timeout_s=0.5)  # type: ignore[call-arg]


def ask(server: HttpServer, path: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(server.url + path, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def serve(health: WorkerHealth) -> HttpServer:
    return HttpServer("127.0.0.1", 0, {"/livez": health.livez, "/readyz": health.readyz})


async def until_answer(ask_it: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(20):
        while not enough(answer := await asyncio.to_thread(ask_it)):
            await asyncio.sleep(0.05)
        return answer


def test_a_loop_that_hangs_is_not_alive() -> None:
    health = WorkerHealth(SETTINGS)
    with serve(health) as server:
        assert ask(server, "/livez")[0] == 200
        time.sleep(3.1)  # what hangs: nothing shows that the loop turns
        status, content = ask(server, "/livez")
        assert status == 503
        assert "the event loop hangs" in content["problems"][0]
        assert ask(server, "/nothing")[0] == 404


def test_a_taken_port_is_a_mistake_in_the_settings() -> None:
    with serve(WorkerHealth(SETTINGS)) as server, pytest.raises(ConfigurationError, match="health_port"):
        HttpServer("127.0.0.1", int(server.url.rpartition(":")[2]), {})


async def test_an_agent_that_hangs_is_first_not_ready_then_not_alive(caplog: pytest.LogCaptureFixture) -> None:
    health, places = WorkerHealth(SETTINGS), {"t/0": Place(3, 9)}
    health.phase = "running"
    away: list[str] = []

    async def service() -> None:
        if away:
            raise DependencyError("ClickHouse: away")

    tasks = [
        asyncio.create_task(health.beat()),
        asyncio.create_task(health.follow({"clickhouse": service}, lambda: dict(places))),
    ]
    try:
        with serve(health) as server:
            await until_answer(lambda: ask(server, "/readyz"), lambda answer: answer[0] == 200)
            _, content = await until_answer(lambda: ask(server, "/readyz"), lambda answer: answer[0] == 503)
            assert re.search(r"t/0: 6 records wait, nothing done for \d+ s", " ".join(content["problems"]))
            assert "stuck: t/0" in caplog.text
            await until_answer(lambda: ask(server, "/livez"), lambda answer: answer[0] == 503)
            away.append("yes")  # a new process would not help any more
            await until_answer(lambda: ask(server, "/livez"), lambda answer: answer[0] == 200)
            away.clear()
            places["t/0"] = Place(9, 9)
            await until_answer(lambda: ask(server, "/readyz"), lambda answer: answer[0] == 200)
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_a_client_that_never_answers_takes_one_thread_not_all() -> None:
    asked, answers = [], threading.Event()
    question = ThreadedAsk(lambda: (asked.append(1), answers.wait(20)))
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(question(), 0.05)
    assert len(asked) == 1
    answers.set()
    await question()
