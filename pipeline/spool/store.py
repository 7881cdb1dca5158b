"""The queue on disk: what was accepted, in order, until it is delivered, and what was refused, until a person decides.

Blocking: call it from threads. Safe to share between them. One process owns a spool; others may read its state, and
retry or discard refused events.
"""

import fcntl
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from pipeline.core.outgoing import OutgoingEvent
from pipeline.errors import ConfigurationError, DependencyError
from pipeline.spool.schema import connect, transaction

SPOOL_FILE: Final = "spool.db"

_FULL: Final = 13
"""SQLite's code of a full disk."""
_GIVE_BACK_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Queued:
    """An event that waits; `damaged` when its bytes are no longer those that were accepted."""

    seq: int
    event: OutgoingEvent
    damaged: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a spool holds, refused events included: bytes of events, and their number."""

    max_bytes: int
    max_events: int


class SpoolStore:
    """The open spool of a folder. Every method that changes it returns when the change is on the disk."""

    def __init__(self, path: Path, connection: sqlite3.Connection, limits: Limits) -> None:
        self.path = path
        self._connection = connection
        self._limits = limits
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path, limits: Limits) -> Self:
        """Open or create the spool of a folder. Raises as `schema.connect`."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / SPOOL_FILE
        store = cls(path, connect(path), limits)
        os.chmod(path, 0o600)
        for directory in (folder, folder.parent):
            _sync_directory(directory)
        return store

    def close(self) -> None:
        """Close the file; SQLite moves its log into it."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def append(self, items: Sequence[OutgoingEvent], now_ms: int) -> list[bool]:
        """Keep events, all in one commit; false for each that the spool has no room for.

        An id that is kept already is replaced, at the end of the queue.
        """
        taken: list[bool] = []
        try:
            with self._changing() as sql:
                for item in items:
                    taken.append(self._has_room(sql, len(item.value)))
                    if taken[-1]:
                        _insert(sql, item, now_ms)
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != _FULL:
                raise
            return [False] * len(items)
        return taken

    def is_sound(self) -> bool:
        """Whether the file is well formed as a whole. Reads all of it."""
        with self._lock:
            (verdict,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
            return str(verdict) == "ok"

    def is_full(self) -> bool:
        """Whether not even a small event would be taken."""
        with self._lock:
            return not self._has_room(self._connection, 1)

    def oldest(self, count: int, max_bytes: int) -> list[Queued]:
        """The next events to send, in order: at most `count`, and `max_bytes` unless the first alone is larger."""
        with self._lock:
            sizes = self._connection.execute("SELECT seq, length(value) FROM queue ORDER BY seq LIMIT ?", (count,))
            last, total = 0, 0
            for seq, size in sizes.fetchall():
                total += size
                if last and total > max_bytes:
                    break
                last = seq
            rows = self._connection.execute(
                "SELECT seq, event_id, device_id, checksum, value FROM queue WHERE seq <= ? ORDER BY seq", (last,)
            ).fetchall()
        return [
            Queued(seq, OutgoingEvent(event_id, device_id, value), zlib.crc32(value) != checksum)
            for seq, event_id, device_id, checksum, value in rows
        ]

    def settle(self, delivered: Iterable[int], refused: Mapping[int, str], now_ms: int) -> None:
        """Take what was delivered off the queue, and set aside what was refused with its reason, in one commit."""
        with self._changing() as sql:
            gone = [(seq,) for seq in delivered]
            count = sql.executemany("DELETE FROM queue WHERE seq = ?", gone).rowcount if gone else 0
            _add(sql, "delivered", count)
            for seq, reason in refused.items():
                sql.execute(
                    "INSERT INTO refused (event_id, device_id, accepted_ms, refused_ms, reason, checksum,"
                    " value) SELECT event_id, device_id, accepted_ms, ?, ?, checksum, value FROM queue WHERE seq = ?",
                    (now_ms, reason, seq),
                )
                sql.execute("DELETE FROM queue WHERE seq = ?", (seq,))
            if count:
                _note(sql, "delivered", "", now_ms)
                sql.execute("DELETE FROM notes WHERE name = 'failure'")
        self._give_back()

    def note_failure(self, message: str, now_ms: int) -> None:
        """Remember why nothing is delivered at present, for whoever asks for the state."""
        with self._changing() as sql:
            _note(sql, "failure", message, now_ms)

    def retry(self, event_ids: Sequence[str] | None, now_ms: int) -> int:
        """Put refused events (None: all) at the end of the queue again, and return how many."""
        with self._changing() as sql:
            count = 0
            for event_id in _chosen(sql, event_ids):
                count += sql.execute(
                    "INSERT INTO queue (event_id, device_id, accepted_ms, checksum, value)"
                    " SELECT event_id, device_id, accepted_ms, checksum, value FROM refused WHERE event_id = ?",
                    (event_id,),
                ).rowcount
                sql.execute("DELETE FROM refused WHERE event_id = ?", (event_id,))
            return count

    def discard(self, event_ids: Sequence[str] | None) -> int:
        """Drop refused events (None: all) for good, and return how many."""
        with self._changing() as sql:
            count = sum(
                sql.execute("DELETE FROM refused WHERE event_id = ?", (event_id,)).rowcount
                for event_id in _chosen(sql, event_ids)
            )
            _add(sql, "discarded", count)
            return count

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, transaction(self._connection):
            yield self._connection

    def _has_room(self, sql: sqlite3.Connection, size: int) -> bool:
        number: dict[str, int] = dict(sql.execute("SELECT name, number FROM counters"))
        return (
            number["queue_events"] + number["refused_events"] < self._limits.max_events
            and number["queue_bytes"] + number["refused_bytes"] + size <= self._limits.max_bytes
        )

    def _give_back(self) -> None:
        """Return the file's free pages to the disk when there are many."""
        with self._lock:
            (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
            (page,) = self._connection.execute("PRAGMA page_size").fetchone()
            if free * page >= _GIVE_BACK_BYTES:
                # It frees a page a step, and `execute` makes one step only where no rows come.
                self._connection.executescript(f"PRAGMA incremental_vacuum({free // 2})")


def _insert(sql: sqlite3.Connection, item: OutgoingEvent, now_ms: int) -> None:
    replaced = sum(
        sql.execute(f"DELETE FROM {table} WHERE event_id = ?", (item.event_id,)).rowcount
        for table in ("queue", "refused")
    )
    sql.execute(
        "INSERT INTO queue (event_id, device_id, accepted_ms, checksum, value) VALUES (?, ?, ?, ?, ?)",
        (item.event_id, item.device_id, now_ms, zlib.crc32(item.value), item.value),
    )
    _add(sql, "accepted", 1)
    _add(sql, "replaced", replaced)


def _add(sql: sqlite3.Connection, counter: str, number: int) -> None:
    if number:
        sql.execute("UPDATE counters SET number = number + ? WHERE name = ?", (number, counter))


def _note(sql: sqlite3.Connection, name: str, text: str, now_ms: int) -> None:
    sql.execute("INSERT OR REPLACE INTO notes (name, at_ms, text) VALUES (?, ?, ?)", (name, now_ms, text))


def _chosen(sql: sqlite3.Connection, event_ids: Sequence[str] | None) -> list[str]:
    if event_ids is not None:
        return list(event_ids)
    return [event_id for (event_id,) in sql.execute("SELECT event_id FROM refused ORDER BY refused_ms, event_id")]


def _sync_directory(path: Path) -> None:
    """Make the names in a folder durable: a new file would otherwise be lost with its folder's entry."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Own the spool of a folder. Raises ConfigurationError when another process does."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"data_dir: {folder} cannot be made: {error.strerror}") from None
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"{folder} is in use by another process: stop that one, or give another --data-dir"
            ) from None
        yield


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the disk as DependencyError."""
    try:
        yield
    except sqlite3.Error as error:
        raise DependencyError(f"the spool cannot be used: {error}") from error
