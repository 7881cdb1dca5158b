"""`POST /v2/events`: the call of workflow blocks in local mode, here straight to Kafka.

Its senders know other errors than the rest of the API: `{"detail": message}`, and 529 for "at capacity, wait".
"""

import uuid
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from pipeline.core.outgoing import Defaults, accept
from pipeline.errors import InvalidRecordError, VisionEventsError
from pipeline.gateway.access import WRITE_SCOPES, Principal, Requires, authenticate
from pipeline.gateway.bodies import read_body
from pipeline.gateway.errors import RETRY_AFTER_S, ApiError
from pipeline.gateway.services import services_of
from pipeline.gateway.writing import Incoming
from schemas.edge import AT_CAPACITY, EDGE_ANSWERS, EDGE_BODY, EdgeAccepted
from schemas.reject import RejectReason
from schemas.topics import MAX_RAW_RECORD_BYTES

_WAIT: Final = {"Retry-After": str(RETRY_AFTER_S)}


class _EdgeRoute(APIRoute):
    """Answers errors in the shape that senders of this call know."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_and_translate(request: Request) -> Response:
            try:
                return await handle(request)
            except InvalidRecordError as error:
                return _problem(400, str(error))
            except ApiError as error:
                return _problem(AT_CAPACITY if error.status == 503 else error.status, error.message, error.headers)
            except VisionEventsError:
                return _problem(AT_CAPACITY, "a service behind this one does not answer; send it again later", _WAIT)

        return handle_and_translate


def _problem(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": message}, status, headers)


class _EdgeKey(Requires):
    """The key in X-API-Key, as these senders show it, or as everywhere else."""

    async def __call__(self, request: Request) -> Principal:
        """The principal, for FastAPI."""
        if key := request.headers.get("x-api-key", "").strip():
            return await authenticate(services_of(request), key, self._scopes)
        return await super().__call__(request)


router = APIRouter(tags=["edge"], route_class=_EdgeRoute)


@router.post(
    "/v2/events",
    status_code=201,
    summary="Store one event as workflow blocks in local mode send it",
    response_model=EdgeAccepted,
    responses=EDGE_ANSWERS,
    openapi_extra=EDGE_BODY,
)
async def create_edge_event(
    request: Request, who: Annotated[Principal, Depends(_EdgeKey(*WRITE_SCOPES))]
) -> EdgeAccepted:
    """Answered when Kafka has the event. `event_id` in the body, where given, makes a resend replace."""
    services = services_of(request)
    body = await read_body(request, MAX_RAW_RECORD_BYTES)
    now = datetime.now(UTC)
    event = accept(body, str(uuid.uuid4()), Defaults(now))
    if not event.use_case_id:
        device = services.registry.current.devices.get((who.workspace_id, event.device_id))
        if device is None or not device.use_case_id:
            message = "none given (`solution`), and the device registry has no default for this device"
            raise InvalidRecordError(RejectReason.UNKNOWN_USE_CASE, message, "use_case_id")
        event = accept(body, event.event_id, Defaults(now, use_case_id=device.use_case_id))
    incoming = Incoming(event.value, event.event_id, event.use_case_id, event.device_id or None)
    await services.events.check(who.workspace_id, incoming)
    await services.events.publish([incoming])
    return EdgeAccepted(id=event.event_id)
