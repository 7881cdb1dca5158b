"""Stock Faust: an agent with `take`, on Faust's own transport."""

import asyncio
from typing import Any

import faust
import uvloop

from pipeline.core.record import Record
from tests.benchmarks.competitors.work import TOPIC, Work, on_stop, settle_memory

work = Work()
app = faust.App(
    work.settings.ingest_group,
    broker=f"kafka://{work.settings.kafka_bootstrap}",
    broker_max_poll_records=4_000,
    consumer_auto_offset_reset="earliest",
    stream_buffer_maxsize=16_384,
    topic_disable_leader=True,
    topic_allow_declare=False,
    web_enabled=False,
)


@app.agent(app.topic(TOPIC, value_type=bytes, value_serializer="raw", key_type=bytes, key_serializer="raw"))
async def ingest(stream: Any) -> None:
    async for events in stream.take_events(2_000, within=0.2):
        await asyncio.to_thread(work.insert, work.lines(record_of(event.message) for event in events))


def record_of(message: Any) -> Record:
    return Record(
        value=message.value,
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp=int(message.timestamp * 1000),
        key=message.key,
        headers=message.headers or (),
    )


async def main() -> None:
    stop = asyncio.Event()
    on_stop(stop.set)
    await app.start()
    settle_memory()
    await stop.wait()
    await app.stop()


if __name__ == "__main__":
    uvloop.run(main())
