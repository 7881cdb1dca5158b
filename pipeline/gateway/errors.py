"""Every error that leaves the gateway: `{"error": message}`, whatever went wrong.

Routes raise; nothing else is needed. InvalidRecordError and InvalidCursorError become 400, QueryLimitError 408,
DependencyError 503 with Retry-After, ApiError its own status. `answers(...)` says in the OpenAPI document which of them
a call may give.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from pipeline.core.query.cursor import InvalidCursorError
from pipeline.errors import ConfigurationError, DependencyError, InvalidRecordError, QueryLimitError

log = logging.getLogger(__name__)

RETRY_AFTER_S: Final = 5
"""How long clients are asked to wait while a service is away."""


class ErrorBody(BaseModel):
    """What went wrong. The message names the field at fault by its dotted path."""

    model_config = ConfigDict(extra="forbid")

    error: str


class ApiError(HTTPException):
    """An answer other than success."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        # An HTTPException, because frameworks let these through from within a body that is being read.
        super().__init__(status, message, headers)
        self.status = status
        self.message = message


_DESCRIPTIONS: Final = {
    400: "The request is not valid; the message names the field",
    401: "No key, or one that is not known",
    403: "The key's scopes do not allow the call",
    404: "Nothing of this id in the key's workspace",
    408: "The query needs more time or memory than one may take; the message says what to narrow",
    409: "The name is taken",
    413: "The body is too large",
    429: "Too many calls with this key; Retry-After says when to go on",
    503: "A service is away; nothing was stored for sure, the same call may be made again after Retry-After seconds",
}


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a call, for `responses=` of its route. Those of every call with a key are added."""
    always = (400, 401, 403, 429, 503)
    return {
        status: {"model": ErrorBody, "description": _DESCRIPTIONS[status]} for status in sorted({*always, *statuses})
    }


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The one shape of errors."""
    return JSONResponse({"error": message}, status, headers)


def add_error_handlers(app: FastAPI) -> None:
    """Turn every exception into an answer of this module's shape."""

    @app.exception_handler(ApiError)
    async def _api(_: Request, error: ApiError) -> JSONResponse:
        return error_response(error.status, error.message, error.headers)

    @app.exception_handler(InvalidRecordError)
    async def _invalid(_: Request, error: InvalidRecordError) -> JSONResponse:
        return error_response(400, str(error))

    @app.exception_handler(InvalidCursorError)
    async def _cursor(_: Request, error: InvalidCursorError) -> JSONResponse:
        return error_response(400, f"cursor: {error}")

    @app.exception_handler(QueryLimitError)
    async def _limit(_: Request, error: QueryLimitError) -> JSONResponse:
        return error_response(408, str(error))

    @app.exception_handler(RequestValidationError)
    async def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        # The first part says where: path, query, body. A body's fields are known by their own names.
        place, *path = first["loc"]
        field = ".".join(map(str, path if place == "body" else (place, *path)))
        return error_response(400, f"{field}: {first['msg']}" if field else first["msg"])

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 404:
            return error_response(404, f"no such call: {request.method} {request.url.path}")
        return error_response(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(DependencyError)
    async def _dependency(_: Request, error: DependencyError) -> JSONResponse:
        # Clients are not told addresses and messages of the services behind.
        log.warning("answering 503: %s", error)
        message = "a service behind this one does not answer; try again later"
        return error_response(503, message, {"Retry-After": str(RETRY_AFTER_S)})

    @app.exception_handler(ConfigurationError)
    async def _configuration(_: Request, error: ConfigurationError) -> JSONResponse:
        log.error("answering 503: %s", error)
        message = "the service is not set up completely; its log says what is missing"
        return error_response(503, message, {"Retry-After": str(RETRY_AFTER_S)})

    @app.exception_handler(Exception)
    async def _defect(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return error_response(500, "internal error; the log of the gateway has more")
