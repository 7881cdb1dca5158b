"""What reading costs on ten million events: pages, counts, one event, and the questions that analysts ask."""

import time
from collections.abc import Callable
from typing import Any

from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import connect, translated
from pipeline.settings import Settings
from tests.benchmarks import pages, store
from tests.benchmarks.processes import BenchmarkError
from tests.benchmarks.queries import FILL, QUERIES

_CHUNK = 500_000
_QUIET_S = 300.0


def reads(settings: Settings, count: int, runs: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """Percentiles of each query over HTTP, as clickhouse-connect sees them, and bytes per event on disk."""
    with store.fresh_database(settings) as own:
        client = connect(own)
        filled_s = _fill(client, count, progress)
        settled_s = _settle(client)
        parameters = _parameters(client)
        queries = [_measure(client, name, query, parameters, runs) for name, query in QUERIES.items()]
        queries += pages.measure(client, runs)
        size = _rows(client, "SELECT sum(bytes_on_disk), count() FROM system.parts WHERE active AND {own}")[0]
        columns = _rows(
            client,
            "SELECT name, sum(data_compressed_bytes) AS size FROM system.columns WHERE {own} GROUP BY name "
            "ORDER BY size DESC LIMIT 8",
        )
    return {
        "events": count,
        "fill_rate": count / filled_s,
        "settled_s": settled_s,
        "bytes_per_event": size[0] / count,
        "parts": size[1],
        "largest_columns": {name: bytes_ / count for name, bytes_ in columns},
        "queries": queries,
    }


def _fill(client: Client, count: int, progress: Callable[[str], None]) -> float:
    began = time.monotonic()
    since = _rows(client, "SELECT toString(now64(6, 'UTC') - toIntervalDay(30))")[0][0]
    for first in range(0, count, _CHUNK):
        parameters = {"since": since, "step_us": 30 * 86400e6 / count, "first": first}
        with translated():
            client.command(FILL, parameters=parameters | {"count": min(_CHUNK, count - first)})
        progress(f"{min(first + _CHUNK, count):,} events stored")
    if (found := store.count(client)) != count:
        raise BenchmarkError(f"{found} of {count} events are in the table")
    return time.monotonic() - began


def _settle(client: Client) -> float:
    """Wait until the merges that follow such a flood have ended."""
    began = time.monotonic()
    while time.monotonic() - began < _QUIET_S:
        if not _rows(client, "SELECT count() FROM system.merges WHERE database = currentDatabase()")[0][0]:
            return time.monotonic() - began
        time.sleep(0.5)
    return _QUIET_S


def _parameters(client: Client) -> dict[str, Any]:
    query = "SELECT max(timestamp) - toIntervalDay(1), anyIf(event_id, frame_id = '4242') FROM stored_events"
    since_day, event = _rows(client, query)[0]
    return {"since_day": since_day, "id": event}


def _measure(client: Client, name: str, query: str, parameters: dict[str, Any], runs: int) -> dict[str, Any]:
    waits = []
    for _ in range(runs):
        began = time.perf_counter()
        with translated():
            rows = client.query(query, parameters=parameters).result_rows
        waits.append((time.perf_counter() - began) * 1000)
    waits.sort()
    return {
        "query": name,
        "rows": len(rows),
        "p50_ms": waits[len(waits) // 2],
        "p95_ms": waits[len(waits) * 95 // 100],
        "sql": query,
    }


def _rows(client: Client, query: str) -> list[Any]:
    own = "database = currentDatabase() AND table = 'stored_events'"
    with translated():
        return list(client.query(query.replace("{own}", own)).result_rows)
