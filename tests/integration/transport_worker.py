"""A worker process for tests: notes the offsets it handled in a file, then acknowledges.

Takes one argument, a JSON object: group, topic, out (file to append to), delay (longest time in seconds
that a batch takes; batches overlap), conf and options of the app, and uvloop, whether to run on it. The way to the
broker is in the environment, as settings.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import Any

import faust

from pipeline.edges.kafka import credentials
from pipeline.settings import Settings
from pipeline.transport import BatchOptions, RecordBatch, batch_topic, broker_url

ARGS: dict[str, Any] = json.loads(sys.argv[1])
SETTINGS = Settings()
OUT = open(ARGS["out"], "a", buffering=1)  # noqa: SIM115  (open as long as the process lives)

app = faust.App(
    ARGS["group"],
    broker=broker_url(SETTINGS.kafka_bootstrap, BatchOptions(**ARGS["options"])),
    broker_credentials=credentials(SETTINGS),
    consumer_auto_offset_reset="earliest",
    topic_disable_leader=True,
    web_enabled=False,
    **ARGS["conf"],
)


async def handle(batch: RecordBatch) -> None:
    await asyncio.sleep(random.random() * ARGS["delay"])
    OUT.write(json.dumps([batch.partition, [record.offset for record in batch]]) + "\n")
    batch.ack()


async def by_batch(stream: Any) -> None:
    tasks: set[asyncio.Task[None]] = set()
    async for batch in stream:
        tasks.add(task := asyncio.create_task(handle(batch)))
        task.add_done_callback(tasks.discard)


app.agent(batch_topic(app, ARGS["topic"]))(by_batch)

if __name__ == "__main__":
    if ARGS["uvloop"]:
        import mode.loop

        mode.loop.use("uvloop")
    app.worker_init()
    faust.Worker(app, loglevel="INFO").execute_from_commandline()
