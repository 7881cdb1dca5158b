"""From an event to its alert with many rules and groups, and what rules cost an event."""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer

from pipeline.core.alerts.candidates import compile_rules, find_candidates
from pipeline.core.process import process
from pipeline.core.record import Record
from pipeline.core.registry import Registry
from pipeline.edges.clickhouse import connect
from pipeline.edges.kafka import connection, producer
from pipeline.edges.registry import apply_entries
from pipeline.settings import Settings
from schemas.topics import ALERT_CANDIDATES, ALERTS, EVENTS, INFERENCES
from schemas.use_case import UseCase
from tests.benchmarks import store
from tests.benchmarks.processes import OWN_COMMAND, running
from tests.benchmarks.topic import clear, prepare_topics, run, wait_for_members

_TICK_S = 0.01
_WARM_UP_S = 5.0
_BURST_EVERY = 100
"""Every so many events three of them make an alert."""


def alerts(settings: Settings, rate: int, seconds: int, rules: int, groups: int) -> dict[str, Any]:
    """Percentiles of the time from handing an event to the producer until a consumer has its alert, in milliseconds.

    Each event shows one of as many classes as there are rules, at one of `groups` stations; a rule counts three of its
    class at a station within ten seconds.
    """
    run(prepare_topics(settings))
    command = (*OWN_COMMAND[:-1], "alert-worker")
    with store.fresh_database(settings) as own:
        apply_entries(connect(own), [use_case(rules)])
        with running(OWN_COMMAND, own, "alerts-ingest") as ingest, running(command, own, "alerts") as worker:
            run(wait_for_members(own, own.ingest_group, 1, ingest.alive))
            run(wait_for_members(own, own.alert_group, 1, worker.alive))
            waits, detected, sent = run(_measure(own, rate, seconds, rules, groups))
            ingest.check()
            worker.check()
            times = worker.process.cpu_times()
            memory = worker.peak_mb()
    run(clear(settings, INFERENCES.name, EVENTS.name, ALERT_CANDIDATES.name, ALERTS.name))
    return {
        "rate": rate,
        "rules": rules,
        "groups": groups,
        "alerts": len(waits),
        "expected": sent,
        "p50_ms": waits[len(waits) // 2],
        "p99_ms": waits[len(waits) * 99 // 100],
        "max_ms": waits[-1],
        "detected_p50_ms": detected[len(detected) // 2],
        "detected_p99_ms": detected[len(detected) * 99 // 100],
        "alert_worker_cpu_share": (times.user + times.system) / seconds,
        "alert_worker_mb": memory,
        **{f"us_{name}": value for name, value in cost_per_event(rules).items()},
    }


def use_case(rules: int) -> UseCase:
    """A use case with so many rules."""
    return UseCase.model_validate(
        {
            "id": "alert-bench",
            "name": "Alert benchmark",
            "alerts": [
                {
                    "name": f"rule_{number}",
                    "when": {"any_of": [{"class": f"class-{number}", "min_confidence": 0.5}]},
                    "window": {"count": 3, "within": "10s"},
                    "group_by": ["custom_metadata.station"],
                    "annotations": {"summary": "{{value}} at {{custom_metadata.station}}"},
                }
                for number in range(rules)
            ],
        }
    )


def raw_event(event_id: str, kind: int, station: int, moment: datetime) -> bytes:
    """One event with a detection of class `kind` and two others."""
    box = {"confidence": 0.9, "x": 1.5, "y": 2.5, "width": 3, "height": 4}
    classes = (f"class-{kind}", "part", "tray")
    return orjson.dumps(
        {
            "event_id": event_id,
            "use_case_id": "alert-bench",
            "timestamp": moment,
            "source": {"device_id": f"cam-{station}"},
            "custom_metadata": {"station": f"S{station}"},
            "result": {"object_detections": [box | {"class": name} for name in classes]},
        }
    )


def cost_per_event(rules: int) -> dict[str, float]:
    """Microseconds of CPU an event: the whole processing without a rule, and what the rules add to it."""
    plain, ruled = (UseCase(id="alert-bench", name="x"), use_case(rules))
    records = [
        Record(
            raw_event(str(number), number % rules, number % 1000, datetime.now(UTC)),
            offset=number,
            timestamp=int(time.time() * 1000) + 1000,
        )
        for number in range(5_000)
    ]
    found = {}
    for name, case in (("without_rules", plain), ("with_rules", ruled)):
        registry = Registry.of([case])
        best = min(_timed(records, registry) for _ in range(5))
        found[name] = best / len(records) * 1e6
    everything = Registry.of([ruled])
    events = [process(record, everything).event for record in records]
    unmatched = [event | {"class_counts": {"part": 1}, "object_detections": []} for event in events]
    compiled = compile_rules(ruled)
    begun = time.process_time()
    for event in unmatched:
        find_candidates(compiled, event, records[0].timestamp)
    found["of_an_event_that_no_rule_matches"] = (time.process_time() - begun) / len(events) * 1e6
    return found


def _timed(records: Sequence[Record], registry: Registry) -> float:
    begun = time.process_time()
    for record in records:
        processed = process(record, registry)
        if processed.rules is not None:
            find_candidates(processed.rules, processed.event, record.timestamp)
    return time.process_time() - begun


async def _measure(
    settings: Settings, rate: int, seconds: int, rules: int, groups: int
) -> tuple[list[float], list[float], int]:
    """Milliseconds until a consumer has each alert, those until the alert worker found it, and how many were due."""
    consumer = AIOKafkaConsumer(ALERTS.name, **connection(settings), auto_offset_reset="latest")
    await consumer.start()
    await consumer.seek_to_end()
    seen: dict[str, tuple[float, float]] = {}

    async def listen() -> None:
        async for record in consumer:
            alert = orjson.loads(record.value)["data"]
            if alert["status"] == "firing":
                detected = datetime.fromisoformat(alert["detected_at"]).timestamp()
                seen.setdefault(alert["event_id"], (time.time(), detected))

    listening = asyncio.ensure_future(listen())
    try:
        triggers = await _produce(settings, rate, seconds, rules, groups)
        deadline = time.time() + 30
        while triggers.keys() - seen.keys() and time.time() < deadline:
            await asyncio.sleep(0.2)
    finally:
        listening.cancel()
        await consumer.stop()
    begun = min(triggers.values()) + _WARM_UP_S
    due = {key: moment for key, moment in triggers.items() if moment > begun}
    waits, detected = (
        sorted((seen[key][part] - moment) * 1000 for key, moment in due.items() if key in seen) for part in (0, 1)
    )
    return waits, detected, len(due)


async def _produce(settings: Settings, rate: int, seconds: int, rules: int, groups: int) -> dict[str, float]:
    """Send events at a rate; the ids of those that complete a burst, and when they were sent."""
    generator, triggers, number = random.Random(1), dict[str, float](), 0
    async with producer(settings) as kafka:
        began = asyncio.get_running_loop().time()
        pending: list[Any] = []
        burst = (0, 0)
        while number < rate * seconds:
            due = int((asyncio.get_running_loop().time() - began) * rate)
            while number < min(due, rate * seconds):
                place = number % _BURST_EVERY
                if place == 0:
                    # Each pair of rule and station once, so that none of them is open already; the others come from
                    # stations of odd numbers, so that none of theirs completes a burst before its time.
                    index = number // _BURST_EVERY
                    burst = (index % rules, (index * 14) % groups)
                others = (generator.randrange(rules), generator.randrange(groups) | 1)
                kind, station = burst if place < 3 else others
                event_id, moment = f"bench-{began}-{number}", time.time()
                value = raw_event(event_id, kind, station, datetime.fromtimestamp(moment, UTC))
                pending.append(await kafka.send(INFERENCES.name, value, key=f"cam-{station}".encode()))
                if place == 2:
                    triggers[event_id] = moment
                number += 1
            await asyncio.sleep(_TICK_S)
        await asyncio.gather(*pending)
    return triggers
