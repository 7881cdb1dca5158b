"""A limit on the CPU time of processes, so that more of them do not have to share the machine's few cores."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

_PERIOD_US: Final = 20_000
_FOLDERS: Final = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))  # version 1, version 2


@contextmanager
def cpu_quota(name: str, cores: float) -> Iterator[Callable[[int], None] | None]:
    """Yield what puts a process (by its id) under the limit; None on a system without control groups for us.

    Source: kernel.org, admin-guide: cgroup-v1/cpuacct and sched-bwc (`cpu.cfs_quota_us`), cgroup-v2 (`cpu.max`).
    """
    for parent in _FOLDERS:
        folder = parent / f"vision-bench-{name}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            if _limit(folder, cores):
                yield partial(_put, folder / "cgroup.procs")
                return
        finally:
            folder.rmdir()  # empty: the processes have ended
    yield None


def _limit(folder: Path, cores: float) -> bool:
    quota = int(cores * _PERIOD_US)
    try:
        if (folder / "cpu.max").exists():
            _write(folder / "cpu.max", f"{quota} {_PERIOD_US}")
        else:
            _write(folder / "cpu.cfs_period_us", str(_PERIOD_US))
            _write(folder / "cpu.cfs_quota_us", str(quota))
    except OSError:
        return False
    return True


def _put(file: Path, pid: int) -> None:
    _write(file, str(pid))


def _write(path: Path, text: str) -> None:
    with path.open("r+") as file:  # never made: a folder without the controller has no such file
        file.write(text)
