"""Sends rejects to the raw topic again, and tells what became of them.

A record is published first and marked after that: a crash in between leaves it open, and it is replayed once more.
That, and two people who replay the same rejects at once, makes no second event, because every try of a record carries
the place of the first one and with it the event's id; tries that are rejected again are one reject.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from clickhouse_connect.driver import Client

from pipeline.core.record import ORIGIN_HEADER, ORIGIN_TIME_HEADER
from pipeline.edges.clickhouse import translated
from pipeline.edges.kafka import producer, start_producer
from pipeline.edges.rejects import Place, RejectFilter, StoredReject, list_places, read_rejects
from pipeline.errors import DependencyError
from pipeline.settings import Settings

_PAGE_REJECTS: Final = 500
_PAGE_BYTES: Final = 16 * 1024 * 1024

_OUTCOMES: Final = """
SELECT multiIf(bitmapContains(l.offsets, d.replayed_offset), 'stored', r.reason != '', r.reason, '') AS became, count()
FROM (SELECT * FROM reject_decisions WHERE replay = {replay:String}) AS d
LEFT JOIN
(
    SELECT topic, partition, chunk, groupBitmapMergeState(stored) AS offsets
    FROM record_ledger
    GROUP BY topic, partition, chunk
) AS l ON l.topic = d.replayed_topic AND l.partition = d.replayed_partition
    AND l.chunk = intDiv(d.replayed_offset, 1048576)
LEFT JOIN (SELECT topic, partition, offset, toString(reason) AS reason FROM stored_rejects FINAL) AS r
    ON r.topic = d.replayed_topic AND r.partition = d.replayed_partition AND r.offset = d.replayed_offset
GROUP BY became
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of replayed records: stored, rejected again (by reason), or not handled yet."""

    stored: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    waiting: int = 0


def replay_rejects(
    settings: Settings,
    client: Client,
    chosen: RejectFilter,
    replay: str,
    by: str,
    progress: Callable[[int, int], None],
    limit: int | None = None,
) -> int:
    """Publish the rejects that match now, at most `limit`, and mark them as replayed. Returns how many.

    `replay` names this run, `progress` is told how many of how many are done. Rejects that arrive meanwhile, those
    rejected again among them, are left alone. Raises DependencyError.
    """
    places = list_places(client, chosen, limit)
    return asyncio.run(_replay(settings, client, places, replay, by, progress)) if places else 0


def outcome_of(client: Client, replay: str) -> Outcome:
    """What became of the records of one run so far. Raises as `clickhouse.translated`."""
    with translated():
        became: dict[str, int] = dict(client.query(_OUTCOMES, parameters={"replay": replay}).result_rows)  # type: ignore[arg-type]  # two columns
    return Outcome(became.pop("stored", 0), waiting=became.pop("", 0), rejected=became)


async def _replay(
    settings: Settings,
    client: Client,
    places: Sequence[tuple[Place, int]],
    replay: str,
    by: str,
    progress: Callable[[int, int], None],
) -> int:
    kafka = producer(settings)
    await start_producer(kafka)
    done = seen = 0
    try:
        for page in _pages(places):
            rejects = await asyncio.to_thread(read_rejects, client, page)
            sent = await _publish(kafka, rejects)
            await asyncio.to_thread(_mark, client, rejects, sent, replay, by)
            done += len(rejects)
            seen += len(page)
            await asyncio.to_thread(progress, seen, len(places))
    finally:
        await kafka.stop()
    return done


def _pages(places: Sequence[tuple[Place, int]]) -> Iterator[list[Place]]:
    """Pages of one partition each, bounded in number and bytes: a record may have 8 MiB."""
    page: list[Place] = []
    size = 0
    for place, length in places:
        full = len(page) >= _PAGE_REJECTS or size + length > _PAGE_BYTES
        if page and (full or place[:2] != page[0][:2]):
            yield page
            page, size = [], 0
        page.append(place)
        size += length
    if page:
        yield page


async def _publish(kafka: AIOKafkaProducer, rejects: Sequence[StoredReject]) -> list[Place]:
    """Where the records lie now, once all replicas have them."""
    try:
        pending = []
        for reject in rejects:
            headers = list(reject.headers)
            if all(name != ORIGIN_HEADER for name, _ in headers):
                arrived = str(round(reject.timestamp.replace(tzinfo=UTC).timestamp() * 1000))
                headers += [(ORIGIN_HEADER, reject.id.encode()), (ORIGIN_TIME_HEADER, arrived.encode())]
            pending.append(await kafka.send(reject.topic, key=reject.key or None, value=reject.value, headers=headers))
        return [(sent.topic, sent.partition, sent.offset) for sent in await asyncio.gather(*pending)]
    except KafkaError as error:
        raise DependencyError(f"Kafka: {error!r}") from error


def _mark(client: Client, rejects: Sequence[StoredReject], sent: Sequence[Place], replay: str, by: str) -> None:
    rows = [(*reject[:3], "replayed", by, replay, *place) for reject, place in zip(rejects, sent, strict=True)]
    names = ("topic", "partition", "offset", "state", "decided_by", "replay")
    with translated():
        client.insert(
            "reject_decisions",
            rows,
            column_names=(*names, "replayed_topic", "replayed_partition", "replayed_offset"),
        )
