"""Straight to Kafka, images inline or put into S3 first (claim check)."""

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidMessageError, KafkaError, MessageSizeTooLargeError

from pipeline.client.transport import Outcome
from pipeline.core.images import decode_base64, inspect_image
from pipeline.core.outgoing import OutgoingEvent
from pipeline.core.views import Upload
from pipeline.edges.kafka import producer, start_producer
from pipeline.edges.s3 import ImageStore
from pipeline.errors import DependencyError, InvalidRecordError, RefusedError
from pipeline.settings import Settings
from schemas.common import DEFAULT_WORKSPACE
from schemas.topics import INFERENCES, MAX_RAW_RECORD_BYTES
from schemas.use_case import ImagePolicy

ImageMode = Literal["inline", "store"]

_ANY_IMAGE = ImagePolicy(max_bytes=MAX_RAW_RECORD_BYTES)
_NEVER = (MessageSizeTooLargeError, InvalidMessageError)


class KafkaTransport:
    """Delivers to the raw topic: acks from all replicas, idempotent, keyed by device so that its events stay in order.

    With `images="store"` inline images are put into S3 first and the record refers to them; that needs S3 credentials,
    and the workspace of the events' use cases, which owns the images.
    """

    def __init__(self, settings: Settings, images: ImageMode = "inline", workspace_id: str = DEFAULT_WORKSPACE) -> None:
        self._settings = settings
        self._workspace_id = workspace_id
        self._images = ImageStore(settings) if images == "store" else None
        self._producer: AIOKafkaProducer | None = None

    async def deliver(self, events: Sequence[OutgoingEvent]) -> list[Outcome]:
        """As `Transport.deliver`."""
        values = [await self._with_images_stored(event) for event in events]
        try:
            if self._producer is None:
                self._producer = await self._started()
        except DependencyError as error:
            return [value if isinstance(value, RefusedError) else error for value in values]
        sent = [await self._send(event, value) for event, value in zip(events, values, strict=True)]
        outcomes = [await _outcome(item) for item in sent]
        if any(isinstance(outcome, DependencyError) for outcome in outcomes):
            # What this producer still holds is sent again by a new one, with a sequence of its own.
            await self.close()
        return outcomes

    async def close(self) -> None:
        """Give back connections."""
        if self._producer is not None:
            closing, self._producer = self._producer, None
            await closing.stop()

    async def _started(self) -> AIOKafkaProducer:
        client = producer(self._settings, request_timeout_ms=15_000)
        try:
            await start_producer(client)
        except BaseException:
            await client.stop()
            raise
        return client

    async def _with_images_stored(self, event: OutgoingEvent) -> bytes | RefusedError | DependencyError:
        if self._images is None or b'"data"' not in event.value:
            return event.value
        try:
            return await asyncio.to_thread(_store_images, self._images, self._workspace_id, event.value)
        except InvalidRecordError as error:
            return RefusedError(str(error))
        except DependencyError as error:
            return error

    async def _send(self, event: OutgoingEvent, value: bytes | Outcome) -> "asyncio.Future[Any] | Outcome":
        if not isinstance(value, bytes) or self._producer is None:
            return value if not isinstance(value, bytes) else DependencyError("Kafka: closed")
        try:
            key = event.device_id.encode() or None
            future: asyncio.Future[Any] = await self._producer.send(INFERENCES.name, value, key=key)
            return future
        except KafkaError as error:
            return _classed(error)


async def _outcome(sent: "asyncio.Future[Any] | Outcome") -> Outcome:
    if not isinstance(sent, asyncio.Future):
        return sent
    try:
        await sent
    except KafkaError as error:
        return _classed(error)
    return None


def _classed(error: KafkaError) -> Outcome:
    return RefusedError(f"Kafka: {error!r}") if isinstance(error, _NEVER) else DependencyError(f"Kafka: {error!r}")


def _store_images(store: ImageStore, workspace_id: str, value: bytes) -> bytes:
    """The record with its inline images put into S3 and named by their content."""
    document = orjson.loads(value)
    for position, image in enumerate(document.get("images", ())):
        if image.get("data") is not None:
            field = f"images.{position}.data"
            content = decode_base64(image.pop("data"), field, _ANY_IMAGE)
            info = inspect_image(content, field, _ANY_IMAGE)
            store.put(workspace_id, Upload(info, content))
            image["image_id"] = info.image_id
    return orjson.dumps(document)
