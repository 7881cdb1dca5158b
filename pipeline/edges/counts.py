"""What was produced, stored and rejected, and whether the services answer: the figures behind `status`."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

from clickhouse_connect.driver import Client

from pipeline.core.verdict import Verdict, Waiting, judge
from pipeline.edges.clickhouse import connect, translated
from pipeline.edges.kafka import ask_topics
from pipeline.edges.progress import PartitionProgress, ProgressReader
from pipeline.edges.s3 import ImageStore
from pipeline.errors import DependencyError, VisionEventsError
from pipeline.settings import Settings
from schemas.topics import INFERENCES, TOPICS

ORDER = [topic.name for topic in TOPICS]

Result = TypeVar("Result")

_HANDLED_LAST: Final = """
SELECT partition, min(seconds)
FROM
(
    SELECT partition, dateDiff('second', max(inserted_at), now64(3)) AS seconds FROM stored_events
    WHERE topic = {topic:String} AND inserted_at > now64(3) - INTERVAL 1 HOUR GROUP BY partition
    UNION ALL
    SELECT partition, dateDiff('second', max(inserted_at), now64(3)) AS seconds FROM stored_rejects
    WHERE topic = {topic:String} AND inserted_at > now64(3) - INTERVAL 1 HOUR GROUP BY partition
)
GROUP BY partition
"""
"""Seconds since a record of each partition was stored or rejected, of those where that was within the hour."""


@dataclass(frozen=True, slots=True)
class TopicCounts:
    """Records of one topic. `stored`, `rejected` and `lag` are of the raw topic only, None elsewhere.

    `produced` counts every record ever appended, those that retention removed included.
    """

    topic: str
    partitions: int
    produced: int
    stored: int | None = None
    rejected: int | None = None
    lag: int | None = None

    @property
    def unaccounted(self) -> int | None:
        """Records that are neither stored nor rejected yet: 0 when the workers have caught up."""
        if self.stored is None or self.rejected is None:
            return None
        return self.produced - self.stored - self.rejected


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the whole system. `health` maps a service to "ok" or to what is wrong with it."""

    health: dict[str, str]
    topics: list[TopicCounts]
    events: int | None
    workers: int | None
    """Workers in the consumer group, None when Kafka does not answer."""
    verdict: Verdict


def read_status(settings: Settings) -> Status:
    """Ask all services once. One that does not answer is reported in `health`, not raised."""
    with StatusReader(settings) as reader:
        return reader.read()


