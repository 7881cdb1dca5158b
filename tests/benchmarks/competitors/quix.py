"""quixstreams: a streaming dataframe with one step and a sink. `--tuned` changes what its settings allow.

As shipped: a `BatchingSink`, which is flushed at every checkpoint, that is every five seconds. Tuned: a checkpoint
every 20,000 records, one batch over all partitions, processing within the sink (no step and no message context a
record), larger fetches, collector frozen. Its sinks block the loop by design, so nothing overlaps the insert.
"""

import sys
from typing import Any

from quixstreams import Application, message_context
from quixstreams.sinks import BaseSink, BatchingSink, SinkBatch

from pipeline.core.record import Record
from tests.benchmarks.competitors.work import BATCH, TOPIC, Work, on_stop, settle_memory

_FETCH = {
    "fetch.min.bytes": 64 * 1024,
    "fetch.wait.max.ms": 50,
    "queued.min.messages": 50_000,
    "max.partition.fetch.bytes": 4 * 2**20,
}


class AsShipped(BatchingSink):
    """One insert for each partition at each checkpoint."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work

    def write(self, batch: SinkBatch) -> None:
        self._work.insert([item.value for item in batch])


class Tuned(BaseSink):
    """Processes what it is given, one insert at each checkpoint."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work
        self._lines: list[bytes] = []

    def add(self, value: Any, key: Any, timestamp: int, headers: Any, topic: str, partition: int, offset: int) -> None:
        self._lines.append(self._work.line(Record(value, topic, partition, offset, timestamp, key, headers or ())))

    def flush(self) -> None:
        if self._lines:
            self._work.insert(self._lines)
            self._lines = []


def main(tuned: bool) -> None:
    work = Work()

    def line(value: bytes, key: Any, timestamp: int, headers: Any) -> bytes:
        context = message_context()
        return work.line(Record(value, TOPIC, context.partition, context.offset, timestamp, key, headers or ()))

    app = Application(
        broker_address=work.settings.kafka_bootstrap,
        consumer_group=work.settings.ingest_group,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        loglevel="WARNING",
        **({"commit_every": BATCH, "commit_interval": 0.5, "consumer_extra_config": _FETCH} if tuned else {}),
    )
    frame = app.dataframe(app.topic(TOPIC, value_deserializer="bytes", key_deserializer="bytes"))
    if tuned:
        frame.sink(Tuned(work))
        settle_memory()
    else:
        frame.apply(line, metadata=True).sink(AsShipped(work))
    on_stop(app.stop)
    app.run()


if __name__ == "__main__":
    main("--tuned" in sys.argv)
