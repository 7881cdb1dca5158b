"""Users, and what a read-only user may not say.

chDB runs every statement as its one user `default`. Rights come from roles of that user (see config): a request of the
analyst sheds the role that may write, and the engine then checks grants and limits as a server does. Some statements
are beyond grants, because chDB counts as a local tool that may use its user's files; those are refused here.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import BasicAuth

from deploy.embedded.clickhouse.errors import ACCESS_DENIED, AUTHENTICATION_FAILED, ServerError


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in. Whoever may not write is an analyst."""

    name: str
    password: str
    may_write: bool


class Users:
    """All users of the server."""

    def __init__(self, *users: User) -> None:
        self._users = {user.name: user for user in users}

    def authenticate(self, headers: Mapping[str, str], query: Mapping[str, str]) -> User:
        """Who asks: by URL parameters, by X-ClickHouse headers, or by basic authentication. Raises ServerError."""
        name, password = "default", ""
        if "user" in query or "password" in query:
            name, password = query.get("user", name), query.get("password", "")
        elif "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
            name, password = headers.get("X-ClickHouse-User", name), headers.get("X-ClickHouse-Key", "")
        elif "Authorization" in headers:
            try:
                basic = BasicAuth.decode(headers["Authorization"], encoding="utf-8")
            except ValueError as error:
                raise ServerError(AUTHENTICATION_FAILED, f"Authentication failed: {error}") from None
            name, password = basic.login or name, basic.password
        user = self._users.get(name)
        # Compared even for an unknown name: how long it takes must not tell which names exist.
        if not hmac.compare_digest(password.encode(), (user.password if user else "\0").encode()) or user is None:
            raise ServerError(
                AUTHENTICATION_FAILED,
                f"{name}: Authentication failed: password is incorrect, or there is no user with such name",
            )
        return user


# An escape in a quoted name could spell any of these, so a backslash is as suspicious as the words themselves.
_SUSPICIOUS: Final = re.compile(r"file|eval|python|arrowstream|values|null\s*\(|generateRandom|\\", re.IGNORECASE)
_STRINGS: Final = re.compile(r"'(?:[^'\\]|\\.)*'|`(\w+)`|`(?:[^`\\]|\\.)*`", re.DOTALL)
_FORBIDDEN: Final = re.compile(
    r"\b(?:file|eval|python|arrowstream)\(|\((?:file|eval)\b|\bAPPLY\s*\(?\s*(?:file|eval)\b"
    r"|\b(?:values|null|generateRandom)\((?![()])",
    re.IGNORECASE,
)


def check_analyst(text: str, normalise: Callable[[str], str]) -> None:
    """Raise ServerError for a query that reads files of the machine past the engine's grants.

    The scalar function `file` reads any file in chDB, whatever is granted; `eval`, and the default of a column in the
    structure given to `values`, would hide it in a string; `python` and `arrowstream` read this process. `normalise` is
    the engine's own formatter, after which a name has one spelling. This is the second barrier; `confine` is the first.
    """
    if not _SUSPICIOUS.search(text):
        return
    # Strings go; a name in quotes stays, since the formatter quotes those that are also keywords.
    bare = _STRINGS.sub(lambda found: found[1] or "''", normalise(text))
    if found := _FORBIDDEN.search(bare):
        raise ServerError(ACCESS_DENIED, f"Not enough privileges: {found[0].strip('(')} is not for read-only users")
