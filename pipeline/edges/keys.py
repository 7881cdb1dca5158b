"""API keys in ClickHouse, and the snapshot of them that answers without a query.

A key is 256 bits from the system's random source, so its SHA-256 cannot be turned back: nobody can try 2**256 inputs.
A slow hash with salt is for passwords that people choose, and would cost each call milliseconds. The digest is also
what keys are found by, so how long a look-up takes tells nothing about a key that is stored.
"""

import hashlib
import secrets
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import translated
from pipeline.errors import ConfigurationError

SCOPES: Final = ("vision-events:read", "vision-events:write", "device:read", "device:update")
"""What a key may allow. Edge devices are given `device:read` and `device:update`; these allow the same calls."""

MIN_KEY_LENGTH: Final = 20
"""Shortest key that an operator may choose: a random one of this length is beyond guessing."""

_PREFIX: Final = "ve_"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: never the key itself."""

    id: str
    workspace_id: str
    name: str
    digest: str
    scopes: frozenset[str]
    created_at: datetime
    revoked_at: datetime | None = None
    used_at: datetime | None = None


def digest_of(key: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def create_key(
    client: Client, workspace_id: str, name: str, scopes: Iterable[str] = SCOPES, key: str | None = None
) -> tuple[ApiKey, str]:
    """Store a new key and return it with its text, which is not kept. `key` is one that the operator chose.

    Raises ConfigurationError for an unknown scope or a key that is too short, else as `clickhouse.translated`.
    """
    chosen = frozenset(scopes)
    if not chosen or chosen - set(SCOPES):
        raise ConfigurationError(f"scopes are {', '.join(SCOPES)}; got {', '.join(sorted(chosen)) or 'none'}")
    if key is not None and len(key) < MIN_KEY_LENGTH:
        raise ConfigurationError(f"an API key has at least {MIN_KEY_LENGTH} characters; this one has {len(key)}")
    text = key if key is not None else _PREFIX + secrets.token_urlsafe(32)
    entry = ApiKey(uuid.uuid4().hex[:12], workspace_id, name, digest_of(text), chosen, datetime.now(UTC))
    _store(client, entry)
    return entry, text


def revoke_key(client: Client, key_id: str) -> ApiKey:
    """Make a key useless; gateways follow within seconds. Raises ConfigurationError where there is no such key."""
    found = [entry for entry in list_keys(client) if entry.id == key_id]
    if not found:
        raise ConfigurationError(f"no key {key_id!r}; `vision-events keys list` shows those there are")
    entry = found[0]
    if entry.revoked_at is not None:
        return entry
    revoked = ApiKey(
        entry.id, entry.workspace_id, entry.name, entry.digest, entry.scopes, entry.created_at, datetime.now(UTC)
    )
    _store(client, revoked)
    return revoked


def list_keys(client: Client) -> list[ApiKey]:
    """All keys, revoked ones too, the oldest first. Raises as `clickhouse.translated`."""
    with translated():
        rows = client.query(
            "SELECT k.id, k.workspace_id, k.name, k.digest, k.scopes, k.created_at, k.revoked_at, "
            "nullIf(u.used_at, toDateTime64(0, 3, 'UTC')) FROM (SELECT * FROM api_keys FINAL) AS k "
            "LEFT JOIN (SELECT id, max(used_at) AS used_at FROM api_key_uses GROUP BY id) AS u ON u.id = k.id "
            "ORDER BY k.created_at, k.id"
        ).result_rows
    return [ApiKey(row[0], row[1], row[2], row[3], frozenset(row[4]), row[5], row[6], row[7]) for row in rows]


def _store(client: Client, entry: ApiKey) -> None:
    columns = ("id", "workspace_id", "name", "digest", "scopes", "created_at", "revoked_at", "version")
    row = (
        *(entry.id, entry.workspace_id, entry.name, entry.digest, sorted(entry.scopes)),
        *(entry.created_at, entry.revoked_at, time.time_ns()),
    )
    with translated():
        client.insert("api_keys", [row], column_names=columns)


class KeyReader:
    """A snapshot of the keys that are valid. `refresh` and `write_uses` block; `find` only looks."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._by_digest: dict[str, ApiKey] = {}
        self._by_id: dict[str, ApiKey] = {}
        self._used: dict[str, datetime] = {}

    def refresh(self) -> None:
        """Read all keys. Raises as `clickhouse.translated`."""
        with self._lock:
            valid = [entry for entry in list_keys(self._client) if entry.revoked_at is None]
            self._by_digest = {entry.digest: entry for entry in valid}
            self._by_id = {entry.id: entry for entry in valid}

    def find(self, key: str) -> ApiKey | None:
        """The valid key of this text, and note that it was used."""
        return self._note(self._by_digest.get(digest_of(key)))

    def find_by_id(self, key_id: str) -> ApiKey | None:
        """The valid key of this id, and note that it was used."""
        return self._note(self._by_id.get(key_id))

    def _note(self, entry: ApiKey | None) -> ApiKey | None:
        if entry is not None:
            self._used[entry.id] = datetime.now(UTC)
        return entry

    def write_uses(self) -> None:
        """Store when keys were last used. Raises as `clickhouse.translated`; then they are stored the next time."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            with translated():
                self._client.insert("api_key_uses", list(used.items()), column_names=("id", "used_at"))
        except Exception:
            self._used = used | self._used
            raise
