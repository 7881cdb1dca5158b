"""`/dashboard/api/events`: one event and its neighbours, what people said of events, values for filters."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from pipeline.core.api_event import api_event
from pipeline.core.query.cursor import Position
from pipeline.core.query.document import EventFilters, Time
from pipeline.core.query.spans import microseconds
from pipeline.edges.event_details import read_event, read_feedback
from pipeline.edges.objects import is_image_id
from pipeline.edges.suggestions import suggest
from pipeline.gateway.access import Principal, Reader
from pipeline.gateway.bodies import parse, read_body
from pipeline.gateway.errors import ApiError
from pipeline.gateway.reading import reading
from pipeline.gateway.routes.query import lookback_of
from pipeline.gateway.services import Services, services_of
from schemas.common import MEBIBYTE, Identifier

router = APIRouter(prefix="/dashboard/api")

_SUGGESTION_TIMEOUT_S: Final = 3.0

UseCaseId = Annotated[str, Path(max_length=256)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class _Neighbours(_Wire):
    """The event between them, and the filters that both match."""

    event_id: Identifier
    timestamp: Time
    filters: EventFilters


class _Events(_Wire):
    use_case_id: Identifier
    event_ids: Annotated[list[Identifier], Field(max_length=1000)]


_NEIGHBOURS: Final = TypeAdapter(_Neighbours)
_EVENTS: Final = TypeAdapter(_Events)


def shown(request: Request, who: Principal, row: dict[str, Any]) -> dict[str, Any]:
    """An event as the public API shows it, with links to its images."""
    links = services_of(request).links

    def link(image_id: str) -> str | None:
        return links.link(request, who.workspace_id, image_id) if is_image_id(image_id) else None

    return api_event(row, link, orjson.loads)


@router.get("/events/{use_case_id}/{event_id:path}")
async def event(request: Request, who: Reader, use_case_id: UseCaseId, event_id: str) -> Response:
    """The event, the record as it is stored, and where in Kafka it lies."""
    services = services_of(request)
    await _days(services, who, use_case_id)
    timeout_s = services.settings.query_timeout_s
    row = await reading(
        request, lambda: read_event(services.clickhouse, who.workspace_id, use_case_id, event_id, timeout_s)
    )
    if row is None:
        raise ApiError(404, "no such event: it was deleted, or its retention is over, or it is not stored yet")
    origin = {to_camel(name): row[name] for name in ("topic", "partition", "offset", "inserted_at", "retention_days")}
    return _json({"event": shown(request, who, row), "origin": origin, "record": row})


@router.post("/events/neighbours")
async def neighbours(request: Request, who: Reader) -> Response:
    """The event that comes before one and the one that comes after it, among those that filters find."""
    asked = parse(await read_body(request, MEBIBYTE), _NEIGHBOURS)
    services = services_of(request)
    days = await _days(services, who, asked.filters.use_case_id)
    place = Position(microseconds(asked.timestamp), asked.event_id)
    reader = services.reader

    def read() -> dict[str, str | None]:
        older = reader.page(who.workspace_id, asked.filters, days, 1, place).rows
        newer = reader.newer(who.workspace_id, asked.filters, days, place)
        return {"older": older[0]["event_id"] if older else None, "newer": newer["event_id"] if newer else None}

    return _json(await reading(request, read))


@router.post("/feedback")
async def feedback(request: Request, who: Reader) -> Response:
    """By event what was said of it, in order of time; the last one counts."""
    asked = parse(await read_body(request, MEBIBYTE), _EVENTS)
    services = services_of(request)
    days = await _days(services, who, asked.use_case_id)
    found = await reading(
        request,
        lambda: read_feedback(
            services.clickhouse,
            who.workspace_id,
            asked.use_case_id,
            asked.event_ids,
            days,
            services.settings.query_timeout_s,
        ),
    )
    return _json({"feedback": found})


@router.get("/suggestions/{use_case_id}")
async def suggestions(
    request: Request,
    who: Reader,
    use_case_id: UseCaseId,
    field: Annotated[str, Query(max_length=120)],
    text: Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")] = "",
) -> Response:
    """Values of a field that contain a text, the most frequent among the newest events."""
    services = services_of(request)
    place = (who.workspace_id, use_case_id, await _days(services, who, use_case_id))
    try:
        found = await reading(request, lambda: suggest(services.clickhouse, place, field, text, _SUGGESTION_TIMEOUT_S))
    except ValueError as error:
        raise ApiError(400, f"field: {error}") from None
    return _json({"values": found})


async def _days(services: Services, who: Principal, use_case_id: str) -> int:
    """How far back events of the use case are looked for. Raises ApiError 404 for one of another workspace."""
    found = await services.use_cases.get(who.workspace_id, use_case_id)
    return lookback_of(services, found)


def _json(content: Any) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
