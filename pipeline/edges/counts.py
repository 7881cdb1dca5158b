"""What was produced, stored and rejected, and whether the services answer: the figures behind `status`."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.edges.clickhouse import connect, translated
from pipeline.edges.kafka import PartitionProgress, ask_topics, progress
from pipeline.edges.s3 import ImageStore
from pipeline.errors import VisionEventsError
from pipeline.settings import Settings
from schemas.topics import INFERENCES, TOPICS

ORDER = [topic.name for topic in TOPICS]


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


def read_status(settings: Settings) -> Status:
    """Ask all services. One that does not answer is reported in `health`, not raised."""
    health: dict[str, str] = {}
    places: list[PartitionProgress] = []
    handled: dict[str, tuple[int, int]] = {}
    events: list[int] = []

    def ask_kafka() -> None:
        places.extend(asyncio.run(progress(settings, settings.ingest_group)))

    def ask_clickhouse() -> None:
        client = connect(settings)
        with translated():
            rows = client.query(
                "SELECT topic, sum(stored), sum(rejected) FROM record_counts GROUP BY topic"
            ).result_rows
            handled.update({row[0]: (row[1], row[2]) for row in rows})
            events.append(client.query("SELECT count() FROM vision_events").result_rows[0][0])

    # ClickHouse first: records that come meanwhile make a lag, never a count of stored above produced.
    for name, ask in (
        ("clickhouse", ask_clickhouse),
        ("kafka", ask_kafka),
        ("s3", ImageStore(settings).check_bucket),
    ):
        health[name] = _health(ask)
    return Status(health, _by_topic(places, handled), events[0] if events else None)


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
        lag = sum(place.end - max(place.begin, place.committed or 0) for place in parts)
        counts.append(TopicCounts(topic, len(parts), produced, stored, rejected, lag))
    return counts
