"""The registry in ClickHouse: use cases, devices and factories as documents, and how workers follow its changes."""

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from clickhouse_connect.driver import Client

from pipeline.core.registry import Registry
from pipeline.edges.clickhouse import translated
from schemas.device import Device, Factory
from schemas.use_case import UseCase

Entry = UseCase | Device | Factory

_KINDS: Final[dict[str, type[Entry]]] = {"use_case": UseCase, "device": Device, "factory": Factory}
_COLUMNS: Final = ("kind", "id", "workspace_id", "document", "version")
_OVERLAP_NS: Final = 60 * 10**9
"""Clocks of those who apply documents may differ by so much before a worker misses a change."""


def apply_entries(client: Client, entries: Iterable[Entry]) -> None:
    """Store documents; each replaces the one of the same kind and id. Raises as `clickhouse.translated`."""
    version = time.time_ns()
    names = {model: kind for kind, model in _KINDS.items()}
    rows = [
        (names[type(entry)], entry.id, entry.workspace_id, entry.model_dump_json(by_alias=True), version)
        for entry in entries
    ]
    with translated():
        client.insert("registry", rows, column_names=_COLUMNS)


class RegistryReader:
    """Keeps a snapshot of the registry up to date. `refresh` blocks; `current` is always a whole snapshot."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._versions: dict[tuple[str, str], int] = {}
        self._newest = 0
        self._lock = threading.Lock()
        self.current = Registry()
        self.read_at = 0.0

    def refresh(self) -> bool:
        """Read what changed since the last time; true when something did. Raises as `clickhouse.translated`."""
        with self._lock:
            with translated():
                rows = self._client.query(
                    "SELECT kind, id, document, version, is_deleted FROM registry FINAL WHERE version > {since:UInt64}",
                    parameters={"since": max(0, self._newest - _OVERLAP_NS)},
                ).result_rows
            changed = [row for row in rows if self._versions.get((row[0], row[1])) != row[3]]
            self.read_at = time.monotonic()
            if changed:
                self._take_over(changed)
            return bool(changed)

    def _take_over(self, rows: Iterable[Sequence[Any]]) -> None:
        entries: dict[str, dict[str, Entry]] = {
            "use_case": dict(self.current.use_cases),
            "device": dict(self.current.devices),
            "factory": dict(self.current.factories),
        }
        for kind, key, document, version, is_deleted in rows:
            if is_deleted:
                entries[kind].pop(key, None)
            else:
                entries[kind][key] = _KINDS[kind].model_validate_json(document)
            self._versions[kind, key] = version
            self._newest = max(self._newest, version)
        self.current = Registry(
            use_cases={key: value for key, value in entries["use_case"].items() if isinstance(value, UseCase)},
            devices={key: value for key, value in entries["device"].items() if isinstance(value, Device)},
            factories={key: value for key, value in entries["factory"].items() if isinstance(value, Factory)},
        )
