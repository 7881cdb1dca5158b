"""A span of time of the raw topic: which offsets it has, and how far a run over it has come.

The place of a run is committed to a consumer group of the span's own. The commit's metadata holds the whole span in
offsets, so that a run that goes on has the same end, and one that is done is not taken for one that was cut off.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from pipeline.edges.kafka import admin
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings
from schemas.topics import INFERENCES


@dataclass(frozen=True, slots=True)
class Span:
    """Records that arrived from `begin` up to `end` (None: up to now), of one use case or of all."""

    begin: datetime
    end: datetime | None = None
    use_case: str | None = None

    def group(self, live: str) -> str:
        """The consumer group that keeps the place: the same for the same span."""
        end = f"{self.end:%Y%m%dT%H%M%S}" if self.end else "now"
        return f"{live}.replay.{self.begin:%Y%m%dT%H%M%S}.{end}.{self.use_case or 'all'}"


@dataclass(slots=True)
class TopicSpan:
    """A span in offsets. `places` is the first offset of each partition that is not done."""

    begins: dict[TopicPartition, int]
    ends: dict[TopicPartition, int]
    places: dict[TopicPartition, int]
    resumed: bool = False
    finished: bool = False
    _pending: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def total(self) -> int:
        """Offsets of the whole span."""
        return sum(end - self.begins[place] for place, end in self.ends.items())

    @property
    def done(self) -> int:
        """Offsets that are done."""
        return sum(offset - self.begins[place] for place, offset in self.places.items())

    def hand_out(self, place: TopicPartition, after: int) -> Callable[[], None]:
        """Note that records up to `after` are under way; the result is to be called when they are durable.

        Of one partition these are called in the order in which they were handed out.
        """
        self._pending += 1

        def acknowledge() -> None:
            self.places[place] = after
            self._pending -= 1
            self._idle.set()

        return acknowledge

    async def all_done(self) -> None:
        """Wait until nothing is under way."""
        while self._pending:
            self._idle.clear()
            await self._idle.wait()

    def finish(self) -> None:
        """All of the span is done, offsets without a record included."""
        self.places, self.finished = dict(self.ends), True


async def find_span(settings: Settings, consumer: AIOKafkaConsumer, span: Span) -> TopicSpan:
    """The offsets of a span, and the consumer placed where reading goes on. Raises ConfigurationError when empty."""
    async with admin(settings) as client:
        (described,) = await client.describe_topics([INFERENCES.name])
        group = span.group(settings.ingest_group)
        committed: dict[TopicPartition, Any] = await client.list_consumer_group_offsets(group)
    partitions = [TopicPartition(INFERENCES.name, part["partition"]) for part in described["partitions"]]
    consumer.assign(partitions)
    topic = _resumed(committed, partitions) or await _new(consumer, partitions, span)
    if not topic.total:
        raise ConfigurationError(
            f"no record of {INFERENCES.name} arrived in that span; the topic keeps them "
            f"{INFERENCES.retention_ms // 86_400_000} days"
        )
    earliest = await consumer.beginning_offsets(partitions)
    for place, offset in topic.places.items():
        consumer.seek(place, max(offset, earliest[place]))
    return topic


async def mark_place(consumer: AIOKafkaConsumer, topic: TopicSpan) -> None:
    """Commit how far the run has come."""
    await consumer.commit(
        {
            place: OffsetAndMetadata(
                offset,
                orjson.dumps([topic.begins[place], topic.ends[place], topic.finished]).decode(),
            )
            for place, offset in topic.places.items()
        }
    )


def _resumed(committed: dict[TopicPartition, Any], partitions: list[TopicPartition]) -> TopicSpan | None:
    """The span of a run that was cut off."""
    spans = {place: orjson.loads(committed[place].metadata) for place in partitions if place in committed}
    if len(spans) != len(partitions) or all(finished for _, _, finished in spans.values()):
        return None
    return TopicSpan(
        {place: begin for place, (begin, _, _) in spans.items()},
        {place: end for place, (_, end, _) in spans.items()},
        {place: committed[place].offset for place in partitions},
        resumed=True,
    )


async def _new(consumer: AIOKafkaConsumer, partitions: list[TopicPartition], span: Span) -> TopicSpan:
    latest = await consumer.end_offsets(partitions)
    begins = await _at(consumer, latest, span.begin)
    ends = await _at(consumer, latest, span.end) if span.end else latest
    ends = {place: max(end, begins[place]) for place, end in ends.items()}
    return TopicSpan(begins, ends, dict(begins))


async def _at(
    consumer: AIOKafkaConsumer, latest: dict[TopicPartition, int], moment: datetime
) -> dict[TopicPartition, int]:
    """The first offset of each partition at or after a moment; the end of the log where there is none."""
    milliseconds = int(moment.astimezone(UTC).timestamp() * 1000)
    found = await consumer.offsets_for_times(dict.fromkeys(latest, milliseconds))
    return {place: found[place].offset if found.get(place) else end for place, end in latest.items()}
