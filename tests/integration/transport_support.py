"""What the transport's tests share: topics, producing, looking at commits, running an app."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError

from pipeline.edges.kafka import connection, credentials
from pipeline.transport import BatchOptions, RecordBatch, batch_topic, broker_url
from tests.support.settings import settings_of


async def until(condition: Callable[[], Any], seconds: float = 20.0, what: str = "") -> Any:
    """Return the first true value of a condition, which may be a coroutine function."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        value = condition()
        value = await value if asyncio.iscoroutine(value) else value
        if value:
            return value
        if asyncio.get_running_loop().time() > end:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        await asyncio.sleep(0.05)


class Broker:
    """A Kafka broker seen from a test."""

    def __init__(self, environment: dict[str, str], tmp_path: Path) -> None:
        self.environment = environment
        self.settings = settings_of(environment)
        self.connection = connection(self.settings)
        self.tmp_path = tmp_path

    async def topic(self, partitions: int = 1, **config: str) -> str:
        name = f"transport-{uuid.uuid4().hex[:8]}"
        async with self.admin() as admin:
            await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config)])
        return name

    @contextlib.asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**self.connection)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    @contextlib.asynccontextmanager
    async def producer(self, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
        async with AIOKafkaProducer(**self.connection, max_request_size=9 * 2**20, linger_ms=5, **options) as producer:
            yield producer

    async def produce(self, topic: str, count: int, partitions: int = 1, size: int = 20) -> None:
        """Send `count` records, evenly over the partitions; each value begins with its number."""
        async with self.producer() as producer:
            for number in range(count):
                value = f"{number:010d}".encode().ljust(size, b".")
                await producer.send(topic, value, partition=number % partitions)
            await producer.flush()

    async def committed(self, group: str, topic: str) -> dict[int, int]:
        try:
            async with self.admin() as admin:
                offsets = await admin.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:
            return {}  # the topic of offsets is still being made, so nobody has committed
        return {tp.partition: found.offset for tp, found in offsets.items() if tp.topic == topic}

    async def ends(self, topic: str, partitions: int = 1) -> dict[int, int]:
        """Offset after the last entry of each partition's log, control records included."""
        async with AIOKafkaConsumer(**self.connection) as consumer:
            found = await consumer.end_offsets([TopicPartition(topic, p) for p in range(partitions)])
        return {tp.partition: offset for tp, offset in found.items()}

    async def all_committed(self, group: str, topic: str, partitions: int = 1) -> bool:
        return await self.committed(group, topic) == await self.ends(topic, partitions)

    def app(self, group: str | None = None, options: BatchOptions | None = None, **conf: Any) -> faust.App:
        settings: dict[str, Any] = {
            "broker_commit_interval": 0.2,
            "broker_session_timeout": 6.0,
            "broker_heartbeat_interval": 0.5,
            "consumer_auto_offset_reset": "earliest",
            "consumer_max_fetch_size": 9 * 2**20,
            "topic_disable_leader": True,
            "web_enabled": False,
            "datadir": self.tmp_path / uuid.uuid4().hex,
            "broker": broker_url(self.settings.kafka_bootstrap, options),
            "broker_credentials": credentials(self.settings),
            **conf,
        }
        return faust.App(group or f"group-{uuid.uuid4().hex[:8]}", **settings)


class Collector:
    """An agent that keeps what it gets, and acknowledges at once unless told to hold."""

    def __init__(self, app: faust.App, topic: str, hold: bool = False) -> None:
        self.batches: list[RecordBatch] = []
        self.hold = hold

        async def collect(stream: Any) -> None:
            async for batch in stream:
                self.batches.append(batch)
                if not self.hold:
                    batch.ack()

        app.agent(batch_topic(app, topic), name=f"collect-{topic}")(collect)

    def ack_all(self) -> None:
        self.hold = False
        for batch in self.batches:
            batch.ack()

    @property
    def records(self) -> list[Any]:
        return [record for batch in self.batches for record in batch]

    @property
    def numbers(self) -> list[int]:
        return [int(record.value[:10]) for record in self.records]

    def offsets(self, partition: int = 0) -> list[int]:
        return [record.offset for record in self.records if record.partition == partition]


@contextlib.asynccontextmanager
async def running(app: faust.App) -> AsyncIterator[faust.App]:
    """Run a worker in this event loop until the block ends."""
    app.finalize()
    await app.start()
    try:
        yield app
    finally:
        await app.stop()
