"""Runs one request in chDB. Blocking: call it from threads; each request has a connection of its own (0.2 ms)."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from deploy.embedded.clickhouse import config
from deploy.embedded.clickhouse.access import User, check_analyst
from deploy.embedded.clickhouse.errors import (
    ACCESS_DENIED,
    BAD_ARGUMENTS,
    READONLY,
    SYNTAX_ERROR,
    ServerError,
    from_engine,
)
from deploy.embedded.clickhouse.statements import Insert, Output
from deploy.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    from chdb.state.sqlitelike import Connection

ENCODINGS: Final = {"gzip": "gzip", "deflate": "deflate", "zstd": "zstd", "lz4": "lz4", "br": "br", "xz": "xz"}
"""Content encodings, in HTTP's names and in those of the engine."""
MAX_MEMORY_OF_BODY: Final = 4 * 1024**3
"""What decompressing one body may take: a few bytes may decompress to any number of them."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to run, for whom, and how."""

    statement: Insert | Output
    user: User
    tag: str
    """Marks the statement among the running ones, so that it can be cancelled."""
    readonly: bool = False
    database: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    """Data of an INSERT that came as the request's body."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the engine counted, and the answer where it did not go to the given pipe."""

    rows_read: int = 0
    bytes_read: int = 0
    rows_written: int = 0
    bytes_written: int = 0
    result_rows: int = 0
    content: bytes | None = None


