"""The demo's producer: publishes what the cameras see to Kafka at a chosen rate."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.demo.cameras import Record, all_frames
from pipeline.errors import ConfigurationError, DependencyError
from schemas.topics import INFERENCES, MAX_RAW_RECORD_BYTES, RECORD_OVERHEAD_BYTES

HISTORY_SPAN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much the demo publishes.

    `rate` is in records per second; `count` None means until stopped. The first `history` records are published as
    fast as they are computed, with times spread evenly over the past 24 hours, so that charts by hour and by shift
    have content at once; they count towards `count`. The same `seed` gives the same frames and the same event ids
    (a second run then replaces the events of the first); None draws a new one.
    """

    rate: float = 2.0
    count: int | None = None
    history: int = 0
    seed: int | None = None

    def __post_init__(self) -> None:
        if not self.rate > 0:
            raise ConfigurationError(f"the rate of the demo must be above 0 records/s, not {self.rate}")
        if self.history < 0 or (self.count is not None and self.count < 0):
            raise ConfigurationError("count and history of the demo must not be negative")


@dataclass(slots=True)
class Summary:
    """What was published, and confirmed by all in-sync replicas."""

    records: int = 0
    bytes: int = 0
    seconds: float = 0.0
    by_factory: Counter[str] = field(default_factory=Counter)
    by_use_case: Counter[str] = field(default_factory=Counter)
    by_class: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Count one record."""
        self.records += 1
        self.bytes += len(record.value)
        self.by_factory[record.camera.factory_id] += 1
        self.by_use_case[record.use_case_id] += 1
        self.by_class.update(record.classes)


async def run(
    connection: Mapping[str, Any],
    topic: str = INFERENCES.name,
    plan: Plan = Plan(),
    on_progress: Callable[[Summary], None] | None = None,
    stop: asyncio.Event | None = None,
) -> Summary:
    """Publish according to `plan` until its count is reached or `stop` is set, and say what was published.

    `connection` holds aiokafka's keyword arguments for the brokers (`bootstrap_servers`, security). Frames are
    computed in a thread. `on_progress` is called in the event loop after every record. Raises DependencyError when
    Kafka does not answer, ConfigurationError when a sample image is missing.
    """
    producer = AIOKafkaProducer(
        **connection,
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_RAW_RECORD_BYTES + RECORD_OVERHEAD_BYTES,
    )
    summary = Summary()
    try:
        await producer.start()
        await _publish(producer, topic, plan, summary, on_progress, stop or asyncio.Event())
    except KafkaError as error:
        raise DependencyError(f"Kafka at {connection.get('bootstrap_servers')}: {error!r}") from error
    finally:
        await producer.stop()
    return summary


async def _publish(
    producer: AIOKafkaProducer,
    topic: str,
    plan: Plan,
    summary: Summary,
    on_progress: Callable[[Summary], None] | None,
    stop: asyncio.Event,
) -> None:
    records, begin, due = planned_records(plan), time.monotonic(), time.monotonic()
    while not stop.is_set() and (plan.count is None or summary.records < plan.count):
        record = await asyncio.to_thread(next, records)
        if summary.records >= plan.history:
            # A machine that cannot keep up falls behind for good: it does not catch up in a burst.
            due = max(due + 1 / plan.rate, time.monotonic())
            if await _stopped_before(stop, due):
                break
        await producer.send_and_wait(topic, record.value, record.key)
        summary.add(record)
        summary.seconds = time.monotonic() - begin
        if on_progress is not None:
            on_progress(summary)


async def _stopped_before(stop: asyncio.Event, due: float) -> bool:
    """Wait until `due` (monotonic seconds); true when stopped meanwhile."""
    try:
        await asyncio.wait_for(stop.wait(), max(0.0, due - time.monotonic()))
    except TimeoutError:
        return False
    return True


def planned_records(plan: Plan, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Record]:
    """The records of a plan without end: first the history, oldest first, then frames of the present."""
    seed = secrets.randbits(63) if plan.seed is None else plan.seed
    times = _times(plan.history, now)
    return all_frames(seed, lambda: next(times))


def _times(history: int, now: Callable[[], datetime]) -> Iterator[tuple[datetime, timedelta]]:
    """Moments of frames, and how long the past, or the present after it, has been running then."""
    begin = now()
    for index in range(history):
        running = HISTORY_SPAN * (index / history)
        yield begin - HISTORY_SPAN + running, running
    begin = now()
    while True:
        moment = now()
        yield moment, moment - begin
