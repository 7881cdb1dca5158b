"""Starts parts in order, waits until they are ready, restarts one that dies, and leaves no process behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from deploy.embedded.errors import EmbeddedError

State = Literal["starting", "running", "restarting", "stopped"]

_LOG_LIMIT_BYTES: Final = 20 * 1024 * 1024
_POLL_S: Final = 0.1
_ASK_S: Final = 3.0
_LONGEST_BACKOFF_S: Final = 30.0
_PR_SET_PDEATHSIG: Final = 1

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Part:
    """One process. `ready` is asked until it returns; while it raises, the part is not ready.

    `alive` is asked again and again after that: a part for which it raises for `alive_within_s` is killed and started
    anew. A process that is stopped or hangs does not die by itself.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], object] | None = None
    ready_timeout_s: float = 60
    alive: Callable[[], object] | None = None
    alive_within_s: float = 20
    stop_timeout_s: float = 20


@dataclass
class PartStatus:
    """What a part is doing now."""

    name: str
    state: State
    pid: int | None
    restarts: int
    problem: str = ""
    """Why it was started anew the last time, or why it does not answer now."""


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    state: State = "starting"
    restarts: int = 0
    started_at: float = field(default_factory=time.monotonic)
    restart_at: float = 0.0
    alive_at: float = field(default_factory=time.monotonic)
    problem: str = ""


class Supervisor:
    """Supervises parts from the thread that made it: call all methods from there, a thread of its own watches."""

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._running: dict[str, _Running] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        # A thread of its own: an answer may take seconds, and the watcher must not miss a death meanwhile.
        self._asker = threading.Thread(target=self._ask_forever, name="liveness", daemon=True)

    def start(self, *parts: Part) -> None:
        """Start parts at the same time and return when all are ready.

        Raises EmbeddedError, with the end of its log, when one dies or does not become ready.
        """
        self._log_dir.mkdir(parents=True, exist_ok=True)
        with self._lock:
            for part in parts:
                if part.name in self._running:
                    raise EmbeddedError(f"{part.name} runs already")
                self._rotate_log(part.name)
                self._running[part.name] = _Running(part, self._spawn(part))
        for part in parts:
            self._await_ready(self._running[part.name])
        if not self._watcher.is_alive():
            self._watcher.start()
            self._asker.start()

    def stop(self) -> None:
        """Stop all parts, the last started first. Waits until every process is gone."""
        for name in reversed(list(self._running)):
            self.stop_part(name)
        # The watcher ends last: the kernel kills the children of a thread that ends (see die_with_parent).
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join()

    def stop_part(self, name: str) -> Part:
        """Stop one part until it is started again: SIGTERM, then SIGKILL when it takes too long."""
        with self._lock:
            running = self._running.pop(name)
        running.state = "stopped"
        _end(running.process, running.part.stop_timeout_s)
        return running.part

    def kill(self, name: str) -> int:
        """Kill a part as a crash would; it is started again by itself. Returns the pid that was killed."""
        with self._lock:
            process = self._running[name].process
        process.send_signal(signal.SIGKILL)
        return process.pid

    def status(self) -> list[PartStatus]:
        """All parts, in the order they were started."""
        with self._lock:
            return [
                PartStatus(
                    name,
                    item.state,
                    item.process.pid if item.process.poll() is None else None,
                    item.restarts,
                    item.problem,
                )
                for name, item in self._running.items()
            ]

    def _spawn(self, part: Part) -> subprocess.Popen[bytes]:
        with (self._log_dir / f"{part.name}.log").open("ab") as log:
            return subprocess.Popen(
                part.command,
                env={**os.environ, **part.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A session of its own: Ctrl-C in the terminal reaches the supervisor only, which stops in order.
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def _rotate_log(self, name: str) -> None:
        log = self._log_dir / f"{name}.log"
        if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))

    def _await_ready(self, running: _Running) -> None:
        part, last = running.part, "nothing was asked yet"
        deadline = time.monotonic() + part.ready_timeout_s
        while running.process.poll() is None:
            try:
                if part.ready is not None:
                    part.ready()
                running.state = "running"
                return
            except Exception as error:  # whatever its client raises while the server is not there yet
                last = str(error)
            if time.monotonic() > deadline:
                raise EmbeddedError(f"{part.name} is not ready after {part.ready_timeout_s:.0f} s: {last}")
            time.sleep(_POLL_S)
        raise EmbeddedError(f"{part.name} ended with code {running.process.returncode}:\n{self._log_end(part.name)}")

    def _log_end(self, name: str) -> str:
        text = (self._log_dir / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-15:])

    def _watch(self) -> None:
        while not self._stopping.wait(_POLL_S):
            with self._lock:
                for running in self._running.values():
                    self._look_after(running)

    def _ask_forever(self) -> None:
        while not self._stopping.wait(_ASK_S):
            with self._lock:
                asked = [item for item in self._running.values() if item.part.alive and item.state == "running"]
            for running in asked:
                self._ask(running)

    def _ask(self, running: _Running) -> None:
        process = running.process
        try:
            if running.part.alive is not None:
                running.part.alive()
        except Exception as error:  # whatever its client raises
            silent = time.monotonic() - max(running.alive_at, running.started_at)
            if silent >= running.part.alive_within_s and process is running.process:
                running.problem = f"not alive for {silent:.0f} s ({error}): killed"
                process.kill()  # the watcher sees it die and starts it anew
        else:
            running.alive_at = time.monotonic()

    def _look_after(self, running: _Running) -> None:
        now = time.monotonic()
        if running.state == "running" and (code := running.process.poll()) is not None:
            if code != -signal.SIGKILL or not running.problem.endswith("killed"):
                running.problem = f"ended with code {code}"
            # One that ran for a while is started at once; one that dies again and again waits longer each time.
            recent = now - running.started_at < _LONGEST_BACKOFF_S
            delay = min(0.5 * 2**running.restarts, _LONGEST_BACKOFF_S) if recent and running.restarts else 0.0
            running.state, running.restart_at = "restarting", now + delay
        if running.state == "restarting" and now >= running.restart_at:
            running.process = self._spawn(running.part)
            running.restarts += 1
            running.started_at, running.state = now, "running"


def die_with_parent() -> None:
    """Runs in the child: even a kill -9 of the supervisor leaves nothing behind."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen[Any], timeout_s: float) -> None:
    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
