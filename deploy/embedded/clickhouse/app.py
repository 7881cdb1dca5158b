"""ClickHouse's HTTP interface (docs: Interfaces / HTTP): requests in, streamed answers out.

Each request stands alone: `session_id` is taken and has no effect, so SET and temporary tables last for one request.
"""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import orjson
from aiohttp import web

from deploy.embedded.clickhouse.access import Users
from deploy.embedded.clickhouse.answer import AnswerPipe, stream
from deploy.embedded.clickhouse.engine import ENCODINGS, Engine, Request, Summary
from deploy.embedded.clickhouse.errors import (
    BAD_ARGUMENTS,
    NOT_IMPLEMENTED,
    QUERY_IS_TOO_LARGE,
    UNKNOWN_COMPRESSION_METHOD,
    ServerError,
)
from deploy.embedded.clickhouse.statements import Insert, Output, parse

log = logging.getLogger(__name__)


MAX_BODY_BYTES: Final = 512 * 1024 * 1024
"""Largest request body: it is held in memory until it has arrived whole, so that half an upload inserts nothing."""
MAX_ANALYST_BODY_BYTES: Final = 4 * 1024 * 1024
WRITER_THREADS: Final = 32
ANALYST_THREADS: Final = 16
"""Requests under way at once; others wait. Analysts among themselves, so that they cannot hold up the writing."""

# HTTPHandler.cpp: parameters that are not settings.
_RESERVED: Final = frozenset(
    {"query", "database", "default_format", "user", "password", "quota_key", "role", "stacktrace", "query_id"}
    | {"session_id", "session_timeout", "session_check", "close_session", "compress", "decompress", "buffer_size"}
    | {"wait_end_of_query", "client_protocol_version", "http_make_head_request"}
)
_CONTENT_TYPES: Final = {
    "JSON": "application/json; charset=UTF-8",
    "XML": "application/xml; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "Native": "application/octet-stream",
    "Arrow": "application/octet-stream",
    "ArrowStream": "application/octet-stream",
    "Parquet": "application/octet-stream",
    "RowBinary": "application/octet-stream",
}


class Server:
    """The HTTP application over an engine."""

    def __init__(self, engine: Engine, users: Users, display_name: str) -> None:
        self._engine = engine
        self._users = users
        self._pools = {
            True: ThreadPoolExecutor(WRITER_THREADS, thread_name_prefix="writer"),
            False: ThreadPoolExecutor(ANALYST_THREADS, thread_name_prefix="analyst"),
        }
        self._headers = {
            "X-ClickHouse-Server-Display-Name": display_name,
            "X-ClickHouse-Timezone": engine.timezone,
        }

    def application(self) -> web.Application:
        """Routes of the HTTP interface."""
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_get("/ping", self._ok)
        app.router.add_get("/replicas_status", self._ok)
        app.router.add_route("*", "/", self._query)
        app.on_cleanup.append(self._end)
        return app

    async def _end(self, _: web.Application) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=True)
        self._engine.close()

    async def _ok(self, _: web.Request) -> web.Response:
        return web.Response(text="Ok.\n", headers=self._headers)

    async def _query(self, http: web.Request) -> web.StreamResponse:
        if http.method not in ("GET", "POST", "HEAD"):
            raise web.HTTPMethodNotAllowed(http.method, ["GET", "POST"])
        if http.method != "POST" and "query" not in http.query:
            return await self._ok(http)
        query_id = http.query.get("query_id") or str(uuid.uuid4())
        headers = {**self._headers, "X-ClickHouse-Query-Id": re.sub(r"[^ -~]", "?", query_id)}
        try:
            request = await self._read(http)
            return await self._answer(http, request, headers)
        except ServerError as error:
            return self._refusal(error, headers)
        except web.HTTPRequestEntityTooLarge as too_large:
            return self._refusal(ServerError(QUERY_IS_TOO_LARGE, f"{too_large.text}: send it in parts"), headers)

    def _refusal(self, error: ServerError, headers: dict[str, str]) -> web.Response:
        for name in ("Content-Encoding", "Content-Type", "X-ClickHouse-Format"):
            headers.pop(name, None)  # those of the answer that there is none of
        return web.Response(
            status=error.status,
            text=error.text(self._engine.version),
            headers={**headers, "X-ClickHouse-Exception-Code": str(error.code)},
        )

    async def _read(self, http: web.Request) -> Request:
        # Before the body: a stranger must not be able to fill our memory.
        user = self._users.authenticate(http.headers, http.query)
        if not user.may_write:
            http = http.clone(client_max_size=MAX_ANALYST_BODY_BYTES)
        parameters = dict(http.query)
        if http.content_type == "multipart/form-data":
            parameters |= await _form(http)
            body = b""
        else:
            body = await http.read()
        if (encoding := http.headers.get("Content-Encoding", "identity").lower()) != "identity":
            if encoding not in ENCODINGS:
                raise ServerError(UNKNOWN_COMPRESSION_METHOD, f"Unknown compression method: {encoding}")
            loop = asyncio.get_running_loop()
            body = await loop.run_in_executor(self._pools[user.may_write], self._engine.decompress, body, encoding)
        if parameters.get("decompress") == "1" or parameters.get("compress") == "1":
            raise ServerError(NOT_IMPLEMENTED, "ClickHouse's own block compression: use Content-Encoding instead")
        statement, data = _statement(parameters.get("query", "").encode(), body, _default_format(http, parameters))
        return Request(
            statement=statement,
            user=user,
            tag=uuid.uuid4().hex,
            readonly=http.method != "POST",
            database=parameters.get("database") or http.headers.get("X-ClickHouse-Database") or "",
            settings=_settings(parameters),
            body=data,
        )

    async def _answer(self, http: web.Request, request: Request, headers: dict[str, str]) -> web.StreamResponse:
        streamed = not isinstance(request.statement, Insert) and request.statement.streamable
        compression = _accepted(http) if streamed else ""
        if not isinstance(request.statement, Insert):
            format_name = request.statement.format
            headers["X-ClickHouse-Format"] = format_name
            headers["Content-Type"] = _CONTENT_TYPES.get(format_name, "text/plain; charset=UTF-8")
        if compression:
            headers["Content-Encoding"] = compression
        loop, pipe, started = asyncio.get_running_loop(), AnswerPipe(), time.monotonic_ns()
        pool, packed = self._pools[request.user.may_write], ENCODINGS.get(compression, "")
        running = loop.run_in_executor(pool, self._engine.run, request, pipe.writing, packed)
        # Nobody asks any more when the client has gone.
        running.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            content, whole = await pipe.beginning(running)
            if not whole:
                return await stream(http, pipe, content, running, headers, self._engine.version)
            summary = await running
        except (asyncio.CancelledError, ConnectionError):
            # The client is gone. A server lets an INSERT end all the same, and so do we.
            if streamed:
                await asyncio.shield(loop.run_in_executor(None, self._engine.cancel, request.tag))
            raise
        finally:
            pipe.close()
        headers["X-ClickHouse-Summary"] = _summary(summary, time.monotonic_ns() - started)
        return web.Response(body=content if summary.content is None else summary.content, headers=headers)


