"""`/vision-events/alerts`: what fires, and silences. Rules themselves are part of the use case document."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from pipeline.edges.alerts import find_alerts
from pipeline.edges.objects import is_image_id
from pipeline.edges.registry import apply_entries
from pipeline.gateway.access import Reader, Writer, key_name
from pipeline.gateway.bodies import json_body, parse, read_body
from pipeline.gateway.errors import ApiError, answers
from pipeline.gateway.services import Services, services_of
from schemas.alert import AlertStatus, Matcher, Silence
from schemas.common import Identifier

_MAX_BYTES: Final = 64 * 1024

router = APIRouter(prefix="/vision-events/alerts", tags=["alerts"])


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=True)


class AlertSummary(_Wire):
    """One alert, from firing to resolved. Times are times of events. `imageUrl` opens without a key, for a while."""

    alert_id: str
    fingerprint: str
    status: AlertStatus
    use_case_id: str
    rule: str
    severity: str
    group: dict[str, str]
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    fired_at: datetime
    ends_at: datetime | None
    value: float
    event_id: str
    device_id: str
    image_id: str
    image_url: str | None
    suppressed_by: str


class AlertList(_Wire):
    """Alerts of the key's workspace, newest first."""

    alerts: list[AlertSummary]


class NewSilence(_Wire):
    """Labels that an alert must have, all of them, and until when such alerts are not told.

    `createdBy` is who wants it so; without it the name of the key.
    """

    matchers: Annotated[tuple[Matcher, ...], Field(min_length=1, max_length=20)]
    ends_at: AwareDatetime
    starts_at: AwareDatetime | None = None
    comment: Annotated[str, Field(max_length=1000)] = ""
    created_by: Annotated[str, Field(max_length=100)] = ""


class SilenceEntry(NewSilence):
    """A silence as it stands."""

    id: str


class SilenceList(_Wire):
    """Silences that have not ended."""

    silences: list[SilenceEntry]


_NEW_SILENCE: Final = TypeAdapter(NewSilence)


@router.get("", summary="List alerts", responses=answers(), response_model=AlertList)
async def list_alerts(
    request: Request,
    who: Reader,
    status: Annotated[AlertStatus | None, Query(description="Absent: both.")] = None,
    use_case_id: Annotated[Identifier | None, Query(alias="useCaseId")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> JSONResponse:
    """Newest first."""
    services = services_of(request)
    rows = await asyncio.to_thread(find_alerts, services.clickhouse, who.workspace_id, status, use_case_id, limit)
    names = [name for name in AlertSummary.model_fields if name not in ("group", "image_url")]

    def link(image_id: str) -> str | None:
        return services.links.link(request, who.workspace_id, image_id) if is_image_id(image_id) else None

    found = [
        AlertSummary(
            **{name: _utc(row[name]) for name in names}, group=row["group_labels"], image_url=link(row["image_id"])
        )
        for row in rows
    ]
    return JSONResponse(AlertList(alerts=found).model_dump(mode="json", by_alias=True))


@router.get("/silences", summary="List silences", responses=answers(), response_model=SilenceList)
async def list_silences(request: Request, who: Reader) -> JSONResponse:
    """Those that last, and those to come."""
    services = services_of(request)
    await services.fresh_registry.renew()
    now = datetime.now(UTC)
    found = [_entry(item) for item in services.registry.current.silences if _is(item, who.workspace_id, now)]
    return JSONResponse(SilenceList(silences=found).model_dump(mode="json", by_alias=True))


@router.post(
    "/silences",
    status_code=201,
    summary="Silence alerts",
    response_model=SilenceEntry,
    responses=answers(413),
    openapi_extra=json_body(_NEW_SILENCE),
)
async def create_silence(request: Request, who: Writer) -> JSONResponse:
    """Alerts that begin while it lasts are recorded and not told."""
    new = parse(await read_body(request, _MAX_BYTES), _NEW_SILENCE)
    starts_at = new.starts_at or datetime.now(UTC)
    if new.ends_at <= starts_at:
        raise ApiError(400, "endsAt: must be after the silence begins")
    services = services_of(request)
    silence = Silence(
        id=secrets.token_hex(6),
        workspace_id=who.workspace_id,
        matchers=new.matchers,
        starts_at=starts_at,
        ends_at=new.ends_at,
        created_by=new.created_by or key_name(services, who),
        comment=new.comment,
    )
    await _change(services, lambda: silence)
    return JSONResponse(_entry(silence).model_dump(mode="json", by_alias=True), 201)


@router.delete("/silences/{silence_id}", summary="End a silence", responses=answers(404), response_model=SilenceEntry)
async def end_silence(request: Request, who: Writer, silence_id: str) -> JSONResponse:
    """What began while it lasted is not told afterwards."""
    services, now = services_of(request), datetime.now(UTC)

    def end() -> Silence:
        for item in services.registry.current.silences:
            if item.id == silence_id and _is(item, who.workspace_id, now):
                return item.model_copy(update={"ends_at": now})
        raise ApiError(404, "no silence has this id")

    ended = await _change(services, end)
    return JSONResponse(_entry(ended).model_dump(mode="json", by_alias=True))


async def _change(services: Services, make: Callable[[], Silence]) -> Silence:
    def change() -> Silence:
        services.registry.refresh()
        silence = make()
        apply_entries(services.clickhouse, [silence])
        services.registry.refresh()
        return silence

    async with services.registry_changes:
        return await asyncio.to_thread(change)


def _is(silence: Silence, workspace_id: str, now: datetime) -> bool:
    return silence.workspace_id == workspace_id and silence.ends_at > now


def _entry(silence: Silence) -> SilenceEntry:
    return SilenceEntry(**silence.model_dump(exclude={"workspace_id"}))


def _utc(value: Any) -> Any:
    """ClickHouse's client gives times in UTC without saying so."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
