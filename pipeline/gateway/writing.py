"""The write path: an event is checked as the worker will check it, then published, and answered when Kafka has it."""

import asyncio
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from pipeline import metrics
from pipeline.core.process import Processed, process
from pipeline.core.record import Record
from pipeline.core.views import fill_reference
from pipeline.edges.registry import RegistryReader
from pipeline.edges.s3 import ImageStore
from pipeline.errors import InvalidRecordError
from pipeline.gateway.errors import RETRY_AFTER_S, ApiError
from pipeline.gateway.registered import UNKNOWN_USE_CASE, RegisteredUseCases
from pipeline.settings import Settings
from schemas.reject import RejectReason
from schemas.topics import INFERENCES, MAX_RAW_RECORD_BYTES
from schemas.use_case import UseCase

_by_key: Final = DefaultPartitioner()

_MAX_PENDING_BYTES: Final = 64 * 1024 * 1024
"""Records not acknowledged yet. The producer has no bound of its own: with Kafka away memory would fill."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event as it will lie on the topic: `value` in any format that workers read, with an event id in it."""

    value: bytes
    event_id: str
    use_case_id: str
    device_id: str | None = None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def key(self) -> bytes | None:
        """The record's key: the device."""
        return self.device_id.encode() if self.device_id else None


class EventWriter:
    """Checks and publishes events. All events of one call are checked before one is published."""

    def __init__(
        self,
        settings: Settings,
        producer: AIOKafkaProducer,
        registry: RegistryReader,
        use_cases: RegisteredUseCases,
        images: ImageStore,
    ) -> None:
        self._timeout = settings.write_timeout_s
        self._producer = producer
        self._registry = registry
        self._use_cases = use_cases
        self._images = images
        self._image_slots = asyncio.Semaphore(settings.image_concurrency)
        self._pending_bytes = 0

    async def check(self, workspace_id: str, event: Incoming) -> list[dict[str, str]]:
        """The warnings that the event will be stored with; fields are those of the stored event.

        Raises InvalidRecordError for what a worker would reject, ApiError 404 for a use case that is not of the
        workspace, DependencyError when that cannot be found out now.
        """
        if len(event.value) > MAX_RAW_RECORD_BYTES:
            raise ApiError(413, f"an event has at most {MAX_RAW_RECORD_BYTES} bytes; this one has {len(event.value)}")
        await self.require_use_case(workspace_id, event.use_case_id)
        record = Record(
            event.value,
            topic=INFERENCES.name,
            timestamp=int(time.time() * 1000),
            key=event.key,
            headers=event.headers,
        )
        processed = process(record, self._registry.current)
        if processed.event["workspace_id"] != workspace_id:
            raise ApiError(404, f"useCaseId: {UNKNOWN_USE_CASE}")
        if processed.references:
            await self._look_up(processed)
        warnings: list[dict[str, str]] = processed.event.get("warnings", [])
        return warnings

    async def publish(self, events: Sequence[Incoming]) -> None:
        """Return when all replicas have the events. Raises ApiError 503 when they have not in time."""
        size = sum(len(event.value) for event in events)
        if self._pending_bytes + size > _MAX_PENDING_BYTES:
            raise _not_durable("too many events wait for Kafka")
        self._pending_bytes += size
        try:
            async with asyncio.timeout(self._timeout):
                await self._send(events)
            metrics.EVENTS_ACCEPTED.inc(len(events))
        except (TimeoutError, KafkaError) as error:
            raise _not_durable("Kafka has not acknowledged in time") from error
        finally:
            self._pending_bytes -= size

    async def _send(self, events: Sequence[Incoming]) -> None:
        partitions = sorted(await self._producer.partitions_for(INFERENCES.name))
        if len(events) == 1:
            (event,) = events
            spot, headers = _partition(event, partitions), list(event.headers)
            await (await self._producer.send(INFERENCES.name, event.value, event.key, spot, headers=headers))
            return
        # One record batch a partition: handed over one by one, records cost the producer more than checking them.
        by_partition: dict[int, list[Incoming]] = {}
        for event in events:
            by_partition.setdefault(_partition(event, partitions), []).append(event)
        sent: list[Any] = []
        for spot, part in by_partition.items():
            batch = self._producer.create_batch()
            for event in part:
                headers = list(event.headers)
                if batch.append(key=event.key, value=event.value, timestamp=None, headers=headers) is None:
                    batch.close()
                    sent.append(await self._producer.send_batch(batch, INFERENCES.name, partition=spot))
                    batch = self._producer.create_batch()
                    batch.append(key=event.key, value=event.value, timestamp=None, headers=headers)
            batch.close()
            sent.append(await self._producer.send_batch(batch, INFERENCES.name, partition=spot))
        await asyncio.gather(*sent)

    async def require_use_case(self, workspace_id: str, use_case_id: str) -> UseCase:
        """The active use case of a workspace. Raises ApiError 404 or InvalidRecordError where there is none."""
        found = await self._use_cases.get(workspace_id, use_case_id)
        if found.status != "active":
            raise InvalidRecordError(RejectReason.UNKNOWN_USE_CASE, "the use case is archived", "use_case_id")
        return found

    async def _look_up(self, processed: Processed) -> None:
        event: dict[str, Any] = processed.event
        for reference in processed.references:
            async with self._image_slots:
                look_up = partial(self._images.resolve, event["workspace_id"], reference, processed.image_policy)
                fill_reference(event, reference, await asyncio.to_thread(look_up))


def _partition(event: Incoming, partitions: list[int]) -> int:
    """The records of a device keep their order, as those of other producers; without a device those of one id do."""
    if event.key:
        return int(_by_key(event.key, partitions, partitions))
    return partitions[zlib.crc32(event.event_id.encode()) % len(partitions)]


def _not_durable(why: str) -> ApiError:
    message = f"{why}; send the call again: an event that was stored after all is replaced by the same eventId"
    return ApiError(503, message, {"Retry-After": str(RETRY_AFTER_S)})
