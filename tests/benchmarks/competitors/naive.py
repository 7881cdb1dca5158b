"""The loop that one writes first: `async for`, a model object for each event, an insert for every thousand of them."""

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaConsumer

from pipeline.core.process import process
from schemas.vision_event import VisionEvent
from tests.benchmarks.competitors.work import TOPIC, Work, on_stop

INSERT = 1_000


async def consume(work: Work) -> None:
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=work.settings.kafka_bootstrap,
        group_id=work.settings.ingest_group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    on_stop(asyncio.current_task().cancel)  # type: ignore[union-attr]
    await consumer.start()
    events: list[VisionEvent] = []
    with suppress(asyncio.CancelledError):
        async for record in consumer:
            # Not validated a second time: `process` has made sure of every field.
            events.append(VisionEvent.model_construct(**process(record, work.registry).event))
            if len(events) == INSERT:
                work.insert([event.model_dump_json(exclude_unset=True).encode() for event in events])
                await consumer.commit()
                events = []
    await consumer.stop()


if __name__ == "__main__":
    asyncio.run(consume(Work()))
