"""`POST /vision-events/upload` puts an image; `GET /vision-events/images/...` opens one by a signed link."""

import asyncio
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from starlette.concurrency import iterate_in_threadpool
from starlette.datastructures import UploadFile

from pipeline.core.explain import explain
from pipeline.core.images import inspect_image
from pipeline.core.ranges import UnsatisfiableRangeError, byte_range
from pipeline.core.views import Upload
from pipeline.errors import InvalidRecordError
from pipeline.gateway.access import Writer
from pipeline.gateway.bodies import limited_form
from pipeline.gateway.errors import ApiError, ErrorBody, answers
from pipeline.gateway.links import PATH
from pipeline.gateway.services import services_of
from schemas.common import Metadata
from schemas.reject import RejectReason
from schemas.use_case import ImagePolicy

_FORM_OVERHEAD: Final = 256 * 1024
"""What the other fields and the boundaries of an upload may add to the image."""
_METADATA: Final[TypeAdapter[dict[str, Any]]] = TypeAdapter(Metadata)
_IMAGE_TYPES: Final = ImagePolicy().types

router = APIRouter(tags=["images"])


class Uploaded(BaseModel):
    """Where the image is: `sourceId` goes into events, `url` opens it for a while."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    source_id: str
    url: str


_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "A JPEG, PNG or WebP image."},
                        "name": {"type": "string", "maxLength": 256},
                        "metadata": {"type": "string", "description": "A flat JSON object, stored with the image."},
                    },
                }
            }
        },
    }
}


@router.post(
    "/vision-events/upload",
    status_code=201,
    summary="Store an image",
    response_model=Uploaded,
    responses=answers(413),
    openapi_extra=_FORM,
)
async def upload(request: Request, who: Writer) -> JSONResponse:
    """The same content again gives the same `sourceId`. What an image is, is told from its content."""
    services = services_of(request)
    limit = services.settings.upload_max_bytes
    async with limited_form(request, limit + _FORM_OVERHEAD) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise InvalidRecordError(RejectReason.MISSING_FIELD, "send the image as a file of the form", "file")
        metadata = _metadata(form.get("metadata"))
        name = form.get("name")
        if isinstance(name, UploadFile) or (name is not None and not 0 < len(name) <= 256):
            raise InvalidRecordError(RejectReason.INVALID_VALUE, "must be a text of 1 to 256 characters", "name")
        content = await file.read()
    if len(content) > limit:
        raise ApiError(413, f"file: an image has at most {limit} bytes")
    info = await asyncio.to_thread(inspect_image, content, "file", ImagePolicy(max_bytes=limit))
    await asyncio.to_thread(
        services.images.put, who.workspace_id, Upload(info, content), name=name or "", metadata=metadata
    )
    url = services.links.link(request, who.workspace_id, info.image_id)
    return JSONResponse({"sourceId": info.image_id, "url": url}, 201)


def _metadata(text: object) -> dict[str, Any]:
    if text is None or text == "":
        return {}
    if not isinstance(text, str):
        raise InvalidRecordError(RejectReason.INVALID_METADATA, "must be a JSON object", "metadata")
    try:
        document = orjson.loads(text)
        return _METADATA.validate_json(text)
    except orjson.JSONDecodeError as error:
        raise InvalidRecordError(RejectReason.INVALID_METADATA, f"must be a JSON object: {error}", "metadata") from None
    except ValidationError as error:
        if not isinstance(document, dict):
            raise InvalidRecordError(RejectReason.INVALID_METADATA, "must be a JSON object", "metadata") from None
        raise explain(error, document, "metadata.") from None


_BYTES: Final[dict[str, Any]] = {
    kind: {"schema": {"type": "string", "format": "binary"}} for kind in (*_IMAGE_TYPES, "application/octet-stream")
}


@router.get(
    PATH + "/{workspace_id}/{image_id}",
    summary="Open an image by a link",
    response_class=Response,
    responses={
        200: {"description": "The image", "content": _BYTES},
        206: {"description": "The range asked for", "content": _BYTES},
        304: {"description": "What the client has is still so"},
        400: {"model": ErrorBody, "description": "The link is not whole"},
        403: {"model": ErrorBody, "description": "The link is not valid, or has expired"},
        404: {"model": ErrorBody, "description": "The image was deleted"},
        416: {"model": ErrorBody, "description": "The range begins beyond the end"},
        503: {"model": ErrorBody, "description": "The object store does not answer"},
    },
)
async def image(
    request: Request,
    workspace_id: Annotated[str, Path(max_length=256)],
    image_id: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    expires: Annotated[int, Query(ge=0, lt=2**53)],
    signature: Annotated[str, Query(pattern="^[0-9a-f]{64}$")],
) -> Response:
    """No key: the link is signed, and good for one image until it expires. Ranges and ETags are understood."""
    services = services_of(request)
    services.links.check(workspace_id, image_id, expires, signature)
    # The name is the hash of the content: it never changes under the same link.
    headers = {"ETag": f'"{image_id}"', "Cache-Control": "private, max-age=86400, immutable", "Accept-Ranges": "bytes"}
    if _matches(request.headers.get("if-none-match", ""), image_id):
        return Response(status_code=304, headers=headers)
    stored = await asyncio.to_thread(services.images.find, workspace_id, image_id)
    if stored is None:
        raise ApiError(404, "no such image")
    # A stranger's file is never run: its type is one of ours, browsers do not guess another, and scripts are off.
    headers |= {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    kind = stored.content_type if stored.content_type in _IMAGE_TYPES else "application/octet-stream"
    wanted = request.headers.get("range", "")
    if not _matches(request.headers.get("if-range", "*"), image_id):
        wanted = ""
    try:
        span = byte_range(wanted, stored.size)
    except UnsatisfiableRangeError:
        raise ApiError(416, "the range begins beyond the end", {"Content-Range": f"bytes */{stored.size}"}) from None
    first, last = span or (0, stored.size - 1)
    headers["Content-Length"] = str(last - first + 1)
    if span:
        headers["Content-Range"] = f"bytes {first}-{last}/{stored.size}"
    chunks = await asyncio.to_thread(services.images.read, workspace_id, image_id, first, last - first + 1)
    return StreamingResponse(iterate_in_threadpool(chunks), 206 if span else 200, headers, kind)


def _matches(header: str, image_id: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or f'"{image_id}"' in tags
