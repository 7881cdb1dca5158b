"""The practical limit: a hand-written loop on aiokafka. No rejects, no images, no retries, no publishing.

Records are fetched in large lists, processed one at a time so that each model dies young, and inserted from a thread
while the next list is processed. Offsets are committed after the insert. uvloop, collector frozen.
"""

import asyncio
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.benchmarks.competitors.work import BATCH, TOPIC, Work, on_stop, settle_memory


async def consume(work: Work) -> None:
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=work.settings.kafka_bootstrap,
        group_id=work.settings.ingest_group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 2**20,
        fetch_max_bytes=16 * 2**20,
    )
    on_stop(asyncio.current_task().cancel)  # type: ignore[union-attr]
    await consumer.start()
    settle_memory()
    writing: asyncio.Task[None] | None = None
    lines: list[bytes] = []
    offsets: dict[TopicPartition, int] = {}
    try:
        while True:
            found = await consumer.getmany(timeout_ms=100, max_records=2_000)
            for place, records in found.items():
                lines += work.lines(records)
                offsets[place] = records[-1].offset + 1
            if len(lines) >= BATCH or (lines and not found):
                if writing is not None:
                    await writing
                writing = asyncio.create_task(write(work, consumer, lines, offsets))
                lines, offsets = [], {}
            await asyncio.sleep(0)  # buffered records come without a wait: the insert and the fetches need their turn
    except asyncio.CancelledError:
        if writing is not None:
            await writing
    finally:
        await consumer.stop()


async def write(work: Work, consumer: Any, lines: list[bytes], offsets: dict[TopicPartition, int]) -> None:
    await asyncio.to_thread(work.insert, lines)
    await consumer.commit(offsets)


if __name__ == "__main__":
    uvloop.run(consume(Work()))
