"""State in Faust tables: Faust assigns the partitions and reads their changelogs back; writing is done here.

What stock Faust leaves open, and what is done about it:
- A write returns before it is durable. Here it is awaited, so that offsets are acknowledged after the state is safe.
- A worker that was taken for dead may still write. Each owner of a partition marks its records with an epoch, and
  reading back passes over records of an older epoch than one that came before them.
- A partition that went away and came back keeps what others deleted meanwhile. Here it begins empty.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faust.stores import memory
from faust.types import TP, AppT, EventT

from pipeline.errors import DependencyError

_EPOCH_BYTES = 8


class PartitionStore(memory.Store[bytes, bytes]):
    """The memory behind a table, by partition. `parts` maps a partition to its keys and values."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.parts: dict[int, dict[bytes, bytes]] = {}
        self.epochs: dict[int, int] = {}
        self.owned: dict[int, int] = {}
        self.assigned: set[int] = set()
        self._offsets: dict[int, int] = {}

    def apply_changelog_batch(
        self, batch: Iterable[EventT[Any]], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Take over records that were read back from the changelog."""
        for event in batch:
            message: Any = event.message
            self._offsets[message.partition] = message.offset
            self.apply(message.partition, message.key, message.value)

    def apply(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Take over one record; None for a value: the entry is gone."""
        part = self.parts.setdefault(partition, {})
        if value is None:
            part.pop(key, None)
        elif (epoch := int.from_bytes(value[:_EPOCH_BYTES], "big")) >= self.epochs.get(partition, 0):
            self.epochs[partition] = epoch
            part[key] = value[_EPOCH_BYTES:]

    def persisted_offset(self, tp: TP) -> int | None:
        """Offset of the last record taken over; -1 makes Faust read from the beginning."""
        return self._offsets.get(tp.partition, -1)

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Begin empty with partitions that come, forget those that go."""
        topic = self.table.changelog_topic.get_topic_name()
        self.assigned = {tp.partition for tp in assigned if tp.topic == topic}
        for tp in revoked | newly_assigned:
            if tp.topic == topic:
                self.parts.pop(tp.partition, None)
                for kept in (self.epochs, self.owned, self._offsets):
                    kept.pop(tp.partition, None)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Nothing to tidy: partitions are forgotten when they go."""


class PartitionTable:
    """A Faust table whose entries belong to the partition of the topic that is read beside it."""

    def __init__(self, app: AppT, name: str, partitions: int, producer: AIOKafkaProducer) -> None:
        table: Any = app.Table(name, partitions=partitions, key_type=bytes, value_type=bytes)
        store = PartitionStore("memory://", app, table, table_name=name, key_type=bytes, value_type=bytes)
        table._data = store
        self._store = store
        self._producer = producer
        self.topic: str = table.changelog_topic.get_topic_name()

    def entries(self, partition: int) -> Mapping[bytes, bytes]:
        """What the table holds for a partition that is assigned and read back."""
        return self._store.parts.get(partition, {})

    def _epoch(self, partition: int) -> int:
        """The epoch of this owner: above all that were seen."""
        store = self._store
        if partition not in store.owned:
            store.owned[partition] = max(int(time.time() * 1000), store.epochs.get(partition, 0) + 1)
        return store.owned[partition]

    async def write(self, partition: int, entries: Mapping[bytes, bytes | None]) -> None:
        """Write entries (None: gone) in their order and return when they are durable. Raises DependencyError.

        Nothing is written to a partition that has gone to another worker: what led to it is delivered there again.
        """
        if partition not in self._store.assigned:
            return
        prefix = self._epoch(partition).to_bytes(_EPOCH_BYTES, "big")
        records = [(key, None if value is None else prefix + value) for key, value in entries.items()]
        if not records:
            return
        try:
            futures = []
            builder = self._producer.create_batch()
            for key, content in records:
                if builder.append(key=key, value=content, timestamp=None) is None:
                    futures.append(await self._close(builder, partition))
                    builder = self._producer.create_batch()
                    builder.append(key=key, value=content, timestamp=None)
            futures.append(await self._close(builder, partition))
            await asyncio.gather(*futures)
        except KafkaError as error:
            raise DependencyError(f"Kafka: {error!r}") from error
        for key, content in records:
            self._store.apply(partition, key, content)

    async def _close(self, builder: Any, partition: int) -> Any:
        builder.close()
        return await self._producer.send_batch(builder, self.topic, partition=partition)
