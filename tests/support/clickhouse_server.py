"""A ClickHouse-over-chDB process of a test's own, which it may kill."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from deploy.embedded.clickhouse import prepare
from deploy.embedded.ports import HOST, free_port

WRITER, ANALYST = ("default", "writer-secret"), ("analyst", "analyst-secret")

T = TypeVar("T")


def eventually(ask: Callable[[], T], seconds: float = 30) -> T:
    """Ask until the answer is true; fail with the last one."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s"
        time.sleep(0.05)
    return answer


class ClickHouseServer:
    """One process on a free port."""

    def __init__(self, data_dir: Path) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}/"
        self._data_dir = data_dir
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        passwords = {"CLICKHOUSE_PASSWORD": WRITER[1], "CLICKHOUSE_ANALYST_PASSWORD": ANALYST[1]}
        self.process = subprocess.Popen(
            prepare(self._data_dir, self.port),
            env={**os.environ, **passwords},
            cwd=Path(__file__).parents[2],
            stderr=subprocess.DEVNULL,
        )
        eventually(self._answers)

    def stop(self) -> int:
        """Ask it to end and return its exit code."""
        self.process.terminate()
        return self.process.wait(20)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(20)

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"the server ended with code {self.process.returncode}"
        try:
            return bool(urllib.request.urlopen(self.url + "ping", timeout=5).read() == b"Ok.\n")
        except (urllib.error.URLError, ConnectionError):
            return False