def _statement(query: bytes, body: bytes, default_format: str) -> tuple[Insert | Output, bytes]:
    """The statement, and the data of an INSERT that the statement's own text does not hold."""
    # As the server does: the parameter and the body are one text, divided by a line break.
    if not query:
        return parse(body, default_format), b""
    if isinstance(insert := parse(query + b"\n", default_format), Insert):
        return insert, body
    return parse(query + b"\n" + body, default_format), b""


async def _form(http: web.Request) -> dict[str, str]:
    fields = await http.post()
    files = [name for name, value in fields.items() if not isinstance(value, str)]
    if files:
        raise ServerError(NOT_IMPLEMENTED, f"external tables ({', '.join(files)}) are not supported")
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def _default_format(http: web.Request, parameters: Mapping[str, str]) -> str:
    name = parameters.get("default_format") or http.headers.get("X-ClickHouse-Format") or "TabSeparated"
    if not re.fullmatch(r"\w+", name):
        raise ServerError(BAD_ARGUMENTS, f"not a format: {name!r}")
    return name


def _settings(parameters: Mapping[str, str]) -> dict[str, str]:
    settings = {name: value for name, value in parameters.items() if name not in _RESERVED}
    for name in settings:
        if not re.fullmatch(r"\w+", name, re.ASCII):
            raise ServerError(BAD_ARGUMENTS, f"not the name of a setting: {name!r}")
    return settings


def _accepted(http: web.Request) -> str:
    """The encoding of an answer that the client accepts, cheapest first; empty for none."""
    if http.query.get("enable_http_compression") == "0":
        return ""
    accepted = {part.split(";")[0].strip() for part in http.headers.get("Accept-Encoding", "").lower().split(",")}
    return next((name for name in ("lz4", "zstd", "gzip", "deflate") if name in accepted), "")


def _summary(summary: Summary, nanoseconds: int) -> str:
    counts = {
        "read_rows": summary.rows_read,
        "read_bytes": summary.bytes_read,
        "written_rows": summary.rows_written,
        "written_bytes": summary.bytes_written,
        "total_rows_to_read": summary.rows_read,
        "result_rows": summary.result_rows,
        "result_bytes": 0,
        "elapsed_ns": nanoseconds,
    }
    return orjson.dumps({name: str(count) for name, count in counts.items()}).decode()