class Engine:
    """A chDB path, open."""

    def __init__(self, folder: Path, limits: config.Limits, display_name: str) -> None:
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        self._open = _import_chdb(folder / "tmp")
        configuration = config.write(folder, limits, display_name, self._settings())
        # A local tool takes `1` for `SELECT 1`; a server does not.
        self._address = f"{folder / 'store'}?config-file={configuration}&implicit_select=0"
        analyst = ", ".join(f"{name}={value}" for name, value in limits.analyst_settings().items())
        # The profile brings the constraints, and comes last: it would not let the limits be set above them anyway.
        self._analyst = (
            f"SET ROLE {config.ANALYST_ROLE}; SET {analyst}, readonly=2; SET profile='{config.ANALYST_ROLE}'"
        )
        # The engine lives as long as any connection does.
        try:
            self._root = self._open(self._address)
        except RuntimeError as error:
            raise EmbeddedError(f"ClickHouse's data in {folder} cannot be opened: {error}") from None
        self.version, self.timezone = self._text("SELECT version(), timezone()").split("\t")

    def close(self) -> None:
        """Close the path; running requests must have ended."""
        self._root.close()

    def run(self, request: Request, pipe: int, compression: str = "") -> Summary:
        """Run a request. A streamable answer goes, compressed where asked for, into the pipe, which is closed after.

        Raises ServerError.
        """
        try:
            with self._connection(request) as connection:
                if isinstance(request.statement, Insert):
                    return self._insert(connection, request, request.statement)
                return self._output(connection, request, request.statement, pipe, compression)
        finally:
            os.close(pipe)

    def decompress(self, body: bytes, encoding: str) -> bytes:
        """Decompress a request's body: all frames of it, of which clickhouse-connect makes one a block.

        Raises ServerError.
        """
        with (
            os.fdopen(os.memfd_create("body"), "wb", buffering=0) as file,
            closing(self._open(self._address)) as connection,
        ):
            _write_all(file.fileno(), body)
            try:
                found = connection.query(
                    f"SELECT * FROM file('/proc/self/fd/{file.fileno()}', 'RawBLOB', 'body String', "
                    f"'{ENCODINGS[encoding]}') SETTINGS max_memory_usage={MAX_MEMORY_OF_BODY}",
                    "RawBLOB",
                )
                return bytes(found.bytes())
            except RuntimeError as error:
                raise from_engine(error) from None

    def cancel(self, tag: str) -> None:
        """End a running statement. Closing the pipe would not: the engine drops what it cannot write and goes on."""
        with suppress(ServerError):
            self._text(f"KILL QUERY WHERE endsWith(query, '{tag}') ASYNC")

    @contextmanager
    def _connection(self, request: Request) -> Iterator["Connection"]:
        connection = self._open(self._address)
        try:
            if not request.user.may_write:
                connection.query(self._analyst)
            elif request.readonly:
                connection.query("SET readonly=2")
            if request.database and request.database != "default":
                connection.query(f"USE {_quoted(request.database, '`')}")
            if request.settings:
                connection.query("SET " + ", ".join(f"{k}={_quoted(v)}" for k, v in request.settings.items()))
            yield connection
        except RuntimeError as error:
            raise from_engine(error) from None
        finally:
            connection.close()

    def _insert(self, connection: "Connection", request: Request, insert: Insert) -> Summary:
        if not request.user.may_write or request.readonly:
            raise ServerError(READONLY, "Cannot execute query in readonly mode")
        # Not chDB's streaming insert: it reports success when there was no room on the disk, and the rows are lost.
        with os.fdopen(os.memfd_create("insert"), "wb", buffering=0) as file:
            for chunk in (insert.data, request.body):
                _write_all(file.fileno(), chunk)
            source = f"FROM INFILE '/proc/self/fd/{file.fileno()}' COMPRESSION 'none'"
            done = connection.query(f"{insert.head} {source} {insert.settings} FORMAT {insert.format}")
        rows, size = done.rows_written(), done.bytes_written()
        return Summary(rows, size, rows, size)

    def _output(
        self, connection: "Connection", request: Request, output: Output, pipe: int, compression: str
    ) -> Summary:
        text = output.body + output.tail
        self._check(connection, request, text)
        if output.streamable:
            # A query's whole answer would be held in memory, and chDB's streams are whole documents one after another
            # for most formats. The client's INTO OUTFILE writes any format as a server does, and waits for the pipe.
            packed = f" COMPRESSION '{compression}'" if compression else ""
            tail = output.tail or f"FORMAT {output.format}"
            text = f"{output.body}\nINTO OUTFILE '/proc/self/fd/{pipe}' TRUNCATE{packed} {tail}"
        done = connection.query(f"{text}\n-- {request.tag}", output.format)
        content = None if output.streamable else bytes(done.bytes() or b"")
        return Summary(
            done.storage_rows_read(),
            done.storage_bytes_read(),
            done.rows_written(),
            done.bytes_written(),
            done.rows_read(),
            content,
        )

    def _check(self, connection: "Connection", request: Request, text: str) -> None:
        found: dict[str, Any] = connection._conn.classify_query(text)
        if found["statement_count"] > 1 and "PARALLEL" not in text.upper():
            raise ServerError(SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed)")
        if request.user.may_write and not request.readonly:
            return
        # UNKNOWN is what does not parse: the engine has the better message.
        if found["query_class"].name not in ("READ_ONLY", "UNKNOWN"):
            raise ServerError(READONLY, "Cannot execute query in readonly mode")
        if found["statement_count"] > 1:
            raise ServerError(ACCESS_DENIED, "Not enough privileges: one statement at a time")
        if not request.user.may_write:
            check_analyst(text, self._normalised)

    def _normalised(self, text: str) -> str:
        return self._text(f"SELECT formatQuery({_quoted(text)})")

    def _settings(self) -> dict[str, str]:
        """Names and types of all settings, from an engine without data: the configuration is read at the start."""
        with closing(self._open(":memory:")) as connection:
            found = connection.query("SELECT name, type FROM system.settings", "TSVRaw").bytes().decode()
        return dict(line.split("\t") for line in found.splitlines())

    def _text(self, query: str) -> str:
        with closing(self._open(self._address)) as connection:
            try:
                return str(connection.query(query, "TSVRaw").bytes().decode().strip())
            except RuntimeError as error:
                raise from_engine(error) from None


def _import_chdb(temporary: Path) -> "type[Connection]":
    """The import makes a folder for temporary files, and starts threads: the process is to be confined before."""
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    os.environ["TMPDIR"] = str(temporary)
    try:
        from chdb.state.sqlitelike import Connection
    except ImportError:
        raise EmbeddedError("the embedded stack is not installed: pip install 'vision-events[embedded]'") from None
    return Connection


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _quoted(text: str, quote: str = "'") -> str:
    if "\0" in text:
        raise ServerError(BAD_ARGUMENTS, "a zero byte in a name or value")
    return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote
