"""The registry in ClickHouse: use cases, devices and factories as documents, and how workers follow its changes."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from clickhouse_connect.driver import Client

from pipeline.core.registry import Entry, Registry
from pipeline.edges.clickhouse import translated
from pipeline.edges.retry import until_done
from pipeline.errors import ConfigurationError, DependencyError
from schemas.alert import Silence
from schemas.device import Device, Factory
from schemas.use_case import UseCase

log = logging.getLogger(__name__)

_Place = tuple[str, str, str]
"""Kind, workspace and id of a document."""

_KINDS: Final[dict[str, type[Entry]]] = {
    "use_case": UseCase,
    "device": Device,
    "factory": Factory,
    "silence": Silence,
}
_COLUMNS: Final = ("kind", "workspace_id", "id", "document", "version")
_OVERLAP_NS: Final = 60 * 10**9
"""Clocks of those who apply documents may differ by so much before a worker misses a change."""


def apply_entries(client: Client, entries: Iterable[Entry]) -> None:
    """Store documents; each replaces the one of the same kind, workspace and id.

    Raises ConfigurationError for a use case whose id another workspace has, and stores nothing then; else as
    `clickhouse.translated`.
    """
    version = time.time_ns()
    names = {model: kind for kind, model in _KINDS.items()}
    rows = [
        (names[type(entry)], entry.workspace_id, entry.id, entry.model_dump_json(by_alias=True), version)
        for entry in entries
    ]
    owners = {row[2]: row[1] for row in rows if row[0] == "use_case"}
    with translated():
        taken = client.query(
            "SELECT id, workspace_id FROM registry_entries FINAL WHERE kind = 'use_case' AND id IN {ids:Array(String)}",
            parameters={"ids": list(owners)},
        ).result_rows
        for use_case_id, workspace_id in taken:
            if owners[use_case_id] != workspace_id:
                raise ConfigurationError(f"use case {use_case_id!r} belongs to another workspace; choose another id")
        client.insert("registry_entries", rows, column_names=_COLUMNS)


class RegistryReader:
    """Keeps a snapshot of the registry up to date. `refresh` blocks; `current` is always a whole snapshot."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._versions: dict[_Place, int] = {}
        self._entries: dict[_Place, Entry] = {}
        self._newest = 0
        self._lock = threading.Lock()
        self.current = Registry()
        self.read_at = 0.0

    def refresh(self) -> bool:
        """Read what changed since the last time; true when something did. Raises as `clickhouse.translated`."""
        with self._lock:
            begun = time.monotonic()
            with translated():
                rows = self._client.query(
                    "SELECT kind, workspace_id, id, document, version, is_deleted FROM registry_entries FINAL "
                    "WHERE version > {since:UInt64}",
                    parameters={"since": max(0, self._newest - _OVERLAP_NS)},
                ).result_rows
            changed = [row for row in rows if self._versions.get(tuple(row[:3])) != row[4]]
            if changed:
                self._take_over(changed)
            self.read_at = begun
            return bool(changed)

    def _take_over(self, rows: Iterable[Sequence[Any]]) -> None:
        for kind, workspace_id, key, document, version, is_deleted in rows:
            place = (kind, workspace_id, key)
            if is_deleted:
                self._entries.pop(place, None)
            else:
                self._entries[place] = _KINDS[kind].model_validate_json(document)
            self._versions[place] = version
            self._newest = max(self._newest, version)
        self.current = Registry.of(self._entries.values())


async def read_since(registry: RegistryReader, moment: float) -> None:
    """Return when the registry was read in a reading that began after `moment` (`time.monotonic`).

    For what is unknown: it may have been applied just before its first record. ClickHouse is waited for.
    """
    if registry.read_at < moment:
        await until_done(lambda: asyncio.to_thread(registry.refresh))


async def follow(registry: RegistryReader, interval_s: float) -> None:
    """Keep a registry up to date until cancelled. While ClickHouse is away the last snapshot serves on."""
    while True:
        await asyncio.sleep(interval_s)
        try:
            if await asyncio.to_thread(registry.refresh):
                log.info("registry: %d use cases", len(registry.current.use_cases))
        except DependencyError as error:
            log.warning("the registry cannot be read, going on with what is known: %s", error)
