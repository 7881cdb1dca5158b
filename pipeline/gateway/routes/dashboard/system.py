"""`/dashboard/api/system`: parts, counts, lag, throughput and latency of the whole system, for its operators."""

import orjson
from fastapi import APIRouter, Request, Response

from pipeline.gateway.access import Reader, require_operator
from pipeline.gateway.services import services_of

router = APIRouter(prefix="/dashboard/api/system")


@router.get("")
async def system(request: Request, who: Reader) -> Response:
    """What `vision-events status --json` prints, the flow of the last ten minutes, and the lag of all groups."""
    require_operator(who)
    state = await services_of(request).watch.read()
    return Response(orjson.dumps(state), media_type="application/json")
