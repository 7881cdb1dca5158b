"""`/dashboard/api/rejects`: records that could not be stored, what was wrong with each, replay and discard.

A workspace sees the rejects of its own use cases. One that names no known use case belongs to nobody: only operators
see it (`access.OPERATORS`).
"""

import asyncio
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter
from pydantic.alias_generators import to_camel

from pipeline.core.original import around_marks, holds, marked_lines
from pipeline.edges.queries import within_limits
from pipeline.edges.reject_replay import Outcome, outcome_of, replay_rejects
from pipeline.edges.rejects import (
    Decision,
    RejectFilter,
    State,
    count_rejects,
    decisions_of,
    discard,
    list_rejects,
    place_named,
    read_rejects,
)
from pipeline.gateway.access import OPERATORS, Principal, Reader, Writer, key_name
from pipeline.gateway.bodies import parse, read_body
from pipeline.gateway.errors import ApiError
from pipeline.gateway.reading import reading
from pipeline.gateway.services import Services, services_of

router = APIRouter(prefix="/dashboard/api/rejects")

_LISTED: Final = 200
_AT_ONCE: Final = 10_000
"""Most rejects of one replay; `vision-events rejects replay` takes any number."""
_LINES: Final = 1_500

RejectId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,249}/\d{1,9}/\d{1,18}$")]
Text = Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00]*$")]


