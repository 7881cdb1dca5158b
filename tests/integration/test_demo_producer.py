"""The demo's producer against a real Kafka: what it says it published is there, in order, and it stops when told."""

import asyncio
import uuid
from datetime import datetime
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from pipeline.demo.producer import Plan, Summary, run
from pipeline.errors import DependencyError


@pytest.fixture
async def topic(kafka: dict[str, Any]) -> str:
    """A topic of one partition, so that the order of all records can be checked."""
    new = NewTopic(f"demo-{uuid.uuid4().hex}", 1, 1)
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        await admin.create_topics([new])
    finally:
        await admin.close()
    return new.name


async def published(kafka: dict[str, Any], topic: str, count: int) -> list[Any]:
    """The first `count` records of a topic."""
    consumer = AIOKafkaConsumer(topic, **kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        return [await asyncio.wait_for(consumer.getone(), 30) for _ in range(count)]
    finally:
        await consumer.stop()


async def test_what_is_summed_up_is_in_the_topic(kafka: dict[str, Any], topic: str) -> None:
    seen: list[int] = []
    summary = await run(
        kafka,
        topic,
        Plan(rate=100, count=14, history=11, seed=1),
        on_progress=lambda so_far: seen.append(so_far.records),
    )
    records = await published(kafka, topic, 14)
    assert seen == list(range(1, 15))
    assert summary.records == 14
    assert summary.bytes == sum(len(record.value) for record in records)
    documents = [orjson.loads(record.value) for record in records]
    assert [record.key.decode() for record in records] == [each["source"]["device_id"] for each in documents]
    assert len({each["event_id"] for each in documents}) == 14
    times = [datetime.fromisoformat(each["timestamp"]) for each in documents]
    assert times == sorted(times)
    assert 20 * 3600 < (times[-1] - times[0]).total_seconds() < 25 * 3600
    assert len(summary.by_factory) == 4


async def test_it_stops_when_told(kafka: dict[str, Any], topic: str) -> None:
    stop = asyncio.Event()

    def stop_after_two(so_far: Summary) -> None:
        if so_far.records == 2:
            stop.set()

    summary = await run(kafka, topic, Plan(rate=0.5, history=2, seed=2), stop_after_two, stop)
    assert summary.records == 2


async def test_a_broker_that_is_away_is_named() -> None:
    with pytest.raises(DependencyError, match=r"127\.0\.0\.1:1"):
        await run({"bootstrap_servers": "127.0.0.1:1"}, plan=Plan(count=1))
