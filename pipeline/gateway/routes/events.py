"""`POST /vision-events` and `POST /vision-events/batch`: events come in."""

from typing import Any, Final

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

from pipeline.core.decode import FORMAT_HEADER
from pipeline.core.formats.vision_event import VISION_EVENT
from pipeline.errors import InvalidRecordError
from pipeline.gateway.access import Principal, Writer
from pipeline.gateway.bodies import json_body, parse, read_body
from pipeline.gateway.direct import DirectRoute
from pipeline.gateway.errors import ApiError, answers
from pipeline.gateway.names import api_path
from pipeline.gateway.services import Services, services_of
from pipeline.gateway.writing import Incoming
from schemas.api import ApiBatch, ApiEvent
from schemas.common import MEBIBYTE
from schemas.topics import MAX_RAW_RECORD_BYTES

MAX_BATCH_BYTES: Final = 25 * MEBIBYTE

EVENT: Final[TypeAdapter[ApiEvent]] = TypeAdapter(ApiEvent)
_BATCH: Final[TypeAdapter[ApiBatch]] = TypeAdapter(ApiBatch)

_HEADERS: Final = ((FORMAT_HEADER, VISION_EVENT.name.encode()),)
"""Named, the format need not be recognised by each worker."""

router = APIRouter(prefix="/vision-events", tags=["events"], route_class=DirectRoute)


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=True)


class EventWarning(_Answer):
    """Something about a stored event that its producer should look at; `index` is its place in a batch."""

    code: str
    field: str
    message: str
    index: int | None = None


class EventCreated(_Answer):
    """The event is durable."""

    event_id: str
    created: bool
    warnings: list[EventWarning] | None = None


class BatchCreated(_Answer):
    """All events of the batch are durable."""

    created: int
    event_ids: list[str]
    warnings: list[EventWarning] | None = None


@router.post("", include_in_schema=False)
@router.post(
    "/",
    status_code=201,
    summary="Store one event",
    response_model=EventCreated,
    responses=answers(404, 413),
    openapi_extra=json_body(EVENT),
)
async def create_event(request: Request, who: Writer) -> JSONResponse:
    """The same `eventId` again replaces the earlier event."""
    body = await read_body(request, MAX_RAW_RECORD_BYTES)
    return await store_event(services_of(request), who, body, parse(body, EVENT))


async def store_event(services: Services, who: Principal, body: bytes, event: ApiEvent) -> JSONResponse:
    """Check an event and publish its body; the answer when it is durable. Raises what becomes an error answer."""
    writer = services.events
    incoming = _incoming(body, event)
    try:
        warnings = await writer.check(who.workspace_id, incoming)
    except InvalidRecordError as error:
        raise InvalidRecordError(error.reason, error.message, api_path(error.field, event)) from None
    await writer.publish([incoming])
    answer: dict[str, Any] = {"eventId": event.event_id, "created": True}
    if warnings:
        answer["warnings"] = [warning | {"field": api_path(warning["field"], event)} for warning in warnings]
    return JSONResponse(answer, 201)


@router.post(
    "/batch",
    status_code=201,
    summary="Store up to 100 events, all or none",
    response_model=BatchCreated,
    responses=answers(404, 413),
    openapi_extra=json_body(_BATCH),
)
async def create_events(request: Request, who: Writer) -> JSONResponse:
    """All are checked before one is stored. The message names the first at fault, such as `events.3.timestamp`."""
    body = await read_body(request, MAX_BATCH_BYTES)
    events = parse(body, _BATCH).events
    writer = services_of(request).events
    incoming = [
        _incoming(orjson.dumps(document), event)
        for document, event in zip(orjson.loads(body)["events"], events, strict=True)
    ]
    noted: list[dict[str, Any]] = []
    for index, (item, event) in enumerate(zip(incoming, events, strict=True)):
        try:
            warnings = await writer.check(who.workspace_id, item)
        except InvalidRecordError as error:
            field = f"events.{index}.{api_path(error.field, event)}".rstrip(".")
            raise InvalidRecordError(error.reason, error.message, field) from None
        except ApiError as error:
            raise ApiError(error.status, f"events.{index}.{error.message}", error.headers) from None
        noted += [w | {"field": api_path(w["field"], event), "index": index} for w in warnings]
    await writer.publish(incoming)
    answer: dict[str, Any] = {"created": len(events), "eventIds": [event.event_id for event in events]}
    if noted:
        answer["warnings"] = noted
    return JSONResponse(answer, 201)


def _incoming(value: bytes, event: ApiEvent) -> Incoming:
    return Incoming(value, event.event_id, event.use_case_id, event.device_id, _HEADERS)