class StatusReader:
    """Reads the status as often as wanted, over connections that are kept while they work. All from one thread.

    `limits` are settings of ClickHouse for its queries (`queries.limits`).
    """

    def __init__(self, settings: Settings, limits: Mapping[str, Any] | None = None) -> None:
        self._limits = limits
        self._settings = settings
        self._runner = asyncio.Runner()
        self._kafka: ProgressReader | None = None
        self._clickhouse: Client | None = None
        self._images = ImageStore(settings)

    def __enter__(self) -> Self:
        """Nothing is connected before it is needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        if self._kafka is not None:
            self._runner.run(self._kafka.close())
        self._runner.close()

    def read(self) -> Status:
        """Ask all services. One that does not answer is reported in `health`, not raised."""
        handled: dict[str, tuple[int, int]] = {}
        events: list[int] = []
        places: list[PartitionProgress] = []
        workers: list[int] = []
        waiting: list[Waiting] = []

        def ask_clickhouse() -> None:
            handled.update(self._handled())
            with translated():
                events.append(self._client().query("SELECT count() FROM vision_events").result_rows[0][0])

        def ask_kafka() -> None:
            places.extend(self._ask_kafka(lambda kafka: kafka.read(self._settings.ingest_group)))
            workers.append(self._ask_kafka(lambda kafka: kafka.members(self._settings.ingest_group)))

        # ClickHouse first: records that come meanwhile make a lag, never a count of stored above produced.
        asks = {"clickhouse": ask_clickhouse, "kafka": ask_kafka, "s3": self._images.check_bucket}
        health = {name: _health(ask) for name, ask in asks.items()}
        if health["clickhouse"] == health["kafka"] == "ok":
            health["kafka"] = _health(lambda: waiting.extend(self._waiting(places)))
        topics = _by_topic(places, handled)
        unaccounted = self._unaccounted(topics, waiting) if events and health["kafka"] == "ok" else None
        members = workers[0] if workers else None
        verdict = judge(health, members, waiting, unaccounted, self._settings.stuck_after_s)
        return Status(health, topics, events[0] if events else None, members, verdict)

    def _client(self) -> Client:
        if self._clickhouse is None:
            self._clickhouse = connect(self._settings, limits=self._limits)
        return self._clickhouse

    def _handled(self) -> dict[str, tuple[int, int]]:
        with translated():
            rows = (
                self._client()
                .query("SELECT topic, sum(stored), sum(rejected) FROM record_counts GROUP BY topic")
                .result_rows
            )
        return {row[0]: (row[1], row[2]) for row in rows}

    def _ask_kafka(self, ask: Callable[[ProgressReader], Coroutine[Any, Any, Result]]) -> Result:
        """Ask over the connection that is kept; one that fails is made anew the next time."""

        async def run() -> Result:
            if self._kafka is None:
                reader = ProgressReader(self._settings)
                await reader.start()
                self._kafka = reader
            return await ask(self._kafka)

        try:
            return self._runner.run(run())
        except DependencyError:
            if self._kafka is not None:
                self._runner.run(self._kafka.close())
                self._kafka = None
            raise

    def _waiting(self, places: Sequence[PartitionProgress]) -> list[Waiting]:
        """The partitions of the raw topic in which records wait."""
        lagging = [place for place in places if place.topic == INFERENCES.name and place.lag]
        if not lagging:
            return []
        with translated():
            rows = self._client().query(_HANDLED_LAST, parameters={"topic": INFERENCES.name}).result_rows
        handled = {row[0]: float(row[1]) for row in rows}
        silent = [p for p in lagging if handled.get(p.partition, math.inf) >= self._settings.stuck_after_s]
        oldest = self._ask_kafka(lambda kafka: kafka.waiting_since(silent)) if silent else {}
        return [
            Waiting(
                f"{place.topic}/{place.partition}", place.lag, oldest.get(place.partition), handled.get(place.partition)
            )
            for place in lagging
        ]

    def _unaccounted(self, topics: Sequence[TopicCounts], waiting: Sequence[Waiting]) -> int | None:
        """Records produced by the time Kafka was asked that are neither stored nor rejected."""
        raw = next((counts for counts in topics if counts.topic == INFERENCES.name), None)
        if raw is None or raw.unaccounted is None or raw.unaccounted <= sum(item.records for item in waiting):
            return raw.unaccounted if raw else None
        # The workers went on between the two questions: what Kafka calls done is in the tables by now, or never.
        stored, rejected = self._handled().get(raw.topic, (0, 0))
        return max(0, raw.produced - stored - rejected)


def read_health(settings: Settings) -> dict[str, str]:
    """Whether each service answers, without counting anything: cheap enough to be asked every second."""

    def ask_clickhouse() -> None:
        with translated():
            connect(settings).command("SELECT 1")

    def ask_kafka() -> None:
        asyncio.run(ask_topics(settings))

    asks = {"clickhouse": ask_clickhouse, "kafka": ask_kafka, "s3": ImageStore(settings).check_bucket}
    return {name: _health(ask) for name, ask in asks.items()}


def _health(ask: Callable[[], None]) -> str:
    try:
        ask()
    except VisionEventsError as error:
        return str(error)
    return "ok"


def _by_topic(places: list[PartitionProgress], handled: dict[str, tuple[int, int]]) -> list[TopicCounts]:
    grouped: dict[str, list[PartitionProgress]] = defaultdict(list)
    for place in places:
        grouped[place.topic].append(place)
    counts = []
    for topic, parts in sorted(grouped.items(), key=lambda item: ORDER.index(item[0])):
        produced = sum(place.end for place in parts)
        if topic != INFERENCES.name:
            counts.append(TopicCounts(topic, len(parts), produced))
            continue
        stored, rejected = handled.get(topic, (0, 0))
        lag = sum(place.lag for place in parts)
        counts.append(TopicCounts(topic, len(parts), produced, stored, rejected, lag))
    return counts
