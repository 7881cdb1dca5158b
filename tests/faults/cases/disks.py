"""File systems that are full."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.arena import Arena
from tests.faults.cases.base import Fault

MIB = 1024 * 1024


@contextmanager
def _filled(place: Path) -> Iterator[None]:
    """Fill a file system to the last pages, whatever its service writes meanwhile."""
    ballast, size = place / "ballast", 0
    with ballast.open("wb") as file:
        for piece in (16 * MIB, MIB, 64 * 1024):
            with suppress(OSError):  # no room for another piece
                while True:
                    os.posix_fallocate(file.fileno(), size, piece)
                    size += piece
    try:
        yield
    finally:
        ballast.unlink()


def _full(arena: Arena, name: str, *, restart: bool = False) -> None:
    with _filled(arena.disks[name]):
        arena.hold(arena.pace.hold_s * 2)
        arena.struck()
    if restart:
        arena.services.crash(name)
    arena.healed()
    arena.still_running()


def s3_full(arena: Arena) -> None:
    """no room on the object store's disk; it is started again when there is room"""
    # SeaweedFS does not recover by itself: a journal of its index that could not be written is refused from then on.
    _full(arena, "s3", restart=True)


def clickhouse_full(arena: Arena) -> None:
    """no room on ClickHouse's disk"""
    _full(arena, "clickhouse")


FAULTS = (
    Fault("S3 disk full", s3_full, needs_disks=True),
    Fault("ClickHouse disk full", clickhouse_full, needs_disks=True),
)
