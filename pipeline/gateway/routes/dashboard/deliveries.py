"""`/dashboard/api/alert-deliveries`: who was told of alerts, and who could not be. Alerts are in the public API."""

from datetime import UTC
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from pipeline.edges.alerts import find_deliveries
from pipeline.edges.queries import within_limits
from pipeline.gateway.access import Reader
from pipeline.gateway.reading import reading
from pipeline.gateway.services import services_of

router = APIRouter(prefix="/dashboard/api/alert-deliveries")

_NEWEST: Final = 1000


@router.get("")
async def deliveries(request: Request, who: Reader) -> JSONResponse:
    """The newest; `messageId` is the alert's id and the status that was told."""
    services = services_of(request)

    def read() -> list[dict[str, object]]:
        with within_limits(services.settings.query_timeout_s):
            return [
                {
                    "messageId": row["message_id"],
                    "receiver": row["receiver"],
                    "state": row["state"],
                    "attempts": row["attempts"],
                    "error": row["error"],
                    "at": row["at"].replace(tzinfo=UTC).isoformat(),
                }
                for row in find_deliveries(services.limited, who.workspace_id, _NEWEST)
            ]

    return JSONResponse({"deliveries": await reading(request, read)})
