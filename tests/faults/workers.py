"""Worker processes, and a supervisor's habit: one that died is started again."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.embedded.supervisor import die_with_parent
from pipeline.ingest.crash import CRASH_VARIABLE, Step

STOP_TIMEOUT_S: Final = 60


class Workers:
    """Starts, kills and stops workers by name; each keeps its name in its group over restarts."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.module = "pipeline"
        """What `python -m` runs, with the argument `worker`."""

    def start(self, name: str, crash: tuple[Step, int] | None = None, **settings: str) -> subprocess.Popen[bytes]:
        """Start a worker. `crash`: it dies the n-th time that it reaches this step."""
        given = {f"VISION_EVENTS_{key.upper()}": value for key, value in settings.items()}
        environment = self._environment | given | {"VISION_EVENTS_WORKER_ID": name}
        if crash:
            environment[CRASH_VARIABLE] = f"{crash[0]}:{crash[1]}"
        with self.log(name).open("ab") as log:
            command = [sys.executable, "-m", self.module, "worker"]
            # A driver that is killed leaves no worker behind that goes on reading.
            self.running[name] = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, preexec_fn=die_with_parent
            )
        return self.running[name]

    def ensure(self, name: str = "w1") -> None:
        """Start a worker unless it runs."""
        if name not in self.running or self.running[name].poll() is not None:
            self.start(name)

    def await_crash(self, name: str, step: Step, timeout: float = 120) -> None:
        """Wait until a worker died at the step it was told to die at."""
        before = self.log(name).read_bytes().count(f"crash at {step}\n".encode())
        code = self.await_end(name, timeout)
        after = self.log(name).read_bytes().count(f"crash at {step}\n".encode())
        assert code == -signal.SIGKILL, f"the worker ended with {code}, not at {step}: {self.end_of_log(name)}"
        assert after >= max(before, 1)

    def await_end(self, name: str, timeout: float = 120) -> int:
        """Wait until a worker ends by itself, and return its exit code."""
        code = self.running[name].wait(timeout)  # one that does not end is still known, and killed with the round
        del self.running[name]
        return code

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def terminate(self, name: str) -> int:
        """SIGTERM; returns the exit code."""
        self.running[name].terminate()
        return self.await_end(name, STOP_TIMEOUT_S)

    def stop(self) -> None:
        """Stop all of them."""
        for name in list(self.running):
            if self.running[name].poll() is None:
                self.terminate(name)
        self.running.clear()

    def log(self, name: str) -> Path:
        path = self._folder / f"{name}.log"
        path.touch()
        return path

    def end_of_log(self, name: str) -> str:
        return self.log(name).read_text(errors="replace")[-3000:]


def environment_of(addresses: dict[str, str], folder: Path) -> dict[str, str]:
    """The environment of a process that is led to these addresses."""
    return {**os.environ, **{f"VISION_EVENTS_{k.upper()}": v for k, v in addresses.items()}} | {
        "VISION_EVENTS_DATA_DIR": str(folder)
    }
