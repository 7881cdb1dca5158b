"""Record batches for Faust: an agent is handed one fetched batch of one partition as one message.

    app = faust.App("ingest", broker=broker_url("127.0.0.1:9092"), broker_commit_interval=1.0,
                    consumer_auto_offset_reset="earliest", consumer_max_fetch_size=9 * 2**20,
                    table_standby_replicas=0)
    topic = batch_topic(app, "vision.inferences")

    @app.agent(topic)
    async def ingest(batches):
        async for batch in batches:
            await store(batch.records)   # retries in place, rejects what cannot be stored
            batch.ack()                  # only now may these offsets be committed

Without tables, `table_standby_replicas=0` selects aiokafka's round-robin assignor. Faust's own gives each worker up
to ceil(partitions / workers), so that three workers on four partitions get 2, 2 and none.

An agent that does not acknowledge stops being fed when the bounds of `BatchOptions` are reached, stays in its
group, and goes on when it does. To overlap work it keeps batches and acknowledges them later, in any order:

        async for batch in batches:
            tasks.add(task := asyncio.create_task(store_and_ack(batch)))
            task.add_done_callback(tasks.discard)

Committed is always the first record that is not acknowledged. After a rebalance or a seek, batches from before
are no longer `active`; acknowledging them does nothing and their records come again. An exception that leaves
the agent's body makes Faust start it anew and everything it held is delivered again, so a record that always
fails would do so for ever: catch, reject, acknowledge. Faust's `take`, `group_by` and the like make no sense here.
"""

from .batch import Record, RecordBatch, batch_topic
from .driver import Transport
from .options import SCHEME, BatchOptions, broker_url

__all__ = ["SCHEME", "BatchOptions", "Record", "RecordBatch", "Transport", "batch_topic", "broker_url"]
