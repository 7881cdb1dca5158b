"""`/dashboard/api/session`: logging in with a key or a link, what the session may do, and logging out."""

import secrets
import time
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter

from pipeline.gateway.access import ANY_SCOPE, OPERATORS, READ_SCOPES, WRITE_SCOPES, Requires, authenticate
from pipeline.gateway.bodies import parse, read_body
from pipeline.gateway.errors import ApiError
from pipeline.gateway.services import Services, services_of
from pipeline.gateway.sessions import (
    InvalidTokenError,
    Tokens,
    UsedTokens,
    cookie_name,
    drop_cookie,
    require_own_page,
    set_cookie,
)

router = APIRouter(prefix="/dashboard/api/session")

_used: Final = UsedTokens()


class _Login(BaseModel):
    """A key, or the token of a link that `vision-events up` and `vision-events dashboard` print."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, StringConstraints(strip_whitespace=True, max_length=256)] | None = None
    token: Annotated[str, StringConstraints(max_length=512)] | None = None


_LOGIN: Final = TypeAdapter(_Login)


@router.post("")
async def log_in(request: Request) -> JSONResponse:
    """201 and a cookie."""
    require_own_page(request)
    given = parse(await read_body(request, 4096), _LOGIN)
    services = services_of(request)
    if given.key:
        key_id = (await authenticate(services, given.key, ANY_SCOPE)).key_id
    elif given.token:
        key_id = await _key_of_link(services, given.token)
    else:
        raise ApiError(400, "give a key")
    response = JSONResponse(_described(services, key_id), 201)
    seconds = round(services.settings.session_hours * 3600)
    token = Tokens(services.secret, "session").write(key_id, int(time.time()) + seconds, secrets.token_hex(8))
    set_cookie(request, response, token, seconds)
    return response


@router.get("")
async def session(request: Request) -> JSONResponse:
    """Whose session it is and what its key allows; null where there is none: every page asks, logged in or not."""
    try:
        who = await Requires(*ANY_SCOPE)(request)
    except ApiError as error:
        if error.status != 401:
            raise
        return JSONResponse(None)
    return JSONResponse(_described(services_of(request), who.key_id))


@router.delete("")
async def log_out(request: Request) -> JSONResponse:
    """The browser forgets the session."""
    if cookie_name(request) in request.cookies:
        require_own_page(request)
    response = JSONResponse({"success": True})
    drop_cookie(request, response)
    return response


async def _key_of_link(services: Services, token: str) -> str:
    try:
        key_id, expires, nonce = Tokens(services.secret, "login").read(token)
        await services.fresh_keys.renew()
        if services.keys.find_by_id(key_id) is None:
            raise InvalidTokenError("of a key that was revoked")
        _used.take(nonce, expires)
    except InvalidTokenError as error:
        message = f"the log-in link is {error}; `vision-events dashboard` prints a new one, or log in with a key"
        raise ApiError(401, message) from None
    return key_id


def _described(services: Services, key_id: str) -> dict[str, object]:
    key = services.keys.find_by_id(key_id)
    if key is None:
        raise ApiError(401, "the key was revoked")
    factories = [
        {"id": factory.id, "name": factory.name, "timeZone": factory.time_zone}
        for factory in services.registry.current.factories.values()
        if factory.workspace_id == key.workspace_id
    ]
    return {
        "workspace": key.workspace_id,
        "keyName": key.name,
        "scopes": sorted(key.scopes),
        "canRead": bool(key.scopes & READ_SCOPES),
        "isOperator": key.workspace_id == OPERATORS,
        "canWrite": bool(key.scopes & WRITE_SCOPES),
        "factories": sorted(factories, key=lambda factory: factory["name"]),
        "now": datetime.now(UTC).isoformat(),
    }
