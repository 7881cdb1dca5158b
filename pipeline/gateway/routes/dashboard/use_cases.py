"""`/dashboard/api/use-cases`: use cases as they are registered, what they saw lately, and their documents."""

import asyncio
from typing import Annotated, Any, Final

import yaml
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter

from pipeline.core.document_faults import check_document
from pipeline.edges.registry import apply_entries
from pipeline.edges.use_case_activity import use_case_activity
from pipeline.gateway.access import Reader, Writer
from pipeline.gateway.bodies import parse, read_body
from pipeline.gateway.reading import reading
from pipeline.gateway.services import services_of
from schemas.common import MEBIBYTE
from schemas.use_case import UseCase

router = APIRouter(prefix="/dashboard/api/use-cases")


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, StringConstraints(max_length=MEBIBYTE)]


_DOCUMENT: Final = TypeAdapter(_Document)


@router.get("")
async def list_use_cases(request: Request, who: Reader) -> JSONResponse:
    """All of the workspace by name, from memory. What needs the events is asked for apart."""
    services = services_of(request)
    await services.fresh_registry.renew()
    cases = [case for case in services.registry.current.use_cases.values() if case.workspace_id == who.workspace_id]
    return JSONResponse({"useCases": [_summary(case) for case in sorted(cases, key=lambda case: (case.name, case.id))]})


@router.get("/activity")
async def activity(request: Request, who: Reader) -> JSONResponse:
    """By id: how many events, of which types, the last one, and the last day by hour."""
    services = services_of(request)
    days, timeout_s = services.settings.lookback_days, services.settings.query_timeout_s
    found = await reading(request, lambda: use_case_activity(services.clickhouse, who.workspace_id, days, timeout_s))
    return JSONResponse({"activity": found, "lookbackDays": days})


@router.get("/{use_case_id}/document")
async def document(request: Request, who: Reader, use_case_id: str) -> JSONResponse:
    """The document as `vision-events use-cases show` prints it."""
    services = services_of(request)
    case = await services.use_cases.get(who.workspace_id, use_case_id)
    content = case.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return JSONResponse({"text": yaml.safe_dump(content, sort_keys=False, allow_unicode=True)})


@router.put("/{use_case_id}/document")
async def change_document(
    request: Request, who: Writer, use_case_id: str, check: Annotated[bool, Query()] = False
) -> JSONResponse:
    """`faults` are what is wrong, by line; without any it is stored, unless it was only to be checked."""
    text = parse(await read_body(request, 2 * MEBIBYTE), _DOCUMENT).text
    services = services_of(request)
    await services.use_cases.get(who.workspace_id, use_case_id)
    fixed = {"id": use_case_id, "workspace_id": who.workspace_id}

    def change() -> dict[str, Any]:
        model, faults = check_document(text, UseCase, fixed)
        if model is None or check:
            return {"faults": [fault._asdict() for fault in faults], "stored": False}
        services.registry.refresh()
        others = services.registry.current.use_cases.values()
        if any(
            case.name == model.name and case.id != model.id for case in others if case.workspace_id == who.workspace_id
        ):
            return {
                "faults": [{"line": 1, "field": "name", "message": "another use case has this name"}],
                "stored": False,
            }
        apply_entries(services.clickhouse, [model])
        services.registry.refresh()
        return {"faults": [], "stored": True}

    async with services.registry_changes:
        return JSONResponse(await asyncio.to_thread(change))


def _summary(case: UseCase) -> dict[str, Any]:
    return {
        "id": case.id,
        "name": case.name,
        "description": case.description,
        "status": case.status,
        "eventType": case.event_type,
        "retentionDays": case.retention_days,
        "fields": {
            name: {"type": field.type, "description": field.description} for name, field in case.metadata.fields.items()
        },
    }
