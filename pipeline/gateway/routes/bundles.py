"""`POST /vision-events/bundle`: an event and its images in one archive, from where there was no network."""

import asyncio
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from pipeline.core.bundle import Bundle, BundleLimits, read_bundle
from pipeline.core.images import inspect_image
from pipeline.core.views import Upload
from pipeline.errors import InvalidRecordError
from pipeline.gateway.access import Writer
from pipeline.gateway.bodies import parse, read_body
from pipeline.gateway.errors import answers
from pipeline.gateway.routes.events import EVENT, EventCreated, store_event
from pipeline.gateway.services import services_of
from schemas.reject import RejectReason
from schemas.use_case import ImagePolicy

_LIMITS: Final = BundleLimits()
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/gzip": {"schema": {"type": "string", "format": "binary"}}},
    }
}

router = APIRouter(prefix="/vision-events", tags=["events"])


@router.post(
    "/bundle",
    status_code=201,
    summary="Store the event of a bundle (tar.gz, format 1)",
    response_model=EventCreated,
    responses=answers(404, 413),
    openapi_extra=_BODY,
)
async def create_event_of_bundle(
    request: Request,
    who: Writer,
    use_case_id: Annotated[
        str | None, Query(alias="useCaseId", max_length=256, description="Wins over the one in the bundle.")
    ] = None,
) -> JSONResponse:
    """Images are stored under the hash of their content, then the event as by `POST /vision-events`."""
    services = services_of(request)
    content = await read_body(request, _LIMITS.packed_bytes)
    bundle = await asyncio.to_thread(read_bundle, content, _LIMITS)
    wanted = use_case_id or bundle.event.get("useCaseId")
    if not isinstance(wanted, str) or not wanted:
        raise InvalidRecordError(
            RejectReason.MISSING_FIELD, "neither the query nor the bundle names a use case", "useCaseId"
        )
    use_case = await services.events.require_use_case(who.workspace_id, wanted)
    uploads = _uploads(bundle, use_case.images)
    source_ids = {name: upload.info.image_id for name, upload in uploads.items()}
    body = orjson.dumps(bundle.event_with(source_ids) | {"useCaseId": wanted})
    event = parse(body, EVENT)
    for upload in uploads.values():
        await asyncio.to_thread(services.images.put, who.workspace_id, upload)
    return await store_event(services, who, body, event)


def _uploads(bundle: Bundle, policy: ImagePolicy) -> dict[str, Upload]:
    """The images by member. Raises InvalidRecordError naming the member that is none, or too large."""
    return {name: Upload(inspect_image(image, name, policy), image) for name, image in bundle.images.items()}
