"""Sessions of the dashboard: a key is shown once, then a signed cookie stands for it.

The cookie names the key by its id and never holds it. A session ends with its time, with the key, or by logging out;
what the key may do is looked up at each call. Gateways with the same `link_secret` know each other's sessions.

A browser adds the cookie to any request that a page makes it send. Three things keep other sites from using that: the
cookie is SameSite=Strict, calls that change something must carry a header that no form can send, and where the browser
says where a call comes from it must be this address.
"""

import hashlib
import hmac
import time
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request, Response

from pipeline.gateway.errors import ApiError

_COOKIE: Final = "vision_events_session"
CSRF_HEADER: Final = "x-vision-events-dashboard"

_PURPOSE: Final = {
    "session": b"vision-events dashboard session\0",
    "login": b"vision-events dashboard login\0",
}
_SAFE: Final = ("GET", "HEAD")


class InvalidTokenError(ValueError):
    """A token that was not made here, for something else, or that has expired."""


class Tokens:
    """Makes and reads signed texts that stand for a key for a while. `purpose` is `session` or `login`."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._key = hmac.digest(secret, _PURPOSE[purpose], hashlib.sha256)

    def write(self, key_id: str, expires: int, nonce: str) -> str:
        """A token for a key until a time (seconds since the epoch). None of the parts has a dot."""
        content = f"{key_id}.{expires}.{nonce}"
        return f"{content}.{self._sign(content)}"

    def read(self, token: str) -> tuple[str, int, str]:
        """Key id, expiry and nonce. Raises InvalidTokenError."""
        content, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(content).encode(), signature.encode()):
            raise InvalidTokenError("not valid")
        key_id, expires, nonce = content.split(".")
        if int(expires) < time.time():
            raise InvalidTokenError("expired")
        return key_id, int(expires), nonce

    def _sign(self, content: str) -> str:
        return hmac.new(self._key, content.encode(), hashlib.sha256).hexdigest()


class UsedTokens:
    """Tokens that are good once: remembers those that were used, until they expire."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}

    def take(self, token: str, expires: int) -> None:
        """Raises InvalidTokenError the second time."""
        now = time.time()
        self._until = {known: until for known, until in self._until.items() if until >= now}
        if token in self._until:
            raise InvalidTokenError("used before")
        self._until[token] = expires


def require_own_page(request: Request) -> None:
    """Raises ApiError 403 for a call with the session's cookie that another site may have caused."""
    origin = request.headers.get("origin")
    # Behind a proxy the host may be another than the one that the browser called.
    own = {request.headers.get("host"), urlsplit(request.app.state.settings.public_url).netloc}
    # A frame without an origin says "null", which has no host: neither has a public_url that is not set.
    if origin is not None and urlsplit(origin).netloc not in own - {""}:
        raise ApiError(403, "the call comes from another site than this dashboard")
    if request.method not in _SAFE and CSRF_HEADER not in request.headers:
        raise ApiError(403, f"calls with a session must have the header {CSRF_HEADER}")


def cookie_name(request: Request) -> str:
    """One for each port: browsers do not keep the ports of a host apart, and two systems would log each other out."""
    port = request.url.port
    return _COOKIE if port is None else f"{_COOKIE}_{port}"


def set_cookie(request: Request, response: Response, token: str, seconds: int) -> None:
    """Give the browser a session. Scripts cannot read it."""
    secure = request.url.scheme == "https"
    name = cookie_name(request)
    response.set_cookie(name, token, max_age=seconds, path="/", httponly=True, samesite="strict", secure=secure)


def drop_cookie(request: Request, response: Response) -> None:
    """End the session in the browser."""
    response.delete_cookie(cookie_name(request), path="/", httponly=True, samesite="strict")
