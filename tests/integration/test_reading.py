"""A statement runs for as long as somebody waits for its answer."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Request

from pipeline.core.query.statements import Statement
from pipeline.edges.queries import Deadline, lines
from pipeline.errors import DependencyError
from pipeline.gateway.errors import ApiError
from pipeline.gateway.reading import CLOSED, reading
from tests.integration.sql_support import Database

pytest_plugins = ["tests.integration.sql_fixtures"]

SLOW = Statement("SELECT sleepEachRow(0.1) FROM numbers(600) SETTINGS max_block_size = 1", {})


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await holds():
            await asyncio.sleep(0.05)


async def test_statements_end_when_their_caller_goes(database: Database) -> None:
    left, ended = asyncio.Event(), []

    async def receive() -> dict[str, Any]:
        await left.wait()
        return {"type": "http.disconnect"}

    def read() -> list[bytes]:
        try:
            return lines(database.writer, SLOW, Deadline(60))
        except DependencyError as error:
            ended.append(error)
            # What the reader would ask next is not asked any more.
            with pytest.raises(DependencyError, match="nobody waits"):
                lines(database.writer, SLOW, Deadline(60))
            raise

    async def running() -> bool:
        asked = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleepEachRow%'"
        return bool((await asyncio.to_thread(database.writer.query, asked)).result_rows[0][0])

    async def stopped() -> bool:
        return bool(ended) and not await running()

    with ThreadPoolExecutor(1) as threads:
        services = SimpleNamespace(clickhouse=database.writer, queries=threads)
        app = SimpleNamespace(state=SimpleNamespace(services=services))
        request = Request({"type": "http", "app": app}, receive)
        first, second = (asyncio.create_task(reading(request, read)) for _ in range(2))
        await until(running)
        left.set()
        for answer in (first, second):  # the second waits for the only thread: it never begins
            with pytest.raises(ApiError) as refused:
                await answer
            assert refused.value.status == CLOSED
        await until(stopped)
    assert len(ended) == 1