class _Choice(BaseModel):
    """Which rejects are meant: some by id, or those that are open and have a reason, a use case or a device."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    ids: Annotated[list[RejectId], Field(max_length=1000)] | None = None
    reason: Text | None = None
    use_case: Text | None = None
    device: Text | None = None
    by: Annotated[str, StringConstraints(max_length=100)] = ""


class _Discard(_Choice):
    note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


_CHOICE: Final = TypeAdapter(_Choice)
_DISCARD: Final = TypeAdapter(_Discard)


@router.get("")
async def rejects(
    request: Request,
    who: Reader,
    state: Literal["open", "replayed", "discarded", "any"] = "open",
    reason: Annotated[Text | None, Query()] = None,
    use_case: Annotated[Text | None, Query(alias="useCase")] = None,
    device: Annotated[Text | None, Query()] = None,
) -> JSONResponse:
    """Counts by reason of all in this state, and the newest that match."""
    services = services_of(request)
    states: tuple[State, ...] = () if state == "any" else (state,)
    seen = await _seen(services, who)
    every = RejectFilter(states=states, use_case=use_case, device=device, **seen)
    chosen = RejectFilter(reason=reason, states=states, use_case=use_case, device=device, **seen)

    def read() -> dict[str, Any]:
        with within_limits(services.settings.query_timeout_s):
            counts = count_rejects(services.limited, every)
            return {
                "counts": [_shown(count) for count in counts],
                "rejects": [_shown(found) for found in list_rejects(services.limited, chosen, _LISTED)],
                "mostListed": _LISTED,
                "mostReplayed": _AT_ONCE,
            }

    return JSONResponse(await reading(request, read))


@router.get("/record")
async def record(request: Request, who: Reader, reject_id: Annotated[RejectId, Query(alias="id")]) -> JSONResponse:
    """The record as it came, line by line, with the field marked that is at fault, and what was decided of it."""
    services, place = services_of(request), place_named(reject_id)
    seen = await _seen(services, who)

    def read() -> dict[str, Any]:
        with within_limits(services.settings.query_timeout_s):
            found = read_rejects(services.limited, [place])
            if not found or not _may_see(found[0].use_case_id, seen):
                raise ApiError(404, "no such reject: its retention is over, or it belongs to another workspace")
            lines = marked_lines(found[0].value, found[0].field)
            first, shown = around_marks(lines, _LINES)
            return {
                **_shown({name: getattr(found[0], name) for name in _RECORD}),
                "id": reject_id,
                "key": found[0].key.decode("utf-8", "backslashreplace"),
                "headers": [[name, value.decode("utf-8", "backslashreplace")] for name, value in found[0].headers],
                "size": len(found[0].value),
                "fieldIsThere": not found[0].field or holds(found[0].value, found[0].field),
                "first": first,
                "total": len(lines),
                "lines": [[line, marked] for line, marked in shown],
                "decisions": [_decision(item) for item in decisions_of(services.limited, place)],
            }

    return JSONResponse(await reading(request, read))


@router.post("/replay")
async def replay(request: Request, who: Writer) -> JSONResponse:
    """Publish rejects again. `replay` names the run for `GET /replays/{replay}`, which tells what became of them."""
    choice = parse(await read_body(request, 512 * 1024), _CHOICE)
    services, run = services_of(request), str(uuid.uuid4())
    # Those that are named may have been discarded before: somebody thinks better of it.
    chosen = await _chosen(services, who, choice, ("open", "discarded") if choice.ids else ("open",))
    done = await asyncio.to_thread(
        replay_rejects,
        services.settings,
        services.clickhouse,
        chosen,
        run,
        choice.by or key_name(services, who),
        lambda done, total: None,
        _AT_ONCE,
    )
    return JSONResponse({"replay": run, "replayed": done})


@router.get("/replays/{run}")
async def outcome(request: Request, who: Reader, run: uuid.UUID) -> JSONResponse:
    """What became of the records of a replay so far. Its name is known to whoever began it, and cannot be guessed."""
    services = services_of(request)

    def read() -> Outcome:
        with within_limits(services.settings.query_timeout_s):
            return outcome_of(services.limited, str(run))

    found = await reading(request, read)
    return JSONResponse({"stored": found.stored, "rejected": found.rejected, "waiting": found.waiting})


@router.post("/discard")
async def discard_rejects(request: Request, who: Writer) -> JSONResponse:
    """Take rejects off the list of open ones, with a note that says why. They stay readable, and can be replayed."""
    choice = parse(await read_body(request, 512 * 1024), _DISCARD)
    services = services_of(request)
    chosen = await _chosen(services, who, choice, ("open",))
    by = choice.by or key_name(services, who)
    number = await asyncio.to_thread(discard, services.clickhouse, chosen, by, choice.note)
    return JSONResponse({"discarded": number})


async def _chosen(services: Services, who: Principal, choice: _Choice, states: tuple[State, ...]) -> RejectFilter:
    if choice.ids is None and not (choice.reason or choice.use_case or choice.device):
        raise ApiError(400, "say which rejects: ids, reason, useCase or device")
    if choice.ids == []:
        raise ApiError(400, "ids: none is given")
    seen = await _seen(services, who)
    return RejectFilter(
        ids=tuple(choice.ids or ()),
        reason=choice.reason,
        use_case=choice.use_case,
        device=choice.device,
        states=states,
        **seen,
    )


async def _seen(services: Services, who: Principal) -> Mapping[str, Any]:
    """Which rejects the caller may see, as arguments of RejectFilter."""
    await services.fresh_registry.renew()
    cases = services.registry.current.use_cases.values()
    if who.workspace_id == OPERATORS:
        return {"none_of": tuple(case.id for case in cases if case.workspace_id != OPERATORS)}
    return {"only_of": tuple(case.id for case in cases if case.workspace_id == who.workspace_id)}


def _may_see(use_case_id: str, seen: Mapping[str, Any]) -> bool:
    return use_case_id not in seen.get("none_of", ()) and ("only_of" not in seen or use_case_id in seen["only_of"])


_RECORD: Final = ("timestamp", "reason", "message", "field", "use_case_id", "device_id")


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {to_camel(name): _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    """ClickHouse's client gives times in UTC without saying so."""
    return value.replace(tzinfo=UTC).isoformat() if isinstance(value, datetime) else value


def _decision(item: Decision) -> dict[str, Any]:
    return _shown(item._asdict())
