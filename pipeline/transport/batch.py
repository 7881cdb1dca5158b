"""What an agent receives: one fetched record batch of one partition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import faust
from aiokafka import ConsumerRecord
from faust.types import AppT, ConsumerMessage, EventT, Message, TopicT

from .offsets import Delivery, State

Record: TypeAlias = ConsumerRecord[bytes | None, bytes | None]


@dataclass(slots=True, eq=False, repr=False)
class RecordBatch:
    """Records of one partition in offset order, never empty, and the duty to acknowledge them.

    `records` are aiokafka's: offset, key, value, headers, timestamp (ms), timestamp_type; key and value are
    bytes or None. `next_offset` is where reading goes on, beyond gaps. `size` is keys and values in bytes.
    """

    topic: str
    partition: int
    records: Sequence[Record]
    size: int
    generation: int
    """The group generation in which it was read."""
    _delivery: Delivery
    _on_ack: Callable[[Delivery], bool]

    @property
    def first_offset(self) -> int:
        """Offset of the first record."""
        return int(self.records[0].offset)

    @property
    def next_offset(self) -> int:
        """The offset that is committed once this batch and all before it are acknowledged."""
        return self._delivery.next

    @property
    def active(self) -> bool:
        """False once acknowledged, or once the partition was lost: the records are then delivered again."""
        return self._delivery.state is State.OPEN

    def ack(self) -> bool:
        """Everything these records lead to is durable. Call it on the event loop's thread, in any order.

        Returns False, and changes nothing, when the batch is no longer `active`.
        """
        return self._on_ack(self._delivery)

    def __repr__(self) -> str:
        return f"<RecordBatch {self.topic}/{self.partition}: {self.first_offset} to {self.next_offset}>"

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)


class BatchMessage(ConsumerMessage):
    """The Faust message around a batch; its stream notes here that the agent was handed the batch."""

    __slots__ = ("_generation",)

    @property
    def tracked(self) -> bool:
        """Whether the stream took it from the queue (set by Faust)."""
        return bool(self.delivery.started)

    @tracked.setter
    def tracked(self, value: bool) -> None:
        self.delivery.started = value

    @property
    def generation_id(self) -> int | None:
        """Group generation; one that never is for a stale batch, which makes the stream drop it."""
        return -1 if self.delivery.state is State.STALE else self._generation

    @generation_id.setter
    def generation_id(self, value: int | None) -> None:
        self._generation = value

    @property
    def delivery(self) -> Delivery:
        """The range of offsets this message stands for."""
        batch: Any = self.value
        delivery: Delivery = batch._delivery
        return delivery


class RecordBatchSchema(faust.Schema[Any, Any]):
    """Marks a topic as read in record batches; what is sent to it must be bytes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"key_serializer": "raw", "value_serializer": "raw", **options})

    def compile(self, app: AppT, **options: Any) -> Callable[..., Any]:
        """Return the function that makes an event of a message: nothing is decoded."""

        async def decode(message: Message, *, propagate: bool = False) -> EventT[Any]:
            return app.create_event(None, message.value, message.headers, message)

        return decode


def batch_topic(app: AppT, name: str, **options: Any) -> TopicT:
    """Declare a topic whose agents receive `RecordBatch` objects. `options` are those of `App.topic`."""
    return app.topic(name, schema=RecordBatchSchema(), **options)
