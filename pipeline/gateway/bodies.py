"""Request bodies: read up to a limit, validated from their bytes, described in OpenAPI."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import orjson
from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.core.explain import explain
from pipeline.errors import InvalidRecordError
from pipeline.gateway.errors import ApiError
from schemas.common import MEBIBYTE
from schemas.reject import RejectReason

MAX_BODY_BYTES: Final = 65 * MEBIBYTE
"""More than any call takes: the largest upload that settings allow, and the form around it."""

Model = TypeVar("Model")


async def read_body(request: Request, limit: int) -> bytes:
    """The body. Raises ApiError 413 as soon as it is known to have more than `limit` bytes."""
    _refuse_declared(request.headers.get("content-length", ""), limit)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


@asynccontextmanager
async def limited_form(request: Request, limit: int) -> AsyncIterator[FormData]:
    """The fields of a multipart body; files lie on disk beyond a mebibyte, and are gone afterwards.

    Raises ApiError 413 as soon as the body has more than `limit` bytes, InvalidRecordError for a broken one.
    """
    _refuse_declared(request.headers.get("content-length", ""), limit)
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise InvalidRecordError(RejectReason.INVALID_VALUE, "the body must be multipart/form-data")
    try:
        # Beside the file: name and metadata, and whatever else a client adds.
        form = await Request(request.scope, counted(request.receive, limit)).form(
            max_files=1, max_fields=20, max_part_size=128 * 1024
        )
    except HTTPException as error:
        if isinstance(error, ApiError):
            raise
        raise InvalidRecordError(RejectReason.INVALID_VALUE, f"not a valid form: {error.detail}") from None
    try:
        yield form
    finally:
        await form.close()


def parse(body: bytes, adapter: TypeAdapter[Model]) -> Model:
    """What the JSON of a body describes. Raises InvalidRecordError naming the field by its dotted path."""
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as broken:
            raise InvalidRecordError(RejectReason.NOT_JSON, f"the body is not JSON: {broken}") from None
        raise explain(error, document) from None


def json_body(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """`openapi_extra=` of a route that reads its body by itself; `openapi.complete` moves the definitions out of it."""
    schema = adapter.json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def too_large(limit: int) -> ApiError:
    """The answer to a body over its limit."""
    return ApiError(413, f"the body has more than {limit} bytes, the most for this call")


def _refuse_declared(length: str, limit: int) -> None:
    if length.isdigit() and int(length) > limit:
        raise too_large(limit)


def counted(receive: Receive, limit: int) -> Receive:
    """A receiver that raises ApiError 413 once more than `limit` bytes of body have come."""
    size = 0

    async def counting() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise too_large(limit)
        return message

    return counting


class BodyLimit:
    """Middleware: no body is larger than the largest that any call takes, whoever reads it.

    Own code: the one of the web framework answers in plain text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, counting."""
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            receive = counted(receive, MAX_BODY_BYTES)
        await self._app(scope, receive, send)
