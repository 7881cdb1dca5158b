"""Request bodies: read up to a limit, validated from their bytes, described in OpenAPI."""

from typing import Any, Final, TypeVar

import orjson
from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from pipeline.core.explain import explain
from pipeline.errors import InvalidRecordError
from pipeline.gateway.errors import ApiError
from schemas.reject import RejectReason

MEBIBYTE: Final = 1024 * 1024

Model = TypeVar("Model")


async def read_body(request: Request, limit: int) -> bytes:
    """The body. Raises ApiError 413 as soon as it is known to have more than `limit` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


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
