"""`/vision-events/use-cases`: listed with their events, created, renamed, archived."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter
from pydantic.alias_generators import to_camel

from pipeline.edges.registry import apply_entries
from pipeline.edges.use_cases import count_events
from pipeline.gateway.access import Reader, Writer
from pipeline.gateway.bodies import json_body, parse, read_body
from pipeline.gateway.errors import ApiError, answers
from pipeline.gateway.registered import UNKNOWN_USE_CASE
from pipeline.gateway.services import Services, services_of
from schemas.use_case import UseCase

_MAX_BYTES: Final = 64 * 1024

router = APIRouter(prefix="/vision-events/use-cases", tags=["use cases"])

Status = Literal["active", "inactive"]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=True)


class UseCaseName(_Wire):
    """What a use case is called; unique within the workspace."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]


class UseCaseSummary(_Wire):
    """A use case and how many events it has within the look-back."""

    id: str
    name: str
    status: Status
    event_count: int


class UseCaseList(_Wire):
    """The use cases of the key's workspace."""

    use_cases: list[UseCaseSummary]
    lookback_days: int


class UseCaseNamed(_Wire):
    """A use case as it is called now."""

    id: str
    name: str


class Success(_Wire):
    """It is done."""

    success: Literal[True] = Field(...)


_NAME: Final = TypeAdapter(UseCaseName)


@router.get("", summary="List use cases", responses=answers(), response_model=UseCaseList)
async def list_use_cases(
    request: Request, who: Reader, status: Annotated[Status | None, Query(description="Absent: all.")] = None
) -> JSONResponse:
    """By name, with the number of their events of the last `lookbackDays`."""
    services = services_of(request)
    days = services.settings.lookback_days
    await services.fresh_registry.renew()
    found = [case for case in _of(services, who.workspace_id) if status in (None, case.status)]
    counts = await asyncio.to_thread(count_events, services.clickhouse, who.workspace_id, days)
    listed = [
        {"id": case.id, "name": case.name, "status": case.status, "eventCount": counts.get(case.id, 0)}
        for case in sorted(found, key=lambda case: (case.name, case.id))
    ]
    return JSONResponse({"useCases": listed, "lookbackDays": days})


@router.post(
    "",
    status_code=201,
    summary="Create a use case",
    response_model=UseCaseNamed,
    responses=answers(409, 413),
    openapi_extra=json_body(_NAME),
)
async def create_use_case(request: Request, who: Writer) -> JSONResponse:
    """Its id is given out here. Metadata is taken as it comes; `vision-events use-cases apply` says more of it."""
    name = parse(await read_body(request, _MAX_BYTES), _NAME).name
    services = services_of(request)

    def create() -> UseCase:
        _require_free(services, who.workspace_id, name)
        return UseCase(id=secrets.token_hex(8), name=name, workspace_id=who.workspace_id)

    case = await _change(services, create)
    return JSONResponse({"id": case.id, "name": case.name}, 201)


@router.put(
    "/{use_case_id}",
    summary="Rename a use case",
    response_model=UseCaseNamed,
    responses=answers(404, 409, 413),
    openapi_extra=json_body(_NAME),
)
async def rename_use_case(request: Request, who: Writer, use_case_id: str) -> JSONResponse:
    """Its id and its events stay."""
    name = parse(await read_body(request, _MAX_BYTES), _NAME).name
    services = services_of(request)

    def rename() -> UseCase:
        case = _require(services, who.workspace_id, use_case_id)
        _require_free(services, who.workspace_id, name, but=case.id)
        return case.model_copy(update={"name": name})

    case = await _change(services, rename)
    return JSONResponse({"id": case.id, "name": case.name})


@router.post("/{use_case_id}/archive", summary="Take no more events", response_model=Success, responses=answers(404))
async def archive_use_case(request: Request, who: Writer, use_case_id: str) -> JSONResponse:
    """Events that are stored can still be read."""
    return await _set_status(request, who.workspace_id, use_case_id, "inactive")


@router.post("/{use_case_id}/unarchive", summary="Take events again", response_model=Success, responses=answers(404))
async def unarchive_use_case(request: Request, who: Writer, use_case_id: str) -> JSONResponse:
    """Undo `archive`."""
    return await _set_status(request, who.workspace_id, use_case_id, "active")


async def _set_status(request: Request, workspace_id: str, use_case_id: str, status: Status) -> JSONResponse:
    services = services_of(request)
    await _change(services, lambda: _require(services, workspace_id, use_case_id).model_copy(update={"status": status}))
    return JSONResponse({"success": True})


async def _change(services: Services, make: Callable[[], UseCase]) -> UseCase:
    """Store what `make` makes of the registry as it stands, one change after the other, so that names stay unique."""

    def change() -> UseCase:
        services.registry.refresh()
        case = make()
        apply_entries(services.clickhouse, [case])
        services.registry.refresh()  # it can be written to at once
        return case

    async with services.registry_changes:
        return await asyncio.to_thread(change)


def _of(services: Services, workspace_id: str) -> list[UseCase]:
    return [case for case in services.registry.current.use_cases.values() if case.workspace_id == workspace_id]


def _require(services: Services, workspace_id: str, use_case_id: str) -> UseCase:
    case = services.registry.current.use_cases.get(use_case_id)
    if case is None or case.workspace_id != workspace_id:
        raise ApiError(404, UNKNOWN_USE_CASE)
    return case


def _require_free(services: Services, workspace_id: str, name: str, but: str | None = None) -> None:
    if any(case.name == name and case.id != but for case in _of(services, workspace_id)):
        raise ApiError(409, f"name: a use case is already called {name!r}")
