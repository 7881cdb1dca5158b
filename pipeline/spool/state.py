"""What a spool holds and how its forwarder fares, read from the file, whether a process runs or not."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import DependencyError
from pipeline.spool.schema import read_only
from pipeline.spool.store import SPOOL_FILE


@dataclass(frozen=True, slots=True)
class SpoolState:
    """Counts since the spool was made, and what it holds now. Times are milliseconds since the epoch.

    accepted = replaced + delivered + discarded + waiting + refused, always. `failure` says why nothing is delivered
    at present, and is empty when the last try succeeded.
    """

    accepted: int
    replaced: int
    delivered: int
    discarded: int
    salvaged: int
    waiting: int
    waiting_bytes: int
    refused: int
    refused_bytes: int
    oldest_ms: int | None
    delivered_ms: int | None
    failure: str
    failure_ms: int | None
    file_bytes: int
    damaged_files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """An event that its receiver refused for good, with the reason; `size` is bytes."""

    event_id: str
    device_id: str
    accepted_ms: int
    refused_ms: int
    reason: str
    size: int


def read_state(folder: Path) -> SpoolState:
    """The state of the spool of a folder. Raises DependencyError when there is none or it cannot be read."""
    with _reading(folder) as sql:
        number = dict(sql.execute("SELECT name, number FROM counters"))
        notes = {name: (at_ms, text) for name, at_ms, text in sql.execute("SELECT name, at_ms, text FROM notes")}
        oldest = sql.execute("SELECT accepted_ms FROM queue ORDER BY seq LIMIT 1").fetchone()
    failure_ms, failure = notes.get("failure", (None, ""))
    return SpoolState(
        **{name: number[name] for name in ("accepted", "replaced", "delivered", "discarded", "salvaged")},
        waiting=number["queue_events"],
        waiting_bytes=number["queue_bytes"],
        refused=number["refused_events"],
        refused_bytes=number["refused_bytes"],
        oldest_ms=oldest[0] if oldest else None,
        delivered_ms=notes["delivered"][0] if "delivered" in notes else None,
        failure=failure,
        failure_ms=failure_ms,
        file_bytes=sum(file.stat().st_size for file in folder.glob(f"{SPOOL_FILE}*")),
        damaged_files=tuple(sorted(path.name for path in folder.glob("damaged-*"))),
    )


def list_refused(folder: Path, limit: int) -> Sequence[RefusedEvent]:
    """Refused events, the latest first. Raises as `read_state`."""
    with _reading(folder) as sql:
        rows = sql.execute(
            "SELECT event_id, device_id, accepted_ms, refused_ms, reason, length(value) FROM refused"
            " ORDER BY refused_ms DESC, event_id LIMIT ?",
            (limit,),
        ).fetchall()
    return [RefusedEvent(*row) for row in rows]


@contextlib.contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection]:
    path = folder / SPOOL_FILE
    if not path.is_file():
        raise DependencyError(f"no spool in {folder}: `vision-events edge` makes it there when it runs first")
    try:
        with contextlib.closing(read_only(path)) as connection:
            connection.execute("BEGIN")  # one view for all that is asked
            yield connection
    except sqlite3.Error as error:
        raise DependencyError(f"{path}: {error}") from error
