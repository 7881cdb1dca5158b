"""Resident memory of a worker over millions of events: filled, consumed, deleted, filled again, one process."""

from typing import Any

from pipeline.edges.clickhouse import connect, translated
from pipeline.settings import Settings
from schemas.topics import EVENTS, INFERENCES
from tests.benchmarks import store, usage
from tests.benchmarks.contest import wait_for_rows
from tests.benchmarks.processes import OWN_COMMAND, running
from tests.benchmarks.records import start_time
from tests.benchmarks.topic import clear, fill, prepare_topics, run, timed_record


def memory(settings: Settings, count: int, chunk: int) -> dict[str, Any]:
    """Resident and peak memory in MB after each chunk, and the growth from the first to the last.

    Producing and consuming overlap, so the worker sees both a backlog and a live edge. The table is emptied between
    chunks, the topic too: they are not what is measured, and 5 million records would fill a small disk.
    """
    run(prepare_topics(settings))
    points: list[dict[str, float]] = []
    with store.fresh_database(settings) as own, running(OWN_COMMAND, own, "memory") as worker:
        client = connect(own)
        for start in range(0, count, chunk):
            numbers = range(start, min(start + chunk, count))
            run(fill(own, numbers, timed_record(start_time(len(numbers)), start)))
            wait_for_rows(client, len(numbers), [worker])
            resident = usage.resident_mb([worker.process])
            points.append({"events": numbers.stop, "resident_mb": resident, "peak_mb": worker.peak_mb()})
            with translated():
                client.command("TRUNCATE TABLE stored_events")
            run(clear(own, INFERENCES.name, EVENTS.name))
    return {"points": points, "growth": points[-1]["resident_mb"] / points[0]["resident_mb"] - 1}
