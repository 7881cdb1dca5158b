"""The embedded stack as an operator meets it: one owner a folder, parts that come back, nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import free_port
from deploy.embedded.stack import STACK_FILE, EmbeddedStack, Ports
from deploy.embedded.supervisor import Part, Supervisor
from tests.end_to_end.system import until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def supervisor(tmp_path: Path) -> Any:
    made = Supervisor(tmp_path / "logs")
    yield made
    made.stop()


def pids(made: Supervisor) -> list[int | None]:
    return [part.pid for part in made.status()]


def test_a_part_that_dies_is_started_again(supervisor: Supervisor) -> None:
    supervisor.start(Part("sleeper", SLEEPER))
    killed = supervisor.kill("sleeper")
    (part,) = until(supervisor.status, lambda parts: parts[0].restarts == 1 and parts[0].pid)
    assert part.pid != killed


def test_a_part_that_is_stopped_or_hangs_is_killed_and_started_again(supervisor: Supervisor) -> None:
    def alive() -> None:
        if psutil.Process(pids(supervisor)[0]).status() == psutil.STATUS_STOPPED:
            raise RuntimeError("no answer")

    supervisor.start(Part("sleeper", SLEEPER, alive=alive, alive_within_s=0.2))
    (stopped,) = pids(supervisor)
    os.kill(stopped or 0, signal.SIGSTOP)
    (part,) = until(supervisor.status, lambda parts: parts[0].restarts == 1 and parts[0].pid)
    assert part.pid != stopped
    assert "not alive" in part.problem
    assert "no answer" in part.problem


def test_a_part_that_cannot_start_says_why(supervisor: Supervisor) -> None:
    with pytest.raises(EmbeddedError, match="no such luck"):
        supervisor.start(Part("broken", [sys.executable, "-c", "raise SystemExit('no such luck')"], ready=never))


def never() -> None:
    raise RuntimeError("not yet")


def test_a_part_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);print('deaf', flush=True); time.sleep(600)"
    )
    made = Supervisor(tmp_path / "logs")
    made.start(Part("deaf", [sys.executable, "-c", deaf], stop_timeout_s=0.2))
    until(lambda: (tmp_path / "logs" / "deaf.log").read_text(), bool)
    (pid,) = pids(made)
    made.stop()
    assert not psutil.pid_exists(pid or 0)


def test_kill_9_of_the_supervisor_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from deploy.embedded.supervisor import Part, Supervisor;"
        f"made = Supervisor(Path({str(tmp_path)!r})); made.start(Part('s', {SLEEPER!r}));"
        "print(made.status()[0].pid, flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    child = int(owner.stdout.readline())
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    until(lambda: psutil.pid_exists(child), lambda alive: not alive)


@pytest.fixture
def running(tmp_path: Path) -> Any:
    """A stack of its own: these tests stop it, or start a second one on its folder."""
    with EmbeddedStack(tmp_path / "data", Ports(0, 0, 0)) as stack:
        yield stack


def test_a_folder_has_one_owner_and_keeps_its_data(running: EmbeddedStack) -> None:
    folder = running.data_dir
    with pytest.raises(EmbeddedError, match=f"process {os.getpid()}.*--data-dir"):
        EmbeddedStack(folder, Ports(0, 0, 0)).start()
    for name in (STACK_FILE, "secrets.json"):
        assert (folder / name).stat().st_mode & 0o077 == 0
    first = running.addresses
    children = [part.pid for part in running.supervisor.status()]
    running.stop()
    assert not [pid for pid in children if psutil.pid_exists(pid or 0)]
    assert not (folder / STACK_FILE).exists()
    with EmbeddedStack(folder, Ports(0, 0, 0)) as again:
        assert (again.addresses.s3_secret_key, again.addresses.clickhouse_password) == (
            first.s3_secret_key,
            first.clickhouse_password,
        )


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedError, match=f"port {port} for s3 is taken"):
            EmbeddedStack(tmp_path / "data", Ports(0, port, 0)).start()


def test_the_command_up_runs_the_lot_and_stops_it(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "pipeline"]
    folder = ["--data-dir", str(tmp_path / "data")]
    log = tmp_path / "up.log"
    with log.open("wb") as file:
        up = subprocess.Popen([*command, "up", "--free-ports", "--workers", "2", *folder], stdout=file, stderr=file)
    try:
        until(lambda: (log.read_text(), up.poll()), lambda seen: "ready after" in seen[0] or seen[1] is not None, 180)
        children = psutil.Process(up.pid).children(recursive=True)
        published = subprocess.run(
            [*command, "publish", "-", "--use-case", "defect-detection", *folder], input=b"[]\n{}", check=False
        )
        assert published.returncode == 0, log.read_text()

        def status() -> bytes:
            return subprocess.run([*command, "status", "--json", *folder], capture_output=True, check=False).stdout

        until(status, lambda answer: b'"stored": 2' in answer)
        assert b'"worker-2"' in until(status, lambda answer: b'"state": "well"' in answer)
    finally:
        up.terminate()
        assert up.wait(60) == 0
    assert len(children) >= 6
    assert not [child for child in children if child.is_running()]
