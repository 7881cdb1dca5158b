"""What the gateway's own reading costs: pages and counts as `POST /vision-events/query` and `/count` make them."""

import time
from collections.abc import Callable
from typing import Any

from clickhouse_connect.driver import Client

from pipeline.core.api_event import api_event
from pipeline.core.query.cursor import Position
from pipeline.core.query.document import EventFilters
from pipeline.edges.events import EventReader
from pipeline.edges.sweep import sweep_if_due

_DAYS = 40
_LIMIT = 50


def _query(**fields: Any) -> EventFilters:
    return EventFilters.model_validate({"useCaseId": "defect-detection"} | fields)


def _part(number: str) -> EventFilters:
    return _query(customMetadataFilters=[{"field": "part_number", "value": number}])


def measure(client: Client, runs: int) -> list[dict[str, Any]]:
    """Percentiles of each. Every run asks for something else: ClickHouse keeps what conditions found."""
    sweep_if_due(client)  # as workers do all the time
    reader = EventReader(client, 60)

    def page(filters: EventFilters, after: Position | None = None) -> int:
        found = reader.page("default", filters, _DAYS, _LIMIT, after)
        return len([api_event(row) for row in found.rows])

    def count(filters: EventFilters) -> int:
        reader.count("default", filters, _DAYS)
        return 1

    middle = int(time.time() * 1e6) - 15 * 86400 * 1_000_000
    asked: dict[str, Callable[[int], int]] = {
        "gateway: first page": lambda run: page(_query()),
        "gateway: a page from the middle": lambda run: page(_query(), Position(middle + run, "")),
        "gateway: page filtered by device (1 in 16)": lambda run: page(_query(deviceId=f"cam-{run % 16:02}")),
        "gateway: page filtered by metadata (1 in 1,000)": lambda run: page(_part(f"PN-{run:04}")),
        "gateway: page filtered by metadata, nothing matches": lambda run: page(_part(f"PN-none-{run}")),
        "gateway: page filtered by class and confidence": lambda run: page(
            _query(detectionClass={"value": "scratch", "minConfidence": 0.99 + run * 1e-6})
        ),
        "gateway: page without feedback": lambda run: page(_query(feedbackStatus="none")),
        "gateway: count of a use case": lambda run: count(_query()),
        "gateway: count filtered by metadata": lambda run: count(_part(f"PN-{run:04}")),
    }
    return [_timed(name, ask, runs) for name, ask in asked.items()]


def _timed(name: str, ask: Callable[[int], int], runs: int) -> dict[str, Any]:
    waits, rows = [], 0
    for run in range(runs):
        began = time.perf_counter()
        rows = ask(run)
        waits.append((time.perf_counter() - began) * 1000)
    waits.sort()
    return {"query": name, "rows": rows, "p50_ms": waits[len(waits) // 2], "p95_ms": waits[len(waits) * 95 // 100]}
