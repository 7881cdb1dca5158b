"""Publishes accepted events to `vision.events` and rejects to `vision.rejects`."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.errors import DependencyError
from pipeline.ingest.batch import Row
from schemas.reject import Reject
from schemas.topics import EVENTS, REJECTS


class Publisher:
    """Writes whole record batches: one event at a time costs the producer more than all processing before it."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def publish_events(self, rows: Sequence[Row]) -> None:
        """Publish events and return when all replicas have them. Raises DependencyError.

        The key is that of the raw record. A raw partition goes to one partition as a whole, so that the order of a
        device's records is kept.
        """
        try:
            partitions = sorted(await self._producer.partitions_for(EVENTS.name))
            by_partition: dict[int, list[Row]] = defaultdict(list)
            for row in rows:
                by_partition[partitions[row.record.partition % len(partitions)]].append(row)
            sent = [await self._send(partition, part) for partition, part in by_partition.items()]
            await asyncio.gather(*(future for futures in sent for future in futures))
        except KafkaError as error:
            raise DependencyError(f"Kafka: {error!r}") from error

    async def _send(self, partition: int, rows: Sequence[Row]) -> list[Any]:
        futures = []
        builder = self._producer.create_batch()
        for row in rows:
            if builder.append(key=row.record.key, value=row.line, timestamp=None) is None:
                futures.append(await self._close(builder, partition))
                builder = self._producer.create_batch()
                builder.append(key=row.record.key, value=row.line, timestamp=None)
        futures.append(await self._close(builder, partition))
        return futures

    async def _close(self, builder: Any, partition: int) -> Any:
        builder.close()
        return await self._producer.send_batch(builder, EVENTS.name, partition=partition)

    async def publish_rejects(self, rejects: Sequence[Reject]) -> None:
        """Publish rejects: the original key and value, and headers that say where from and why."""
        try:
            futures = [
                await self._producer.send(
                    REJECTS.name, key=reject.key or None, value=reject.value, headers=reject_headers(reject)
                )
                for reject in rejects
            ]
            await asyncio.gather(*futures)
        except KafkaError as error:
            raise DependencyError(f"Kafka: {error!r}") from error


def reject_headers(reject: Reject) -> list[tuple[str, bytes]]:
    """The headers of a reject: the record's own, then ours."""
    ours = {
        "reject.topic": reject.topic,
        "reject.partition": str(reject.partition),
        "reject.offset": str(reject.offset),
        "reject.reason": reject.reason.value,
        "reject.message": reject.message,
        "reject.field": reject.field,
    }
    return [*reject.headers, *((name, text.encode("utf-8", "replace")) for name, text in ours.items())]
