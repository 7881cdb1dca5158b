"""`/dashboard/api/live`: new events as they are stored, as server-sent events."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from pipeline.core.query.document import EventFilters
from pipeline.errors import VisionEventsError
from pipeline.gateway.access import Principal, Reader
from pipeline.gateway.bodies import parse
from pipeline.gateway.errors import ApiError
from pipeline.gateway.reading import in_query_thread
from pipeline.gateway.routes.dashboard.events import shown
from pipeline.gateway.routes.query import lookback_of
from pipeline.gateway.services import services_of

router = APIRouter(prefix="/dashboard/api")

_INTERVAL_S: Final = 1.0
_AT_ONCE: Final = 50
"""Most events of one message. Of a faster stream the newest are shown: nobody reads more."""
_MAX_TAILS: Final = 50
_KNOWN: Final = 1000

_FILTERS: Final[TypeAdapter[EventFilters]] = TypeAdapter(EventFilters)
_open = 0


@router.get("/live")
async def live(request: Request, who: Reader, filters: Annotated[str, Query(max_length=20_000)]) -> StreamingResponse:
    """`data: {"events": [...]}` with the newest that match `filters` (a query as JSON), then with new ones."""
    wanted = parse(filters.encode(), _FILTERS)
    services = services_of(request)
    await services.use_cases.get(who.workspace_id, wanted.use_case_id)
    if _open >= _MAX_TAILS:
        raise ApiError(503, "too many live views at this gateway; try again later", {"Retry-After": "30"})
    return StreamingResponse(
        _tail(request, who, wanted), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _tail(request: Request, who: Principal, filters: EventFilters) -> AsyncIterator[bytes]:
    global _open
    _open += 1
    try:
        known: OrderedDict[str, None] = OrderedDict()
        while not await request.is_disconnected() and not request.app.state.closing:
            try:
                found = await _newest(request, who, filters)
            except ApiError:
                return  # the key was revoked
            except VisionEventsError:
                found = []  # ClickHouse is away or busy: it will be back
            new = [row for row in found if row["event_id"] not in known]
            known |= OrderedDict.fromkeys(row["event_id"] for row in new)
            while len(known) > _KNOWN:
                known.popitem(last=False)
            if new:
                yield b"data: " + orjson.dumps({"events": [shown(request, who, row) for row in new]}) + b"\n\n"
            else:
                yield b": still here\n\n"
            await asyncio.sleep(_INTERVAL_S)
    finally:
        _open -= 1


async def _newest(request: Request, who: Principal, filters: EventFilters) -> list[dict[str, Any]]:
    services = services_of(request)
    if services.keys.find_by_id(who.key_id) is None:
        raise ApiError(401, "the key was revoked")
    use_case = services.registry.current.use_cases[filters.use_case_id]
    reader, days = services.reader, lookback_of(services, use_case)
    return await in_query_thread(services, lambda: reader.page(who.workspace_id, filters, days, _AT_ONCE).rows)
