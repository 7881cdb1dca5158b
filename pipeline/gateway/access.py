"""Who calls: the key of a request, the workspace that it belongs to, and what it allows.

A route takes `who: Reader` or `who: Writer` and touches only what belongs to `who.workspace_id`.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from pipeline.edges.keys import ApiKey
from pipeline.gateway.errors import ApiError
from pipeline.gateway.services import Services, services_of
from pipeline.gateway.sessions import InvalidTokenError, Tokens, cookie_name, require_own_page
from schemas.common import DEFAULT_WORKSPACE


@dataclass(frozen=True, slots=True)
class Principal:
    """The owner of a valid key."""

    workspace_id: str
    key_id: str
    scopes: frozenset[str]


OPERATORS: Final = DEFAULT_WORKSPACE
"""The workspace of those who run the system. Its keys also see what belongs to no workspace: rejects of records that
name no known use case, and the state of the pipeline as a whole."""


class Requires(SecurityBase):
    """A dependency that gives the Principal of a request. Raises ApiError 401, 403 or 429."""

    def __init__(self, *scopes: str) -> None:
        self.model = HTTPBearer(description="An API key; `vision-events keys create` makes one.")
        self.scheme_name = "apiKey"
        self._scopes = frozenset(scopes)

    async def __call__(self, request: Request) -> Principal:
        """The principal, for FastAPI."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if not scheme and (token := request.cookies.get(cookie_name(request))):
            require_own_page(request)
            return await _of_session(services_of(request), token, self._scopes)
        if scheme.lower() != "bearer" or not key:
            raise _unauthorized("send the header `Authorization: Bearer KEY`")
        return await authenticate(services_of(request), key.strip(), self._scopes)


async def authenticate(services: Services, key: str, scopes: frozenset[str]) -> Principal:
    """The principal of a key that allows one of `scopes`. Raises ApiError 401, 403 or 429."""
    found = services.keys.find(key)
    if found is None:
        await services.fresh_keys.renew()
        found = services.keys.find(key)
    if found is None:
        raise _unauthorized("the key is not known, or was revoked")
    return _allowed(services, found, scopes)


async def _of_session(services: Services, token: str, scopes: frozenset[str]) -> Principal:
    """The principal of a session of the dashboard."""
    try:
        key_id, _, _ = Tokens(services.secret, "session").read(token)
    except InvalidTokenError as error:
        raise _unauthorized(f"the session is {error}; log in again") from None
    found = services.keys.find_by_id(key_id)
    if found is None:
        raise _unauthorized("the key of this session was revoked; log in with another")
    return _allowed(services, found, scopes)


def _allowed(services: Services, found: ApiKey, scopes: frozenset[str]) -> Principal:
    if not found.scopes & scopes:
        raise ApiError(403, f"the key does not allow this; it needs {' or '.join(sorted(scopes))}")
    if wait := services.rate.wait_s(found.id):
        message = f"more than {services.settings.rate_limit} calls a second with this key"
        raise ApiError(429, message, {"Retry-After": str(math.ceil(wait))})
    return Principal(found.workspace_id, found.id, found.scopes)


def key_name(services: Services, who: Principal) -> str:
    """What people called the key: stands for whoever does something and gives no name."""
    found = services.keys.find_by_id(who.key_id)
    return found.name if found else who.key_id


def require_operator(who: Principal) -> None:
    """Raises ApiError 403 for keys of other workspaces than the operators'."""
    if who.workspace_id != OPERATORS:
        raise ApiError(403, f"this shows the system as a whole: it takes a key of the workspace {OPERATORS!r}")


def _unauthorized(message: str) -> ApiError:
    return ApiError(401, message, {"WWW-Authenticate": "Bearer"})


READ_SCOPES = frozenset({"vision-events:read", "device:read"})
WRITE_SCOPES = frozenset({"vision-events:write", "device:update"})

ANY_SCOPE = READ_SCOPES | WRITE_SCOPES

Reader = Annotated[Principal, Depends(Requires(*READ_SCOPES))]
Writer = Annotated[Principal, Depends(Requires(*WRITE_SCOPES))]
