"""The whole system as a user has it: commands, workers in processes of their own, and the tables."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from clickhouse_connect.driver import Client

from deploy.embedded.supervisor import die_with_parent
from pipeline.edges.clickhouse import connect
from pipeline.edges.counts import TopicCounts, read_status
from pipeline.edges.kafka import connection, producer, start_producer
from pipeline.edges.registry import apply_entries
from pipeline.edges.retry import until_done
from pipeline.edges.s3 import ImageStore
from schemas.topics import INFERENCES
from schemas.use_case import UseCase
from tests.support.settings import settings_of


class System:
    """One running stack, prepared, and the settings that lead to it."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        # Tests reject as much as they like; the limit has a test of its own.
        environment = environment | {"VISION_EVENTS_REJECT_STOP_SHARE": "0"}
        self.environment = {**os.environ, **environment, "VISION_EVENTS_DATA_DIR": str(folder)}
        self.settings = settings_of(environment)
        self.folder = folder
        self.images = ImageStore(self.settings)
        self.run("migrate")
        self.sql: Client = connect(self.settings)

    def run(self, *arguments: str, status: int | None = 0, output: bool = False) -> str:
        """Run a command and return what it prints; it must end with `status` (None: whatever).

        What it prints is its output where it succeeds, or with `output`; else its errors.
        """
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert status in (None, done.returncode), done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if status == 0 or output else done.stderr

    @contextmanager
    def worker(self, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
        """A worker for a while; it is told to stop at the end, and has to end well. `settings` as in `start_worker`."""
        process = self.start_worker(**settings)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                code = process.wait(60)
                assert code == 0, f"ended with {code}: {(self.folder / 'worker.log').read_text()[-4000:]}"

    def start_worker(self, **settings: str) -> subprocess.Popen[bytes]:
        """A worker in a process of its own; `settings` differ from those of the system."""
        with (self.folder / "worker.log").open("ab") as log:
            given = {f"VISION_EVENTS_{name.upper()}": value for name, value in settings.items()}
            named = self.environment | {"VISION_EVENTS_WORKER_ID": "w1", "PYTHONFAULTHANDLER": "1"} | given
            command = [sys.executable, "-m", "pipeline", "worker"]
            return subprocess.Popen(command, env=named, stdout=log, stderr=log, preexec_fn=die_with_parent)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    def apply(self, *use_cases: UseCase) -> None:
        apply_entries(self.sql, use_cases)

    def publish(
        self, values: Sequence[bytes], key: bytes | None = None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        async def send() -> None:
            kafka = producer(self.settings, linger_ms=20)
            await until_done(lambda: start_producer(kafka))
            try:
                for start in range(0, len(values), 5_000):
                    part = values[start : start + 5_000]
                    send = partial(kafka.send, INFERENCES.name, key=key, headers=list(headers))
                    await asyncio.gather(*[await send(value) for value in part])
            finally:
                await kafka.stop()

        asyncio.run(send())

    def read(self, topic: str) -> list[Any]:
        """All records of a topic, by partition and offset."""

        async def fetch() -> list[Any]:
            consumer = AIOKafkaConsumer(topic, **connection(self.settings), auto_offset_reset="earliest")
            await consumer.start()
            try:
                ends = await consumer.end_offsets(consumer.assignment())
                records: list[Any] = []
                while len(records) < sum(ends.values()):
                    for part in (await consumer.getmany(timeout_ms=500)).values():
                        records += part
                return sorted(records, key=lambda item: (item.timestamp, item.partition, item.offset))
            finally:
                await consumer.stop()

        return asyncio.run(fetch())

    def counts(self) -> TopicCounts:
        """Of the raw topic, as soon as Kafka answers: after a crash it may not."""

        def ask() -> list[TopicCounts]:
            return [counts for counts in read_status(self.settings).topics if counts.topic == INFERENCES.name]

        (raw,) = until(ask, bool)
        return raw

    def drained(self, timeout: float = 120) -> TopicCounts:
        """Wait until everything produced is stored or rejected, and return the counts."""
        return until(self.counts, lambda counts: counts.unaccounted == 0, timeout)

    def settled(self) -> TopicCounts:
        """Store or reject what other tests left in the topic, and return the counts."""
        if self.counts().unaccounted:  # a worker that has nothing to do may be told to stop before it listens
            with self.worker():
                self.drained()
        return self.counts()

    def value(self, query: str, **parameters: Any) -> Any:
        """The single value of a query."""
        return self.sql.query(query, parameters=parameters).result_rows[0][0]


def until(ask: Callable[[], Any], enough: Callable[[Any], bool], timeout: float = 60) -> Any:
    """Ask until the answer is enough, and return it."""
    deadline = time.monotonic() + timeout
    while True:
        answer = ask()
        if enough(answer):
            return answer
        assert time.monotonic() < deadline, f"after {timeout} s still {answer!r}"
        time.sleep(0.1)
