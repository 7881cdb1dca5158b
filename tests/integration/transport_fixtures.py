"""A Kafka of the transport's tests: they stop it and start it again."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError

from deploy.embedded.ports import HOST, free_port
from tests.integration.transport_support import Broker, until

ROOT = Path(__file__).parents[2]


class KafkaServer:
    """A Kafka process of these tests, which they may stop and start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.servers = f"{HOST}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "deploy.embedded.kafka", "--data-dir", str(self.folder / "kafka")]
        with (self.folder / "kafka.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port), "--heap-mb", "256"], stdout=log, stderr=log, cwd=ROOT
            )
        asyncio.run(until(self._answers, 60, "Kafka answers"))

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(30)

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError, KafkaError):
            _, writer = await asyncio.open_connection(HOST, self.port)  # aiokafka would log each failure
            writer.close()
            # Also makes the broker create its topic of offsets, which takes a moment.
            await Broker(self.servers, self.folder).committed("none", "none")
            return True
        return False


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    server = KafkaServer(tmp_path_factory.mktemp("transport"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def broker(kafka_server: KafkaServer, tmp_path: Path) -> Broker:
    return Broker(kafka_server.servers, tmp_path)
