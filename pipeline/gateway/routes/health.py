"""`/livez` and `/readyz`: what supervisors and load balancers ask, without a key."""

import asyncio

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from pipeline.edges.counts import read_health

router = APIRouter(tags=["health"])


class Readiness(BaseModel):
    """Whether the services behind the gateway answer: "ok", or what is wrong with one."""

    ready: bool
    services: dict[str, str]


class Liveness(BaseModel):
    """The process runs."""

    alive: bool


@router.get("/livez", summary="The process runs")
async def livez() -> Liveness:
    """For supervisors: one that does not answer is started anew."""
    return Liveness(alive=True)


@router.get(
    "/readyz",
    summary="Kafka, S3 and ClickHouse answer",
    responses={503: {"model": Readiness, "description": "A service does not answer"}},
)
async def readyz(request: Request, response: Response) -> Readiness:
    """For load balancers: one that is not ready gets no calls for a while."""
    health = await asyncio.to_thread(read_health, request.app.state.settings)
    connected = request.app.state.services is not None
    ready = connected and all(answer == "ok" for answer in health.values())
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, services=health | {"gateway": "ok" if connected else "connecting"})
