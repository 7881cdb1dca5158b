"""The spool file: one SQLite database in WAL mode, and how it is opened so that a commit survives a power cut."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pipeline.errors import ConfigurationError

VERSION: Final = 1

_TABLES: Final = """
CREATE TABLE queue (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, so it is the order of acceptance
  event_id TEXT NOT NULL UNIQUE,
  device_id TEXT NOT NULL,
  accepted_ms INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  value BLOB NOT NULL
);
CREATE TABLE refused (
  event_id TEXT PRIMARY KEY,
  device_id TEXT NOT NULL,
  accepted_ms INTEGER NOT NULL,
  refused_ms INTEGER NOT NULL,
  reason TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  value BLOB NOT NULL
);
CREATE TABLE counters (name TEXT PRIMARY KEY, number INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE notes (name TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
"""

# What the tables hold, kept by the database itself so that every process that changes it sees one truth.
_TRIGGERS: Final = "".join(
    f"""
CREATE TRIGGER {table}_{action} AFTER {action} ON {table} BEGIN
  UPDATE counters SET number = number {sign} 1 WHERE name = '{table}_events';
  UPDATE counters SET number = number {sign} length({row}.value) WHERE name = '{table}_bytes';
END;
"""
    for table in ("queue", "refused")
    for action, sign, row in (("insert", "+", "new"), ("delete", "-", "old"))
)

COUNTERS: Final = (
    *("accepted", "replaced", "delivered", "discarded", "salvaged"),
    *("queue_events", "queue_bytes", "refused_events", "refused_bytes"),
)


def connect(path: Path) -> sqlite3.Connection:
    """Open or create the spool file for writing.

    Raises sqlite3.DatabaseError when it is damaged, and ConfigurationError when another version wrote it.
    """
    connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a commit returns when the log is on the disk
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            with transaction(connection):
                _create(connection)
        elif version != VERSION:
            raise ConfigurationError(f"{path} has format {version}, this version of the program reads {VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _create(connection: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    for trigger in _TRIGGERS.split("END;\n"):
        if trigger.strip():
            connection.execute(trigger + "END")
    connection.executemany("INSERT INTO counters (name) VALUES (?)", [(name,) for name in COUNTERS])
    connection.execute(f"PRAGMA user_version = {VERSION}")


def read_only(path: Path) -> sqlite3.Connection:
    """Open the spool file beside the process that owns it. Raises sqlite3.Error when it cannot be read."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10, isolation_level=None)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; durable when this returns."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
