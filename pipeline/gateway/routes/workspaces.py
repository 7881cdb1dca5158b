"""What the public SDK and its command line ask before their first call: which workspace a key belongs to.

Both show the key as `api_key` in the query, as they do with the hosted product.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from pipeline.gateway.access import READ_SCOPES, WRITE_SCOPES, authenticate
from pipeline.gateway.errors import ApiError, answers
from pipeline.gateway.services import services_of

ApiKey = Annotated[str | None, Query(max_length=256, description="The API key.")]

router = APIRouter(tags=["workspaces"])


class KeyOwner(BaseModel):
    """The workspace of a key."""

    model_config = ConfigDict(extra="forbid")

    workspace: str


class WorkspaceSummary(BaseModel):
    """A workspace; it has no projects here."""

    model_config = ConfigDict(extra="forbid")

    name: str
    url: str
    projects: list[str]
    members: int


class WorkspaceAnswer(BaseModel):
    """The workspace that was asked for."""

    model_config = ConfigDict(extra="forbid")

    workspace: WorkspaceSummary


@router.post("/", summary="Whose key it is", responses=answers())
async def key_owner(request: Request, api_key: ApiKey = None) -> KeyOwner:
    """The workspace of the key."""
    if not api_key:
        raise ApiError(401, "give the key as api_key in the query")
    who = await authenticate(services_of(request), api_key, READ_SCOPES | WRITE_SCOPES)
    return KeyOwner(workspace=who.workspace_id)


@router.get("/{workspace}", summary="A workspace, to its own keys", responses=answers(404))
async def workspace(request: Request, workspace: str, api_key: ApiKey = None) -> WorkspaceAnswer:
    """404 for every workspace but the key's own."""
    if not api_key:
        raise ApiError(404, f"no such call: GET {request.url.path}")
    who = await authenticate(services_of(request), api_key, READ_SCOPES | WRITE_SCOPES)
    if who.workspace_id != workspace:
        raise ApiError(404, "no such workspace")
    return WorkspaceAnswer(workspace=WorkspaceSummary(name=workspace, url=workspace, projects=[], members=1))
