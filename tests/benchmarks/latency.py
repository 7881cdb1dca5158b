"""From produce to queryable, at a steady rate."""

import asyncio
import bisect
import statistics
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import connect, translated
from pipeline.edges.kafka import producer
from pipeline.settings import Settings
from schemas.topics import EVENTS, INFERENCES
from tests.benchmarks import store
from tests.benchmarks.contest import wait_for_rows
from tests.benchmarks.processes import OWN_COMMAND, BenchmarkError, running
from tests.benchmarks.records import PARTITIONS, device_key, partition_of, raw_record
from tests.benchmarks.topic import clear, prepare_topics, run, wait_for_members

_TICK_S = 0.01
_WARM_UP_S = 3.0


class Watcher(threading.Thread):
    """Asks the table all the time how far it is, and notes when it was first seen to be there.

    Rows of a partition become visible in the order of their offsets, so the largest offset says all. What is noted is
    the moment after the answer has arrived: the time of the question counts as latency.
    """

    def __init__(self, client: Client) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._stop_asking = threading.Event()
        self.seen: dict[int, list[tuple[int, float]]] = defaultdict(list)

    def run(self) -> None:
        query = "SELECT partition, max(offset) FROM stored_events GROUP BY partition"
        while not self._stop_asking.is_set():
            with translated():
                rows = self._client.query(query).result_rows
            now = time.time()
            for partition, offset in rows:
                known = self.seen[partition]
                if not known or known[-1][0] < offset:
                    known.append((offset, now))
            time.sleep(0.005)

    def stop(self) -> None:
        self._stop_asking.set()
        self.join()

    def visible_at(self, partition: int, offset: int) -> float:
        """When a record was first known to be visible."""
        known = self.seen[partition]
        return known[bisect.bisect_left(known, offset, key=lambda entry: entry[0])][1]


def latency(settings: Settings, rate: int, seconds: int) -> dict[str, Any]:
    """Percentiles of the time from handing a record to the producer until a query finds its event, in milliseconds."""
    run(prepare_topics(settings))
    with store.fresh_database(settings) as own, running(OWN_COMMAND, own, "latency") as worker:
        run(wait_for_members(own, own.ingest_group, 1, worker.alive))
        worker.check()
        watcher = Watcher(connect(own))
        watcher.start()
        produced = run(_produce(own, rate, seconds))
        wait_for_rows(connect(own), len(produced), [worker])
        time.sleep(0.1)
        watcher.stop()
        asked = statistics.mean(len(entries) for entries in watcher.seen.values())
    run(clear(settings, INFERENCES.name, EVENTS.name))
    begun = produced[0][2] + _WARM_UP_S
    waits = sorted(
        (watcher.visible_at(partition, offset) - sent) * 1000 for partition, offset, sent in produced if sent > begun
    )
    if len(watcher.seen) != PARTITIONS:
        raise BenchmarkError("not every partition was seen in the table")
    return {
        "rate": len(produced) / (produced[-1][2] - produced[0][2]),
        "events": len(waits),
        "p50_ms": waits[len(waits) // 2],
        "p90_ms": waits[len(waits) * 90 // 100],
        "p99_ms": waits[len(waits) * 99 // 100],
        "max_ms": waits[-1],
        "inserts_seen": asked,
    }


async def _produce(settings: Settings, rate: int, seconds: int) -> list[tuple[int, int, float]]:
    """Send records at a rate; partition, offset and the time of sending of each."""
    sent: list[tuple[Any, float]] = []
    async with producer(settings) as kafka:
        began = asyncio.get_running_loop().time()
        while len(sent) < rate * seconds:
            due = int((asyncio.get_running_loop().time() - began) * rate)
            for number in range(len(sent), min(due, rate * seconds)):
                value = raw_record(number, datetime.now(UTC))
                key, partition = device_key(number), partition_of(number)
                moment = time.time()
                sent.append((await kafka.send(INFERENCES.name, value, key=key, partition=partition), moment))
            await asyncio.sleep(_TICK_S)
        places = [(await future, moment) for future, moment in sent]
    return [(place.partition, place.offset, moment) for place, moment in places]
