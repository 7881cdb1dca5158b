"""How far producers and a consumer group have come in our topics, over connections that are kept."""

import time
from operator import itemgetter
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from pipeline.edges.kafka import connection, reason
from pipeline.errors import DependencyError
from pipeline.settings import Settings
from schemas.topics import TOPICS

_FETCH_MS: Final = 2_000


class PartitionProgress(NamedTuple):
    """Offsets of one partition: where the log begins and ends, and what the group has committed (None: nothing)."""

    topic: str
    partition: int
    begin: int
    end: int
    committed: int | None

    @property
    def next(self) -> int:
        """The first offset that the group has not done."""
        return max(self.begin, self.committed or 0)

    @property
    def lag(self) -> int:
        """Records that wait for the group."""
        return self.end - self.next


class ProgressReader:
    """Reads progress as often as wanted. Start it, and close it, within one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._at = settings.kafka_bootstrap
        self._admin = AIOKafkaAdminClient(**connection(settings))
        self._consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False)

    async def start(self) -> None:
        """Connect. Raises DependencyError when no broker answers."""
        try:
            await self._admin.start()
            await self._consumer.start()
        except KafkaError as error:
            await self.close()
            raise DependencyError(f"Kafka at {self._at}: {await reason(self._settings) or error!r}") from error

    async def close(self) -> None:
        """Disconnect."""
        await self._consumer.stop()
        await self._admin.close()

    async def read(self, group: str) -> list[PartitionProgress]:
        """Offsets of every partition of our topics. Raises DependencyError when no broker answers."""
        try:
            try:
                committed = await self._admin.list_consumer_group_offsets(group)
            except GroupCoordinatorNotAvailableError:  # a new cluster, before the first group of all
                committed = {}
            described = await self._admin.describe_topics([topic.name for topic in TOPICS])
            places = [
                TopicPartition(topic["topic"], partition["partition"])
                for topic in described
                for partition in sorted(topic["partitions"], key=itemgetter("partition"))
            ]
            begins = await self._consumer.beginning_offsets(places)
            ends = await self._consumer.end_offsets(places)
        except KafkaError as error:
            raise DependencyError(f"Kafka at {self._at}: {error!r}") from error
        return [
            PartitionProgress(
                place.topic,
                place.partition,
                begins[place],
                ends[place],
                committed[place].offset if place in committed else None,
            )
            for place in places
        ]

    async def members(self, group: str) -> int:
        """How many consumers are in the group. Raises DependencyError."""
        try:
            (answer,) = await self._admin.describe_consumer_groups([group])
        except GroupCoordinatorNotAvailableError:
            return 0
        except KafkaError as error:
            raise DependencyError(f"Kafka at {self._at}: {error!r}") from error
        described: dict[str, Any] = answer.to_object()
        return sum(len(found["members"]) for found in described["groups"])

    async def waiting_since(self, places: list[PartitionProgress]) -> dict[int, float]:
        """Seconds since the oldest record that waits in each of these partitions arrived. Raises DependencyError."""
        wanted = {TopicPartition(place.topic, place.partition): place.next for place in places}
        try:
            self._consumer.assign(list(wanted))
            for place, offset in wanted.items():
                self._consumer.seek(place, offset)
            ages: dict[int, float] = {}
            deadline = time.monotonic() + _FETCH_MS / 1000
            while len(ages) < len(wanted) and time.monotonic() < deadline:
                found = await self._consumer.getmany(*wanted, timeout_ms=_FETCH_MS // 4, max_records=len(wanted))
                for place, records in found.items():
                    ages.setdefault(place.partition, time.time() - records[0].timestamp / 1000)
                    self._consumer.pause(place)
            return ages
        except KafkaError as error:
            raise DependencyError(f"Kafka at {self._at}: {error!r}") from error
        finally:
            self._consumer.unsubscribe()


async def progress(settings: Settings, group: str) -> list[PartitionProgress]:
    """Offsets of every partition of our topics, once. Raises DependencyError when no broker answers."""
    reader = ProgressReader(settings)
    await reader.start()
    try:
        return await reader.read(group)
    finally:
        await reader.close()
