"""Produces without a pause on a thread of its own, and keeps the account of what Kafka acknowledged."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.edges.kafka import producer
from pipeline.settings import Settings
from schemas.topics import INFERENCES
from tests.faults.mix import SERIAL, Mix, Sent
from tests.faults.proxy import Background

_TICK_S = 0.05


class Load:
    """`sent` holds every record ever given to the producer by its serial, `acknowledged` where Kafka put it."""

    def __init__(self, background: Background, settings: Settings) -> None:
        self._background = background
        self._settings = settings
        self._task: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Task[None]] = set()
        self._client: AIOKafkaProducer | None = None
        self.sent: list[Sent] = []
        self.acknowledged: dict[int, tuple[int, int]] = {}
        self.refused = 0

    def start(self, mix: Mix, rate: float) -> None:
        """Produce `rate` records a second until `stop`."""

        async def begin() -> None:
            self._task = asyncio.create_task(self._produce(mix, rate))

        self._background.run(begin())

    def stop(self) -> None:
        """Stop producing and wait until Kafka has answered for everything."""

        async def end() -> None:
            if self._task:
                self._task.cancel()
                with suppress(asyncio.CancelledError):
                    await self._task
                self._task = None
            await asyncio.gather(*self._waiting)

        self._background.run(end())

    def send(self, *records: Sent) -> None:
        """Produce these at once and wait for the acknowledgement."""

        async def work() -> None:
            client = await self._producer()
            await asyncio.gather(*[await self._send(client, record) for record in records])

        self._background.run(work())

    def close(self) -> None:
        self.stop()

        async def stop() -> None:
            if self._client:
                await self._client.stop()

        self._background.run(stop())

    async def _produce(self, mix: Mix, rate: float) -> None:
        loop = asyncio.get_running_loop()
        begun, count = loop.time(), 0
        while True:
            client = await self._producer()
            while count < (loop.time() - begun) * rate:
                count += 1
                task = await self._send(client, mix.next())
                self._waiting.add(task)
                task.add_done_callback(self._waiting.discard)
                await asyncio.sleep(0)  # the proxies turn on this loop too, also while the load is behind
            await asyncio.sleep(_TICK_S)

    async def _producer(self) -> AIOKafkaProducer:
        while self._client is None:
            client = producer(self._settings)
            try:
                await client.start()
                self._client = client
            except KafkaError:
                await client.stop()
                await asyncio.sleep(0.2)
        return self._client

    async def _send(self, client: AIOKafkaProducer, record: Sent) -> asyncio.Task[None]:
        serial = len(self.sent)
        self.sent.append(record)
        headers = [*record.headers, (SERIAL, str(serial).encode())]

        async def acknowledge(future: Callable[[], Any]) -> None:
            try:
                found = await future()
                self.acknowledged[serial] = (found.partition, found.offset)
            except KafkaError:  # in the log or not: the log tells, this account does not claim it
                self.refused += 1

        return asyncio.create_task(
            acknowledge(
                lambda: client.send_and_wait(
                    INFERENCES.name, record.value, key=record.key, headers=headers, timestamp_ms=record.timestamp_ms
                )
            )
        )
