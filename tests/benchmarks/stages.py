"""Each stage of the worker alone, so that the next bottleneck has a name."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from clickhouse_connect.driver import Client

from pipeline.core.decode import decode
from pipeline.core.process import process
from pipeline.core.record import Record
from pipeline.edges.clickhouse import connect, insert_events, translated
from pipeline.edges.kafka import producer
from pipeline.ingest.batch import Row, process_records
from pipeline.ingest.publisher import Publisher
from pipeline.settings import Settings
from schemas.topics import EVENTS, INFERENCES
from tests.benchmarks import store, usage
from tests.benchmarks.columns import arrow_table, native_columns
from tests.benchmarks.records import device_key, partition_of, registry, start_time
from tests.benchmarks.topic import clear, fill, prepare_topics, run, timed_record


@dataclass(frozen=True)
class Stage:
    """A stage: `work` is measured, `prepare` is not."""

    name: str
    work: Callable[[], object]
    prepare: Callable[[], object] = lambda: None


def stages(settings: Settings, count: int, runs: int) -> list[dict[str, Any]]:
    """Records per second of each stage: the best of some runs, which is what the work costs without disturbance."""
    value, first = timed_record(start_time(count)), start_time(count)
    stamp = int(first.timestamp() * 1000) + count
    records = [
        Record(value(number), INFERENCES.name, partition_of(number), number, stamp, device_key(number))
        for number in range(count)
    ]
    run(prepare_topics(settings))
    run(fill(settings, range(count), value))
    with store.fresh_database(settings) as own:
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
        found = [_measure(own, stage, count, runs) for stage in [*_core(records), *_kafka(own, records)]]
        found += [_measure(own, stage, count, runs) for stage in _inserts(connect(own), records)]
        gc.unfreeze()
    run(clear(settings, INFERENCES.name, EVENTS.name))
    return found


def _measure(settings: Settings, stage: Stage, count: int, runs: int) -> dict[str, Any]:
    services = usage.services(settings)
    best: dict[str, Any] = {"stage": stage.name, "rate": 0.0}
    for _ in range(runs):
        stage.prepare()
        before = {key: usage.cpu_seconds([process]) for key, process in services.items()}
        cpu, began = time.process_time(), time.perf_counter()
        stage.work()
        seconds, own_cpu = time.perf_counter() - began, time.process_time() - cpu
        if count / seconds > best["rate"]:
            best |= {"rate": count / seconds, "own_us": own_cpu / count * 1e6}
            best |= {f"{k}_us": (usage.cpu_seconds([p]) - before[k]) / count * 1e6 for k, p in services.items()}
    return best


def _core(records: Sequence[Record]) -> list[Stage]:
    snapshot = registry()
    events = [process(record, snapshot).event for record in records]
    return [
        Stage("parse only (orjson)", lambda: _each(lambda record: orjson.loads(record.value), records)),
        Stage("decode and validate", lambda: _each(lambda record: decode(record, snapshot), records)),
        Stage("decode, validate, enrich", lambda: _each(lambda record: process(record, snapshot), records)),
        Stage("serialise", lambda: _each(lambda event: orjson.dumps(event, option=orjson.OPT_UTC_Z), events)),
        Stage("all of the core", lambda: process_records(records, snapshot)),
    ]


def _each(work: Callable[[Any], object], items: Sequence[Any]) -> None:
    for item in items:
        work(item)


def _kafka(settings: Settings, records: Sequence[Record]) -> list[Stage]:
    rows = process_records(records, registry()).rows
    return [
        Stage("fetch (aiokafka)", lambda: run(_fetch(settings, len(records)))),
        Stage("publish", lambda: run(_publish(settings, rows))),
    ]


async def _fetch(settings: Settings, count: int) -> None:
    options: dict[str, Any] = {"auto_offset_reset": "earliest", "max_partition_fetch_bytes": 4 * 2**20}
    async with AIOKafkaConsumer(INFERENCES.name, bootstrap_servers=settings.kafka_bootstrap, **options) as consumer:
        seen = 0
        while seen < count:
            found = await consumer.getmany(timeout_ms=1000, max_records=4_000)
            seen += sum(map(len, found.values()))


async def _publish(settings: Settings, rows: Sequence[Row]) -> None:
    async with producer(settings) as kafka:
        publisher = Publisher(kafka)
        for start in range(0, len(rows), settings.batch_max_rows):
            await publisher.publish_events(rows[start : start + settings.batch_max_rows])


def _inserts(client: Client, records: Sequence[Record]) -> list[Stage]:
    """The same rows in three formats, building included, in inserts of the worker's size."""
    snapshot = registry()
    events = [process(record, snapshot).event for record in records]
    parts = [events[start : start + 20_000] for start in range(0, len(events), 20_000)]

    def json_lines() -> None:
        for part in parts:
            insert_events(client, [orjson.dumps(event, option=orjson.OPT_UTC_Z) for event in part])

    def arrow() -> None:
        for part in parts:
            with translated():
                client.insert_arrow("stored_events", arrow_table(part))

    def native() -> None:
        for part in parts:
            columns = native_columns(part)
            with translated():
                client.insert("stored_events", list(columns.values()), column_names=list(columns), column_oriented=True)

    def empty() -> None:
        with translated():
            client.command("TRUNCATE TABLE stored_events")

    return [
        Stage("insert, JSON lines (building included)", json_lines, empty),
        Stage("insert, Arrow (building included)", arrow, empty),
        Stage("insert, Native columns (building included)", native, empty),
    ]
