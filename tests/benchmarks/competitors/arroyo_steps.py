"""sentry-arroyo: process in a step, gather in a step, insert in a step, commit. `--tuned` changes what it allows.

As shipped: its own defaults for the consumer, an insert in the step itself. Tuned: processing as the batch is gathered
(no message object a step), inserts in a thread, longer fetch queues without librdkafka's back-off of a second when
they are full, no statistics every second, collector frozen.
"""

import sys
from collections.abc import Mapping
from typing import Any

from arroyo.backends.kafka import KafkaConsumer, KafkaPayload
from arroyo.backends.kafka.configuration import build_kafka_consumer_configuration
from arroyo.processing import StreamProcessor
from arroyo.processing.strategies import (
    BatchStep,
    CommitOffsets,
    ProcessingStrategy,
    ProcessingStrategyFactory,
    Reduce,
    RunTask,
    RunTaskInThreads,
)
from arroyo.types import BaseValue, Commit, Message, Partition, Topic

from pipeline.core.record import Record
from tests.benchmarks.competitors.work import BATCH, TOPIC, Work, on_stop, settle_memory

_FETCH: dict[str, Any] = {
    "fetch.queue.backoff.ms": 5,
    "fetch.wait.max.ms": 50,
    "max.partition.fetch.bytes": 4 * 2**20,
    "statistics.interval.ms": 0,
}


def line(work: Work, payload: KafkaPayload, value: BaseValue[KafkaPayload]) -> bytes:
    ((partition, following),) = value.committable.items()
    timestamp = int(value.timestamp.timestamp() * 1000) if value.timestamp else 0
    record = Record(payload.value, TOPIC, partition.index, following - 1, timestamp, payload.key, payload.headers)
    return work.line(record)


class AsShipped(ProcessingStrategyFactory[KafkaPayload]):
    def __init__(self, work: Work) -> None:
        self._work = work

    def create_with_partitions(
        self, commit: Commit, partitions: Mapping[Partition, int]
    ) -> ProcessingStrategy[KafkaPayload]:
        work = self._work

        def insert(message: Message[Any]) -> None:
            work.insert([value.payload for value in message.payload])

        def process(message: Message[KafkaPayload]) -> bytes:
            return line(work, message.payload, message.value)

        gather: Any = BatchStep(BATCH, 1.0, RunTask(insert, CommitOffsets(commit)))
        return RunTask(process, gather)


class Tuned(ProcessingStrategyFactory[KafkaPayload]):
    def __init__(self, work: Work) -> None:
        self._work = work

    def create_with_partitions(
        self, commit: Commit, partitions: Mapping[Partition, int]
    ) -> ProcessingStrategy[KafkaPayload]:
        work = self._work

        def add(lines: list[bytes], value: BaseValue[KafkaPayload]) -> list[bytes]:
            lines.append(line(work, value.payload, value))
            return lines

        def insert(message: Message[list[bytes]]) -> None:
            work.insert(message.payload)

        write: Any = RunTaskInThreads(insert, 1, 1, CommitOffsets(commit))
        return Reduce(BATCH, 0.5, add, list, write)


def main(tuned: bool) -> None:
    work = Work()
    configuration = build_kafka_consumer_configuration(
        {},
        bootstrap_servers=[work.settings.kafka_bootstrap],
        group_id=work.settings.ingest_group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **({"queued_min_messages": 100_000} if tuned else {}),
    )
    if tuned:
        configuration |= _FETCH  # its own values would win over the override
    factory = Tuned(work) if tuned else AsShipped(work)
    processor = StreamProcessor(KafkaConsumer(configuration), Topic(TOPIC), factory)
    on_stop(processor.signal_shutdown)
    if tuned:
        settle_memory()
    processor.run()


if __name__ == "__main__":
    main("--tuned" in sys.argv)
