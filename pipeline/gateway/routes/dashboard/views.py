"""`/dashboard/api/views`: what people look at often, under a name, for all of the workspace."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter

from pipeline.edges.saved_views import delete_view, list_views, save_view
from pipeline.gateway.access import Reader, Writer
from pipeline.gateway.bodies import parse, read_body
from pipeline.gateway.services import services_of

router = APIRouter(prefix="/dashboard/api/views")


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    query: Annotated[str, StringConstraints(max_length=8000)]
    by: Annotated[str, StringConstraints(max_length=100)] = ""


_VIEW: Final = TypeAdapter(_View)


@router.get("")
async def views(request: Request, who: Reader) -> JSONResponse:
    """All, by name; `query` is that of the address of the page of events."""
    return JSONResponse(
        {"views": await asyncio.to_thread(list_views, services_of(request).clickhouse, who.workspace_id)}
    )


@router.post("")
async def save(request: Request, who: Writer) -> JSONResponse:
    """Keep one."""
    view = parse(await read_body(request, 64 * 1024), _VIEW)
    clickhouse = services_of(request).clickhouse
    view_id = await asyncio.to_thread(save_view, clickhouse, who.workspace_id, view.name, view.query, view.by)
    return JSONResponse({"id": view_id}, 201)


@router.delete("/{view_id}")
async def delete(request: Request, who: Writer, view_id: str) -> JSONResponse:
    """Forget one."""
    await asyncio.to_thread(delete_view, services_of(request).clickhouse, who.workspace_id, view_id)
    return JSONResponse({"success": True})
