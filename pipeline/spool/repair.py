"""A damaged spool file: kept aside as it is, and what can still be read of it carried over into a new one.

With synchronous=FULL a power cut damages no file; worn flash memory does. The steps can be cut short anywhere: the new
file is built beside the old one, and takes its place only when it is whole.
"""

import contextlib
import logging
import os
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pipeline.spool.schema import connect, read_only, transaction
from pipeline.spool.store import SPOOL_FILE, Limits, SpoolStore

log = logging.getLogger(__name__)

_UNFINISHED: Final = "salvage.tmp"
_FINISHED: Final = "salvage.db"
_COMPANIONS: Final = ("", "-wal", "-shm")
_DAMAGE: Final = (11, 26)
"""SQLite's codes of a malformed database and of a file that is none."""
_LONGEST_GAP: Final = 1_000_000

_QUEUE: Final = "event_id, device_id, accepted_ms, checksum, value"
_REFUSED: Final = "event_id, device_id, accepted_ms, refused_ms, reason, checksum, value"


def open_spool(folder: Path, limits: Limits) -> SpoolStore:
    """Open the spool of a folder, after a repair where the file is damaged. Raises as `schema.connect`."""
    _take_over(folder)
    try:
        store = SpoolStore.open(folder, limits)
        if store.is_sound():
            return store
        store.close()
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    aside = _set_aside(folder)
    count = _salvage(aside / SPOOL_FILE, folder / _UNFINISHED)
    os.replace(folder / _UNFINISHED, folder / _FINISHED)
    _take_over(folder)
    log.error("the spool was damaged: %d events were read from it; the file is kept in %s", count, aside)
    return SpoolStore.open(folder, limits)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says that the file is damaged, rather than busy, full or out of reach."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def _take_over(folder: Path) -> None:
    """Put a finished new file in the place of the damaged one."""
    if (folder / _FINISHED).exists():
        for companion in _COMPANIONS[1:]:  # first, lest the old log be applied to the new file
            (folder / f"{SPOOL_FILE}{companion}").unlink(missing_ok=True)
        os.replace(folder / _FINISHED, folder / SPOOL_FILE)


def _set_aside(folder: Path) -> Path:
    """A copy of the damaged file and its log."""
    aside = folder / f"damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    aside.mkdir()
    for companion in _COMPANIONS[:2]:
        if (file := folder / f"{SPOOL_FILE}{companion}").exists():
            shutil.copy2(file, aside)
    return aside


def _salvage(damaged: Path, fresh: Path) -> int:
    """Copy every event that can be read and is what was accepted; returns how many."""
    for companion in _COMPANIONS:
        Path(f"{fresh}{companion}").unlink(missing_ok=True)
    target = connect(fresh)
    count = 0
    with contextlib.closing(target), transaction(target):
        for table, columns in (("queue", _QUEUE), ("refused", _REFUSED)):
            marks = ", ".join("?" * len(columns.split(",")))
            for row in _readable(damaged, table, columns):
                insert = f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})"
                count += target.execute(insert, row).rowcount
        names = [(count, "accepted"), (count, "salvaged")]
        target.executemany("UPDATE counters SET number = ? WHERE name = ?", names)
    return count


def _readable(damaged: Path, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    try:
        with contextlib.closing(read_only(damaged)) as source:
            for number in _row_numbers(source, table):
                with contextlib.suppress(sqlite3.Error):
                    row = source.execute(f"SELECT {columns} FROM {table} WHERE rowid = ?", (number,)).fetchone()
                    if row is not None and isinstance(row[-1], bytes) and zlib.crc32(row[-1]) == row[-2]:
                        yield row
    except sqlite3.Error as error:
        log.error("nothing more can be read from table %s of %s: %s", table, damaged, error)


def _row_numbers(source: sqlite3.Connection, table: str) -> Iterator[int]:
    """Numbers of rows that may be readable: from both ends up to the damage, then one by one through the middle."""
    forward = _scan(source, f"SELECT rowid FROM {table} ORDER BY rowid")
    backward = _scan(source, f"SELECT rowid FROM {table} ORDER BY rowid DESC")
    known = sorted({*forward, *backward})
    yield from forward
    if forward and backward and forward[-1] < backward[-1]:
        yield from range(forward[-1] + 1, min(backward[-1], forward[-1] + _LONGEST_GAP))
    yield from known[len(forward) :]


def _scan(source: sqlite3.Connection, query: str) -> list[int]:
    numbers: list[int] = []
    with contextlib.suppress(sqlite3.Error):
        numbers += (number for (number,) in source.execute(query))
    return numbers
