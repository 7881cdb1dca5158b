"""Bounded reading of ClickHouse for callers who wait: no query runs, reads or answers without limit."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import orjson
from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import Error

from pipeline.core.query.statements import Statement
from pipeline.edges.clickhouse import translated
from pipeline.errors import DependencyError, QueryLimitError, VisionEventsError

Result = TypeVar("Result")

# Too many rows, timeout, too slow, memory, result too large (src/Common/ErrorCodes.cpp).
_LIMITS: Final = frozenset({158, 159, 160, 241, 307, 396})
_MEMORY: Final = 2 * 1024**3
_FORMAT: Final[dict[str, Any]] = {
    "date_time_output_format": "iso",
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_denormals": 0,
    "max_memory_usage": _MEMORY,
    "max_result_bytes": 256 * 1024**2,
    "timeout_overflow_mode": "throw",
}


class Call:
    """What somebody waits for: a reader whose statements can be ended from outside."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        """The `log_comment` of its statements, by which ClickHouse finds them among the running ones."""
        self.ended = False

    def run(self, read: Callable[[], Result]) -> Result:
        """What a reader gives. Raises as the reader, and DependencyError once it is ended."""
        token = _call.set(self)
        try:
            return read()
        finally:
            _call.reset(token)

    def end(self, client: Client) -> None:
        """End what runs for it. Its further statements do not begin. A failure is no harm: they have a time limit."""
        self.ended = True
        with suppress(VisionEventsError), translated():
            client.command(f"KILL QUERY WHERE Settings['log_comment'] = '{self.mark}' ASYNC")


_call: ContextVar[Call | None] = ContextVar("call", default=None)


class Deadline:
    """The time that all statements of one call may take together."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds that are left. Raises QueryLimitError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.exceeded()
        return left

    def exceeded(self) -> QueryLimitError:
        """The error of a call that needs more than it may take."""
        return QueryLimitError(
            f"the query needs more than {self._seconds:g} s or more memory than it may take: "
            "narrow startTime and endTime, or lower the limit"
        )


def lines(client: Client, statement: Statement, deadline: Deadline) -> list[bytes]:
    """The rows of a statement, each as JSON. Raises QueryLimitError, and as `clickhouse.translated`."""
    settings = _FORMAT | {"max_execution_time": deadline.remaining()}
    if call := _call.get():
        if call.ended:
            raise DependencyError("ClickHouse: nobody waits for the answer any more")
        settings["log_comment"] = call.mark
    try:
        return client.raw_query(statement.sql, statement.parameters, settings, fmt="JSONEachRow").splitlines()
    except Error as error:
        if error.code in _LIMITS:
            raise deadline.exceeded() from error
        with translated():
            raise


def rows(client: Client, statement: Statement, deadline: Deadline) -> Iterator[dict[str, Any]]:
    """The rows of a statement. Raises as `lines`, at once."""
    return map(orjson.loads, lines(client, statement, deadline))


def limits(seconds: float) -> dict[str, Any]:
    """Settings of a client none of whose queries may run longer, or take more memory than a query may."""
    return {"max_execution_time": seconds, "max_memory_usage": _MEMORY, "timeout_overflow_mode": "throw"}


@contextmanager
def within_limits(seconds: float) -> Iterator[None]:
    """Raise QueryLimitError where a query of such a client was ended by its limits."""
    try:
        yield
    except DependencyError as error:
        if getattr(error.__cause__, "code", None) in _LIMITS:
            raise Deadline(seconds).exceeded() from error
        raise
