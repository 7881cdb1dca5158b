"""File systems that are full."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.arena import Arena
from tests.faults.cases.base import Fault


@contextmanager
def _filled(place: Path) -> Iterator[None]:
    """Fill a file system to the last pages."""
    ballast = place / "ballast"
    free = os.statvfs(place)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - 64 * 1024))
    try:
        yield
    finally:
        ballast.unlink()


def _full(arena: Arena, name: str) -> None:
    with _filled(arena.disks[name]):
        arena.hold(arena.pace.hold_s * 2)
        arena.struck()
    arena.healed()
    arena.still_running()


def s3_full(arena: Arena) -> None:
    """no room on the object store's disk"""
    _full(arena, "s3")


def clickhouse_full(arena: Arena) -> None:
    """no room on ClickHouse's disk"""
    _full(arena, "clickhouse")


FAULTS = (
    Fault("S3 disk full", s3_full, needs_disks=True),
    Fault("ClickHouse disk full", clickhouse_full, needs_disks=True),
)
