"""Publishing: what Kafka does not acknowledge is answered with 503, and records go where their order is kept."""

import asyncio
from collections import defaultdict
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from pipeline.gateway.errors import ApiError
from pipeline.gateway.writing import EventWriter, Incoming
from pipeline.settings import Settings

HEADERS = (("vision-format", b"vision_event"),)


class Broker:
    """Stands in for the producer: keeps what it is handed, and acknowledges it as told."""

    def __init__(self, outcome: BaseException | None = None, acknowledge: bool = True) -> None:
        self.taken: dict[int, int] = defaultdict(int)
        self.batches = 0
        self._outcome = outcome
        self._acknowledge = acknowledge

    async def partitions_for(self, topic: str) -> set[int]:
        return {0, 1, 2, 3}

    async def send(self, topic: str, value: bytes, key: Any, partition: int, headers: list[Any]) -> Any:
        return self._took(partition, 1)

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(16_000, 0, is_transactional=False, key_serializer=None, value_serializer=None)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> Any:
        self.batches += 1
        return self._took(partition, batch.record_count())

    def _took(self, partition: int, count: int) -> "asyncio.Future[None]":
        self.taken[partition] += count
        future = asyncio.get_running_loop().create_future()
        if self._outcome is not None:
            future.set_exception(self._outcome)
        elif self._acknowledge:
            future.set_result(None)
        return future


def writer(broker: Broker) -> EventWriter:
    settings = Settings(write_timeout_s=0.05)
    return EventWriter(settings, broker, None, None, None)  # type: ignore[arg-type]


def events(count: int, device: str | None = None, size: int = 500) -> list[Incoming]:
    return [Incoming(b"x" * size, f"event-{n}", "case", device, HEADERS) for n in range(count)]


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize("broker", [Broker(acknowledge=False), Broker(KafkaTimeoutError())], ids=["silent", "failing"])
async def test_no_acknowledgement_is_503_and_may_be_sent_again(broker: Broker, count: int) -> None:
    with pytest.raises(ApiError, match="same eventId") as raised:
        await writer(broker).publish(events(count))
    assert raised.value.status == 503
    assert int((raised.value.headers or {})["Retry-After"]) > 0


async def test_a_device_keeps_its_partition_and_others_spread() -> None:
    broker = Broker()
    await writer(broker).publish(events(100, device="cam-1"))
    await writer(broker).publish(events(1, device="cam-1"))
    assert list(broker.taken.values()) == [101]
    spread = Broker()
    await writer(spread).publish(events(100))
    assert sum(spread.taken.values()) == 100
    assert len(spread.taken) == 4


async def test_a_large_batch_is_sent_in_parts_and_whole() -> None:
    broker = Broker()
    await writer(broker).publish(events(100, device="cam-1", size=5_000))
    assert sum(broker.taken.values()) == 100
    assert broker.batches > 10


async def test_what_waits_for_kafka_is_bounded() -> None:
    full = writer(Broker(acknowledge=False))
    held = asyncio.create_task(full.publish(events(7, size=8 * 2**20)))
    await asyncio.sleep(0)
    with pytest.raises(ApiError, match="too many events"):
        await full.publish(events(2, size=8 * 2**20))
    with pytest.raises(ApiError, match="not acknowledged in time"):
        await held
    with pytest.raises(ApiError, match="not acknowledged in time"):  # what was given up no longer counts
        await full.publish(events(2, size=8 * 2**20))
