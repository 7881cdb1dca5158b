"""Starts what is measured as processes of their own, and ends them."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from pydantic import SecretStr

from pipeline.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "bench"
"""Scratch space: data of the stack, packages of competitors, logs."""

OWN_COMMAND = (sys.executable, "-m", "pipeline", "worker")
"""What `vision-events worker` runs."""


class BenchmarkError(Exception):
    """A run that cannot be counted: the message says why."""


class Running:
    """A started process and its log."""

    def __init__(self, popen: "subprocess.Popen[bytes]", log: Path) -> None:
        self._popen = popen
        self._log = log
        self.process = psutil.Process(popen.pid)

    def alive(self) -> bool:
        return self._popen.poll() is None

    def check(self) -> None:
        """Raise BenchmarkError with the end of the log when the process has ended by itself."""
        if not self.alive():
            raise BenchmarkError(f"ended with code {self._popen.returncode}:\n{self.log_tail()}")

    def log_tail(self, lines: int = 15) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def peak_mb(self) -> float:
        """Largest resident memory so far, in MB; that of now where the system does not tell."""
        try:
            status = Path(f"/proc/{self._popen.pid}/status").read_text()
            return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6
        except (OSError, IndexError):
            return self.process.memory_info().rss / 1e6

    def stop(self, patience_s: float = 30) -> None:
        """Ask it to end (SIGTERM), and make it end when it does not."""
        if self.alive():
            self._popen.terminate()
            try:
                self._popen.wait(patience_s)
            except subprocess.TimeoutExpired:
                self._popen.kill()
        self._popen.wait()


@contextmanager
def running(command: Sequence[str], settings: Settings, name: str, packages: Path | None = None) -> Iterator[Running]:
    """Run a command with these settings in its environment; `packages` is a folder of libraries that only it sees."""
    folders = [str(ROOT), *([str(packages)] if packages else [])]
    environment = {**os.environ, **as_environment(settings), "PYTHONPATH": os.pathsep.join(folders)}
    log = WORK / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    (scratch := WORK / "scratch").mkdir(parents=True, exist_ok=True)  # some frameworks put state where they run
    with log.open("wb") as output:
        popen = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT, cwd=scratch)
    started = Running(popen, log)
    try:
        yield started
    finally:
        started.stop()


def as_environment(settings: Settings) -> Mapping[str, str]:
    """Settings as environment variables, so that no secret is seen in a list of processes."""
    values = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not isinstance(plain, tuple) and plain != "":
            values[PREFIX + name.upper()] = str(plain)
    return values
