"""How far time has come: up to when every record that arrived has been seen, whoever sees it.

Clocks and silence cannot tell: a line may be quiet because its worker died a moment ago. Offsets can. At some moment
the raw topic ends at certain offsets. Once the ingest group has committed these, all candidates of records that
arrived before that moment are published; once the candidates up to there are handled, the moment has come.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from pipeline.edges.kafka import connection
from pipeline.errors import DependencyError
from pipeline.settings import Settings
from schemas.topics import ALERT_CANDIDATES, INFERENCES

Ends = dict[int, int]


@dataclass(frozen=True, slots=True)
class Reached:
    """All records that arrived up to `arrived` (ms) are candidates below the `ends` of their partitions."""

    arrived: int
    ends: Ends


class Progress:
    """Watches offsets. Use it as an asynchronous context manager; `look` raises DependencyError."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._admin = AIOKafkaAdminClient(**connection(settings))
        self._consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False)
        self._sample: tuple[int, Ends] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._admin.start()
            await self._consumer.start()
        except KafkaError as error:
            await self._close()
            raise DependencyError(f"Kafka: {error!r}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        await self._consumer.stop()
        await self._admin.close()

    async def look(self) -> Reached | None:
        """Look once. Says how far time has come when it came further since the last look."""
        try:
            reached = None
            if self._sample is not None and await self._is_ingested(self._sample[1]):
                reached = Reached(self._sample[0], await self._ends(ALERT_CANDIDATES.name))
                self._sample = None
            if self._sample is None:
                now = int(self._clock() * 1000)  # before the offsets: what arrives in between counts as later
                self._sample = (now, await self._ends(INFERENCES.name))
            return reached
        except (KafkaError, TimeoutError) as error:
            raise DependencyError(f"Kafka: {error!r}") from error

    async def _is_ingested(self, ends: Ends) -> bool:
        try:
            committed = await self._admin.list_consumer_group_offsets(self._settings.ingest_group)
        except GroupCoordinatorNotAvailableError:  # a new cluster, before the first group of all
            committed = {}
        done = {place.partition: meta.offset for place, meta in committed.items() if place.topic == INFERENCES.name}
        behind = {partition: end for partition, end in ends.items() if done.get(partition, 0) < end}
        if not behind:
            return True
        # A partition that has lost all its records to retention and was never read has an end, and nothing to read.
        begins = await self._offsets(INFERENCES.name, first=True)
        return all(begins.get(partition, 0) >= end for partition, end in behind.items())

    async def _ends(self, topic: str) -> Ends:
        return await self._offsets(topic, first=False)

    async def _offsets(self, topic: str, *, first: bool) -> Ends:
        partitions = self._consumer.partitions_for_topic(topic)
        if not partitions:
            described = await self._admin.describe_topics([topic])
            partitions = {part["partition"] for part in described[0]["partitions"]}
        places = [TopicPartition(topic, partition) for partition in partitions]
        found = await (self._consumer.beginning_offsets(places) if first else self._consumer.end_offsets(places))
        return {place.partition: offset for place, offset in found.items()}
