"""A worker process for tests: notes the offsets it handled in a file, then acknowledges.

Takes one argument, a JSON object: servers, group, topic, out (file to append to), delay (longest time in seconds
that a batch takes; batches overlap), transport ("batch" or "stock"), conf and options of the app.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import Any

import faust

from pipeline.transport import BatchOptions, RecordBatch, batch_topic, broker_url

ARGS: dict[str, Any] = json.loads(sys.argv[1])
STOCK = ARGS.get("transport") == "stock"
OUT = open(ARGS["out"], "a", buffering=1)  # noqa: SIM115  (open as long as the process lives)

app = faust.App(
    ARGS["group"],
    broker=f"kafka://{ARGS['servers']}" if STOCK else broker_url(ARGS["servers"], BatchOptions(**ARGS["options"])),
    consumer_auto_offset_reset="earliest",
    topic_disable_leader=True,
    web_enabled=False,
    **ARGS["conf"],
)


def note(partition: int, offsets: list[int]) -> None:
    OUT.write(json.dumps([partition, offsets]) + "\n")


async def handle(batch: RecordBatch) -> None:
    await asyncio.sleep(random.random() * ARGS["delay"])
    note(batch.partition, [record.offset for record in batch])
    batch.ack()


async def by_batch(stream: Any) -> None:
    tasks: set[asyncio.Task[None]] = set()
    async for batch in stream:
        tasks.add(task := asyncio.create_task(handle(batch)))
        task.add_done_callback(tasks.discard)


async def by_record(stream: Any) -> None:
    async for event in stream.events():
        note(event.message.partition, [event.message.offset])


if STOCK:
    app.agent(app.topic(ARGS["topic"], key_serializer="raw", value_serializer="raw"))(by_record)
else:
    app.agent(batch_topic(app, ARGS["topic"]))(by_batch)

if __name__ == "__main__":
    if ARGS.get("uvloop"):
        import mode.loop

        mode.loop.use("uvloop")
    app.worker_init()
    faust.Worker(app, loglevel="INFO").execute_from_commandline()
