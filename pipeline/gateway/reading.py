"""Reading for callers who wait: in threads of its own, and only for as long as they wait."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from fastapi import Request

from pipeline.edges.queries import Call
from pipeline.gateway.errors import ApiError
from pipeline.gateway.services import Services, services_of

Result = TypeVar("Result")

CLOSED: Final = 499
"""The status of an answer that nobody waited for, as proxies note it."""


async def in_query_thread(services: Services, work: Callable[[], Result]) -> Result:
    """Run something blocking in a thread for queries, to its end."""
    return await asyncio.get_running_loop().run_in_executor(services.queries, work)


async def reading(request: Request, read: Callable[[], Result]) -> Result:
    """Run a blocking reader in a thread for queries. When the caller goes away its statements are ended.

    People leave a page before its charts are there, and clients run into timeouts: what is asked next must not wait
    for that. Raises ApiError 499 then, for the log alone.
    """
    services, call = services_of(request), Call()
    work = asyncio.ensure_future(in_query_thread(services, lambda: call.run(read)))
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        work.cancel()  # one that has not begun never will
        await asyncio.to_thread(call.end, services.clickhouse)
        raise ApiError(CLOSED, "the caller has gone")
    finally:
        gone.cancel()


async def _gone(request: Request) -> None:
    """Returns when the connection is closed. The body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
