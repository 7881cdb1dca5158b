"""Publishes accepted events to `vision.events`, candidates of alerts, and rejects to `vision.rejects`."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from pipeline.core.alerts.candidates import Candidate
from pipeline.edges.kafka import translated
from pipeline.ingest.batch import Row
from schemas.reject import Reject
from schemas.topics import ALERT_CANDIDATES, EVENTS, MAX_RAW_RECORD_BYTES, RECORD_OVERHEAD_BYTES, REJECTS

Outgoing: TypeAlias = tuple[bytes | None, bytes, list[tuple[str, bytes]] | None]
"""Key, value and headers of a record."""

_NO_HEADERS: Final[list[tuple[str, bytes]]] = []

_partition_of = DefaultPartitioner()

OMITTED_HEADER: Final = "reject.omitted_bytes"
"""Header of a reject that is published without its record: how large that is."""

_MAX_REJECT_BYTES: Final = MAX_RAW_RECORD_BYTES + RECORD_OVERHEAD_BYTES - 4096


class Publisher:
    """Writes whole record batches: one event at a time costs the producer more than all processing before it."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def publish_events(self, rows: Sequence[Row]) -> None:
        """Publish events and return when all replicas have them. Raises as `kafka.translated`.

        The key is that of the raw record. A raw partition goes to one partition as a whole, so that the order of a
        device's records is kept.
        """
        with translated():
            partitions = sorted(await self._producer.partitions_for(EVENTS.name))
            by_partition: dict[int, list[Outgoing]] = defaultdict(list)
            for row in rows:
                place = partitions[row.record.partition % len(partitions)]
                by_partition[place].append((row.record.key, row.line, row.headers))
            await self._send_all(EVENTS.name, by_partition)

    async def publish_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Publish what alert rules look at, by the key of the group. Raises as `kafka.translated`."""
        with translated():
            partitions = sorted(await self._producer.partitions_for(ALERT_CANDIDATES.name))
            by_partition: dict[int, list[Outgoing]] = defaultdict(list)
            chosen: dict[bytes, int] = {}
            for candidate in candidates:
                key = candidate.key
                if key not in chosen:
                    chosen[key] = _partition_of(key, partitions, partitions)
                by_partition[chosen[key]].append((key, candidate.value, candidate.headers))
            await self._send_all(ALERT_CANDIDATES.name, by_partition)

    async def _send_all(self, topic: str, by_partition: Mapping[int, Sequence[Outgoing]]) -> None:
        sent = [await self._send(topic, partition, part) for partition, part in by_partition.items()]
        await asyncio.gather(*(future for futures in sent for future in futures))

    async def _send(self, topic: str, partition: int, records: Sequence[Outgoing]) -> list[Any]:
        futures = []
        builder = self._producer.create_batch()
        for key, value, given in records:
            headers = given or _NO_HEADERS
            if builder.append(key=key, value=value, timestamp=None, headers=headers) is None:
                futures.append(await self._close(builder, topic, partition))
                builder = self._producer.create_batch()
                builder.append(key=key, value=value, timestamp=None, headers=headers)
        futures.append(await self._close(builder, topic, partition))
        return futures

    async def _close(self, builder: Any, topic: str, partition: int) -> Any:
        builder.close()
        return await self._producer.send_batch(builder, topic, partition=partition)

    async def _send_reject(self, reject: Reject) -> Any:
        headers, key, value = reject_headers(reject), reject.key, reject.value
        size = len(key) + len(value) + sum(len(name) + len(content or b"") + 20 for name, content in headers)
        if size > _MAX_REJECT_BYTES:
            size_header = (OMITTED_HEADER, str(len(value)).encode())
            headers, key, value = [*reject_headers(reject.model_copy(update={"headers": ()})), size_header], b"", b""
        return await self._producer.send(REJECTS.name, key=key or None, value=value, headers=headers)

    async def publish_rejects(self, rejects: Sequence[Reject]) -> None:
        """Publish rejects: the original key and value, and headers that say where from and why.

        What is too large for the topic (a record may fill its own, or be compressed) goes without its key, value and
        headers, and says so; the table `rejects` has it whole. Raises as `kafka.translated`.
        """
        with translated():
            await asyncio.gather(*[await self._send_reject(each) for each in rejects])


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
