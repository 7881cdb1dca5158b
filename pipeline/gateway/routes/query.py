"""`POST /vision-events/query`, `/count` and `/delete`: events are found, counted and deleted."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from pipeline.core.api_event import api_event
from pipeline.core.query.cursor import CursorSigner
from pipeline.core.query.document import MAX_LIMIT, EventFilters, EventQuery
from pipeline.edges.deletion import delete_events
from pipeline.edges.objects import is_image_id
from pipeline.gateway.access import Reader, Writer
from pipeline.gateway.bodies import json_body, parse, read_body
from pipeline.gateway.errors import answers
from pipeline.gateway.reading import in_query_thread, reading
from pipeline.gateway.services import Services, services_of
from schemas.common import MEBIBYTE, Identifier
from schemas.use_case import UseCase

MAX_QUERY_BYTES: Final = MEBIBYTE
MAX_DELETED: Final = 1000

router = APIRouter(prefix="/vision-events", tags=["query"])


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=True)


class EventPage(_Wire):
    """Events, newest first. `nextCursor` leads to the next page, and is null on the last."""

    events: list[dict[str, Any]]
    next_cursor: str | None
    has_more: bool
    lookback_days: int


class EventCount(_Wire):
    """How many events a query finds."""

    count: int
    lookback_days: int


class Deletion(_Wire):
    """Which events of a use case to delete."""

    use_case_id: Identifier
    event_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_DELETED)]


class Deleted(_Wire):
    """How many events were deleted, and which ids are not of an event of the use case."""

    deleted: int
    not_found: list[str]


_QUERY: Final[TypeAdapter[EventQuery]] = TypeAdapter(EventQuery)
_FILTERS: Final[TypeAdapter[EventFilters]] = TypeAdapter(EventFilters)
_DELETION: Final[TypeAdapter[Deletion]] = TypeAdapter(Deletion)


def lookback_of(services: Services, use_case: UseCase) -> int:
    """How many days back events of a use case are looked for."""
    return max(services.settings.lookback_days, use_case.retention_days)


@router.post(
    "/query",
    summary="Find events, newest first",
    response_model=EventPage,
    responses=answers(404, 408, 413),
    openapi_extra=json_body(_QUERY),
)
async def query_events(request: Request, who: Reader) -> Response:
    """All filters hold together. Pages go on after the last event of the page before, whatever is stored meanwhile."""
    query = parse(await read_body(request, MAX_QUERY_BYTES), _QUERY)
    services = services_of(request)
    use_case = await services.use_cases.get(who.workspace_id, query.use_case_id)
    signer = CursorSigner(services.secret, who.workspace_id, query)
    after = signer.read(query.cursor) if query.cursor is not None else None
    days, limit = lookback_of(services, use_case), min(query.limit, MAX_LIMIT)

    def link(image_id: str) -> str | None:
        return services.links.link(request, who.workspace_id, image_id) if is_image_id(image_id) else None

    def answer() -> bytes:
        page = services.reader.page(who.workspace_id, query, days, limit, after)
        return orjson.dumps(
            {
                "events": [api_event(row, link, orjson.loads) for row in page.rows],
                "nextCursor": signer.write(page.next) if page.next is not None else None,
                "hasMore": page.next is not None,
                "lookbackDays": days,
            }
        )

    return Response(await reading(request, answer), media_type="application/json")


@router.post(
    "/count",
    summary="Count events",
    response_model=EventCount,
    responses=answers(404, 408, 413),
    openapi_extra=json_body(_FILTERS),
)
async def count_events(request: Request, who: Reader) -> Response:
    """The filters of a query, without `limit` and `cursor`."""
    filters = parse(await read_body(request, MAX_QUERY_BYTES), _FILTERS)
    services = services_of(request)
    use_case = await services.use_cases.get(who.workspace_id, filters.use_case_id)
    days = lookback_of(services, use_case)
    count = await reading(request, lambda: services.reader.count(who.workspace_id, filters, days))
    return Response(orjson.dumps({"count": count, "lookbackDays": days}), media_type="application/json")


@router.post(
    "/delete",
    summary="Delete up to 1000 events of a use case",
    response_model=Deleted,
    responses=answers(404, 408, 413),
    openapi_extra=json_body(_DELETION),
)
async def delete(request: Request, who: Writer) -> Response:
    """Gone at once, and for good: delivering the same record again does not bring an event back. A new event may."""
    wanted = parse(await read_body(request, MAX_QUERY_BYTES), _DELETION)
    services = services_of(request)
    await services.use_cases.get(who.workspace_id, wanted.use_case_id)
    deleted = await in_query_thread(
        services,
        lambda: delete_events(
            services.clickhouse,
            who.workspace_id,
            wanted.use_case_id,
            wanted.event_ids,
            services.settings.query_timeout_s,
        ),
    )
    missing = [event_id for event_id in dict.fromkeys(wanted.event_ids) if event_id not in set(deleted)]
    return Response(orjson.dumps({"deleted": len(deleted), "notFound": missing}), media_type="application/json")
