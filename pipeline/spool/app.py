"""The edge's web application: `POST /v2/events`, as the local mode of existing workflow blocks sends it."""

import asyncio
import hmac
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from pipeline.core.outgoing import Defaults, accept
from pipeline.errors import DependencyError, InvalidRecordError, SpoolFullError
from pipeline.spool.store import SpoolStore
from pipeline.spool.writer import SpoolWriter
from schemas.edge import AT_CAPACITY, EDGE_ANSWERS, EDGE_BODY, EdgeAccepted, EdgeProblem
from schemas.topics import MAX_RAW_RECORD_BYTES

log = logging.getLogger(__name__)

_MAX_BYTES_AT_ONCE: Final = 64 * 1024 * 1024
_BUSY: Final = "too many requests at once; send it again"
_FULL: Final = "the spool is full: events wait for their receiver, or were refused by it"


def make_app(store: SpoolStore, writer: SpoolWriter, api_key: str, device_id: str, use_case_id: str) -> FastAPI:
    """The application on an open spool. Events that name no device or use case get the given ones."""
    app = FastAPI(title="Vision Events edge", docs_url=None, redoc_url=None)
    admission = Admission()

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"detail": str(error.detail)}, error.status_code)

    @app.post(
        "/v2/events",
        status_code=201,
        response_model=EdgeAccepted,
        responses=EDGE_ANSWERS,
        openapi_extra=EDGE_BODY,
        summary="Take one event",
    )
    async def create_event(request: Request, x_api_key: Annotated[str | None, Header()] = None) -> EdgeAccepted:
        """Answered when the event is on the disk. `event_id` in the body, where given, makes a resend replace."""
        if api_key and not hmac.compare_digest((x_api_key or "").encode(), api_key.encode()):
            raise HTTPException(401, "the header X-API-Key does not hold this device's key")
        if await asyncio.to_thread(store.is_full):
            raise HTTPException(AT_CAPACITY, _FULL)
        with admission.of(request):
            body = await _read_body(request)
            try:
                defaults = Defaults(datetime.now(UTC), device_id, use_case_id)
                event = accept(body, str(uuid.uuid4()), defaults)
                await writer.accept(event)
            except InvalidRecordError as error:
                raise HTTPException(400, str(error)) from None
            except SpoolFullError as error:
                raise HTTPException(AT_CAPACITY, str(error)) from None
            except DependencyError as error:
                log.error("answering 503: %s", error)
                raise HTTPException(503, str(error)) from None
        return EdgeAccepted(id=event.event_id)

    @app.get("/livez", summary="The process runs")
    async def livez() -> dict[str, bool]:
        return {"alive": True}

    @app.get("/readyz", summary="Events are taken", responses={503: {"model": EdgeProblem, "description": "Full"}})
    async def readyz() -> dict[str, bool]:
        if await asyncio.to_thread(store.is_full):
            raise HTTPException(503, _FULL)
        return {"ready": True}

    return app


class Admission:
    """Bounds the memory of requests under way by the lengths that they declare."""

    def __init__(self) -> None:
        self._bytes = 0

    @contextmanager
    def of(self, request: Request) -> Iterator[None]:
        """Admit a request for a while. Raises HTTPException 529 when there is no room for its body."""
        declared = request.headers.get("content-length", "")
        size = min(int(declared), MAX_RAW_RECORD_BYTES) if declared.isdecimal() else MAX_RAW_RECORD_BYTES
        if self._bytes + size > _MAX_BYTES_AT_ONCE:
            raise HTTPException(AT_CAPACITY, _BUSY)
        self._bytes += size
        try:
            yield
        finally:
            self._bytes -= size


async def _read_body(request: Request) -> bytes:
    """The body. Raises HTTPException 413 once it is larger than the topic takes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_RAW_RECORD_BYTES:
            raise HTTPException(413, f"the body has more than {MAX_RAW_RECORD_BYTES} bytes")
    return bytes(body)
