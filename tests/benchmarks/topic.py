"""Fills the raw topic, and asks the broker how far a consumer group is."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from pipeline.edges.kafka import admin, ensure_topics, producer
from pipeline.edges.progress import progress
from pipeline.settings import Settings
from schemas.topics import EVENTS, INFERENCES
from tests.benchmarks.records import PARTITIONS, device_key, partition_of, raw_record

Value = Callable[[int], bytes]
Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end: the harness itself is plain sequential code."""
    return asyncio.run(work)


def timed_record(first_moment: datetime, first_number: int = 0) -> Value:
    """Records a millisecond apart, beginning at a moment."""
    return lambda number: raw_record(number, first_moment + timedelta(milliseconds=number - first_number))


async def fill(settings: Settings, numbers: range, value: Value) -> None:
    """Append records with these numbers to the raw topic, in order within each partition."""
    async with producer(settings) as kafka:
        for start in range(numbers.start, numbers.stop, 20_000):
            part = range(start, min(start + 20_000, numbers.stop))
            sent = [await _fill_partition(kafka, part, partition, value) for partition in range(PARTITIONS)]
            await asyncio.gather(*(future for futures in sent for future in futures))


async def _fill_partition(kafka: AIOKafkaProducer, numbers: range, partition: int, value: Value) -> list[Any]:
    futures, builder = [], kafka.create_batch()
    for number in numbers:
        if partition_of(number) != partition:
            continue
        content = value(number)
        if builder.append(key=device_key(number), value=content, timestamp=None) is None:
            builder.close()
            futures.append(await kafka.send_batch(builder, INFERENCES.name, partition=partition))
            builder = kafka.create_batch()
            builder.append(key=device_key(number), value=content, timestamp=None)
    builder.close()
    futures.append(await kafka.send_batch(builder, INFERENCES.name, partition=partition))
    return futures


async def clear(settings: Settings, *topics: str) -> None:
    """Delete all records of topics, so that runs neither see those of earlier ones nor fill the disk."""
    ends = {TopicPartition(place.topic, place.partition): place.end for place in await progress(settings, "none")}
    old = {place: RecordsToDelete(before_offset=end) for place, end in ends.items() if place.topic in topics and end}
    if old:
        async with admin(settings) as client:
            await client.delete_records(old)


async def prepare_topics(settings: Settings) -> None:
    """The topics of production with the benchmark's number of partitions, empty."""
    await ensure_topics(settings.model_copy(update={"topic_partitions": PARTITIONS}))
    await clear(settings, INFERENCES.name, EVENTS.name)


async def wait_for_members(settings: Settings, group: str, members: int, alive: Callable[[], bool]) -> float:
    """The moment (`time.monotonic`) at which the broker has given partitions to so many members of a group.

    From then on a consumer may fetch. Asked for every 10 ms, of the broker, so that no competitor needs a hook.
    Returns when `alive` turns false, too.
    """
    async with admin(settings) as client:
        while alive() and await _assigned(client, group) < members:
            await asyncio.sleep(0.01)
    return time.monotonic()


async def _assigned(client: AIOKafkaAdminClient, group: str) -> int:
    for response in await client.describe_consumer_groups([group]):
        for _, _, state, _, _, members, *_ in response.groups:
            if state == "Stable":
                return sum(1 for member in members if member[-1])
    return 0


async def lag(settings: Settings, group: str) -> int:
    """Records of the raw topic that a group has not committed."""
    places = [place for place in await progress(settings, group) if place.topic == INFERENCES.name]
    return sum(place.end - (place.begin if place.committed is None else place.committed) for place in places)
