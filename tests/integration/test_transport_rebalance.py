"""Workers that come, go and die: nothing is lost, and no commit passes a record that was not handled."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from tests.conftest import Services
from tests.integration.transport_support import Broker, until

ROOT = Path(__file__).parents[2]
PARTITIONS = 4


class Workers:
    """Worker processes of one group on one topic, and what they handled."""

    def __init__(self, broker: Broker, topic: str, group: str, **args: Any) -> None:
        self.broker, self.topic, self.group = broker, topic, group
        self.args: dict[str, Any] = {
            "delay": 0.05,
            "options": {},
            "uvloop": False,
            "conf": {
                "broker_commit_interval": 1.0,
                "broker_session_timeout": 6.0,
                "broker_heartbeat_interval": 0.5,
                "broker_max_poll_records": 200,
                # Faust's own assignor would leave the third worker without a partition of four.
                "table_standby_replicas": 0,
            },
            **args,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        out = self.broker.tmp_path / f"{name}.jsonl"
        log = (self.broker.tmp_path / f"{name}.log").open("wb")
        conf = {**self.args["conf"], "datadir": str(self.broker.tmp_path / name)}
        args = {
            **self.args,
            "topic": self.topic,
            "group": self.group,
            "out": str(out),
            "conf": conf,
        }
        command = [sys.executable, str(ROOT / "tests/integration/transport_worker.py"), json.dumps(args)]
        env = {**os.environ, **self.broker.environment, "PYTHONPATH": str(ROOT)}
        self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=env)
        log.close()

    def end(self, name: str, sig: int = signal.SIGTERM) -> int:
        """Signal a worker and return its exit code."""
        process = self.processes[name]
        process.send_signal(sig)
        return process.wait(30)

    def handled(self, *names: str) -> Counter[tuple[int, int]]:
        """How often each (partition, offset) was handled, by all workers or those named."""
        counts: Counter[tuple[int, int]] = Counter()
        for name in names or self.processes:
            with contextlib.suppress(FileNotFoundError):
                text = (self.broker.tmp_path / f"{name}.jsonl").read_text()
                for line in text[: text.rfind("\n") + 1].splitlines():
                    partition, offsets = json.loads(line)
                    counts.update((partition, offset) for offset in offsets)
        return counts

    def log(self, name: str) -> str:
        return (self.broker.tmp_path / f"{name}.log").read_text()

    async def check_commits(self) -> None:
        """Assert that everything below each committed offset was handled; asked first, so it cannot be luck."""
        committed = await self.broker.committed(self.group, self.topic)
        handled = self.handled()
        for partition, offset in committed.items():
            missing = [o for o in range(offset) if (partition, o) not in handled]
            assert not missing, f"committed {offset} of partition {partition} without {missing[:5]}"

    async def got(self, name: str, count: int) -> None:
        start = self.handled(name).total()
        await until(lambda: self.handled(name).total() >= start + count, 90, f"{name} handles {count} records")


@pytest.fixture
def broker(environment: dict[str, str], tmp_path: Path) -> Broker:
    return Broker(environment, tmp_path)


@pytest.fixture
async def workers(broker) -> AsyncIterator[Workers]:
    topic = await broker.topic(PARTITIONS)
    workers = Workers(broker, topic, f"group-{topic}")
    yield workers
    for process in workers.processes.values():
        if process.poll() is None:
            process.kill()
            process.wait()


@contextlib.asynccontextmanager
async def steady(broker: Broker, topic: str, rate: int = 1_000) -> AsyncIterator[dict[int, int]]:
    """Produce at a steady rate over all partitions; yields the number sent to each, kept up to date."""
    sent = dict.fromkeys(range(PARTITIONS), 0)
    stop = asyncio.Event()

    async def produce() -> None:
        async with broker.producer() as producer:
            while not stop.is_set():
                tick = asyncio.create_task(asyncio.sleep(0.02))
                for partition in sent:
                    for _ in range(rate // 50 // PARTITIONS):
                        await producer.send(topic, b"%010d" % sent[partition], partition=partition)
                        sent[partition] += 1
                await tick
            await producer.flush()

    task = asyncio.create_task(produce())
    try:
        yield sent
    finally:
        stop.set()
        await task


@contextlib.asynccontextmanager
async def commits_watched(workers: Workers) -> AsyncIterator[None]:
    """Check the group's commits over and over."""
    stop = asyncio.Event()

    async def watch() -> None:
        while not stop.is_set():
            await workers.check_commits()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.5)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        stop.set()
        await task


def everything(sent: dict[int, int]) -> Iterator[tuple[int, int]]:
    return ((partition, offset) for partition, count in sent.items() for offset in range(count))


async def test_workers_join_die_freeze_and_join_again(broker: Broker, workers: Workers, record_property):
    """A works; B and D join; B is killed and D frozen; D thaws and C joins; then all is drained and stopped."""
    async with commits_watched(workers), steady(broker, workers.topic) as sent:
        workers.start("a")
        await workers.got("a", 2_000)
        workers.start("b")
        workers.start("d")
        for name in "abd":
            await workers.got(name, 500)
        workers.processes["d"].send_signal(signal.SIGSTOP)
        workers.end("b", signal.SIGKILL)
        taken_over = sent.copy()
        await until(lambda: set(everything(taken_over)) <= workers.handled().keys(), 90, "a takes over")
        workers.processes["d"].send_signal(signal.SIGCONT)
        workers.start("c")
        for name in "acd":
            await workers.got(name, 500)
    await until(lambda: broker.all_committed(workers.group, workers.topic, PARTITIONS), 20)
    assert [workers.end(name) for name in "acd"] == [0, 0, 0]
    handled = workers.handled()
    twice = handled.total() - len(handled)
    record_property("seen_twice", twice)
    print(f"\n{sum(sent.values())} records, {twice} seen twice")
    assert handled.keys() == set(everything(sent))
    # Only what the killed and the frozen one had not committed; nothing because workers join and leave in order.
    failed, well = workers.handled("b", "d"), workers.handled("a", "c")
    assert twice == sum((failed & well).values())


async def test_sigterm_finishes_what_is_in_hand_and_commits_it(broker: Broker, workers: Workers):
    """One worker, then two at once, which makes the one that stops last lose its partitions while stopping."""
    workers.args["delay"] = 1.0
    async with steady(broker, workers.topic):
        for names in (["a"], ["b", "c"]):
            for name in names:
                workers.start(name)
            for name in names:
                await workers.got(name, 1_000)
            for name in names:
                workers.processes[name].send_signal(signal.SIGTERM)
            assert [workers.processes[name].wait(30) for name in names] == [0] * len(names)
            handled = workers.handled()
            committed = await broker.committed(workers.group, workers.topic)
            assert handled.keys() == set(everything(committed))
            assert handled.total() == len(handled)


async def test_a_broker_that_crashes_interrupts_and_loses_nothing(broker: Broker, workers: Workers, stack: Services):
    await broker.produce(workers.topic, 2_000, PARTITIONS)
    workers.args.update(delay=1.0, uvloop=True)
    workers.start("a")
    await workers.got("a", 500)
    stack.crash("kafka")

    async def produced_again() -> bool:
        with contextlib.suppress(KafkaError):
            await broker.produce(workers.topic, 2_000, PARTITIONS)
            return True
        return False

    await until(produced_again, 60, "Kafka is back")
    await until(lambda: broker.all_committed(workers.group, workers.topic, PARTITIONS), 30)
    assert workers.end("a") == 0
    assert workers.handled().keys() == set(everything(await broker.ends(workers.topic, PARTITIONS)))
