"""What the system itself shows: the raw topic, what is handled, what is committed. Asked directly, past the proxies."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from clickhouse_connect.driver import Client

from pipeline.edges.clickhouse import translated
from pipeline.edges.kafka import connection
from pipeline.errors import DependencyError
from pipeline.settings import Settings
from schemas.topics import INFERENCES
from tests.faults.proxy import Background

Place = tuple[int, int]
"""Partition and offset."""
Offsets = dict[int, int]
"""An offset of each partition."""


def bound(offsets: Offsets) -> list[int]:
    """Offsets as a parameter of type Array(UInt64), to be indexed by partition + 1."""
    return [offsets.get(partition, 0) for partition in range(max(offsets, default=-1) + 1)]


@dataclass(slots=True)
class Watch:
    """Samples of a round: committed offsets, read first, and what was handled, read afterwards."""

    base: Offsets
    samples: int = 0
    passed: set[Place] = field(default_factory=set)
    """Offsets that were committed although nothing had become of them. Gaps are among them; the log tells."""


class Observer:
    """Asks Kafka and ClickHouse over connections of its own. Every method raises DependencyError while one is away."""

    def __init__(self, background: Background, settings: Settings, sql: Client) -> None:
        self._background = background
        self._settings = settings
        self._sql = sql
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._partitions_of: dict[str, list[int]] = {}

    def ends(self, topic: str = INFERENCES.name) -> Offsets:
        """Where each partition ends."""
        return self._ask(self._ends(topic))

    def committed(self) -> Offsets:
        """Committed offsets of the ingest group on the raw topic."""

        async def ask() -> Offsets:
            found = await (await self._admin_client()).list_consumer_group_offsets(self._settings.ingest_group)
            return {place.partition: each.offset for place, each in found.items() if place.topic == INFERENCES.name}

        return self._ask(ask())

    def members(self) -> list[int]:
        """For each member of the ingest group, the length of its assignment in bytes: 0 before it has one."""

        async def ask() -> list[int]:
            (answer,) = await (await self._admin_client()).describe_consumer_groups([self._settings.ingest_group])
            (found,) = [part for part in answer.groups[0] if isinstance(part, list)]
            return [len(member[-1]) for member in found]

        return self._ask(ask())

    def leaders(self) -> dict[int, int]:
        """The broker that leads each partition of the raw topic."""

        async def ask() -> dict[int, int]:
            (described,) = await (await self._admin_client()).describe_topics([INFERENCES.name])
            return {each["partition"]: each["leader"] for each in described["partitions"]}

        return self._ask(ask())

    def log(self, topic: str, begin: Offsets) -> list[Any]:
        """The records of a topic from these offsets to its end, as a consumer of committed transactions sees them."""
        return self._ask(self._read(topic, begin))

    def handled(self, base: Offsets) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
        """Offsets from `base` on that are stored, and those that are rejected, by partition: from the ledger."""
        stored: dict[int, set[int]] = defaultdict(set)
        rejected: dict[int, set[int]] = defaultdict(set)
        rows = self._query(
            "WITH {b:Array(UInt64)}[partition + 1] AS begin "
            "SELECT partition, arrayFilter(o -> o >= begin, bitmapToArray(s)), "
            "arrayFilter(o -> o >= begin, bitmapToArray(r)) FROM (SELECT partition, "
            "groupBitmapMergeState(stored) AS s, groupBitmapMergeState(rejected) AS r FROM record_ledger "
            "WHERE topic = {t:String} GROUP BY partition, chunk)",
            {"t": INFERENCES.name, "b": bound(base)},
        )
        for partition, in_store, in_rejects in rows:
            stored[partition].update(in_store)
            rejected[partition].update(in_rejects)
        return stored, rejected

    def count_handled(self, base: Offsets, end: Offsets) -> int:
        """How many offsets of a span are stored or rejected."""
        return int(
            self._query(
                "SELECT sum(bitmapCardinality(bitmapSubsetInRange(bitmapOr(s, r), "
                "{b:Array(UInt64)}[partition + 1], {e:Array(UInt64)}[partition + 1]))) "
                "FROM (SELECT partition, groupBitmapMergeState(stored) AS s, "
                "groupBitmapMergeState(rejected) AS r FROM record_ledger WHERE topic = {t:String} "
                "GROUP BY partition, chunk)",
                {"t": INFERENCES.name, "b": bound(base), "e": bound(end)},
            )[0][0]
        )

    def sample(self, watch: Watch) -> None:
        """Note what was committed and not handled. Committed is read first: what it covers must be there."""
        committed = self.committed()
        stored, rejected = self.handled(watch.base)
        for partition, offset in committed.items():
            span = set(range(watch.base.get(partition, 0), offset))
            watch.passed |= {(partition, n) for n in span - stored[partition] - rejected[partition]}
        watch.samples += 1

    def close(self) -> None:
        self._background.run(self._forget())

    def _query(self, statement: str, parameters: dict[str, Any]) -> Any:
        with translated():
            return self._sql.query(statement, parameters=parameters).result_rows

    def _ask(self, work: Any) -> Any:
        try:
            return self._background.run(work)
        except (KafkaError, TimeoutError) as error:
            self._background.run(self._forget())
            raise DependencyError(repr(error)) from error

    async def _forget(self) -> None:
        for client in (self._consumer, self._admin):
            if client is not None:
                await (client.stop() if isinstance(client, AIOKafkaConsumer) else client.close())
        self._consumer = self._admin = None

    async def _admin_client(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            client = AIOKafkaAdminClient(**connection(self._settings), request_timeout_ms=5_000)
            await client.start()
            self._admin = client
        return self._admin

    async def _partitions(self, topic: str) -> tuple[AIOKafkaConsumer, list[TopicPartition]]:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                **connection(self._settings),
                enable_auto_commit=False,
                isolation_level="read_committed",
                auto_offset_reset="earliest",
                max_partition_fetch_bytes=16 * 2**20,
                request_timeout_ms=10_000,
            )
            await consumer.start()
            self._consumer = consumer
        if topic not in self._partitions_of:
            (described,) = await (await self._admin_client()).describe_topics([topic])
            self._partitions_of[topic] = sorted(each["partition"] for each in described["partitions"])
        return self._consumer, [TopicPartition(topic, partition) for partition in self._partitions_of[topic]]

    async def _ends(self, topic: str) -> Offsets:
        consumer, places = await self._partitions(topic)
        return {place.partition: end for place, end in (await consumer.end_offsets(places)).items()}

    async def _read(self, topic: str, begin: Offsets) -> list[Any]:
        consumer, places = await self._partitions(topic)
        ends = await self._ends(topic)
        left = {place for place in places if ends[place.partition] > begin.get(place.partition, 0)}
        records: list[Any] = []
        if not left:
            return records
        consumer.assign(list(left))
        for place in left:
            consumer.seek(place, begin.get(place.partition, 0))
        while left:
            for part in (await consumer.getmany(*left, timeout_ms=200)).values():
                records += part
            left = {place for place in left if await consumer.position(place) < ends[place.partition]}
        consumer.unsubscribe()
        return [record for record in records if record.offset < ends[record.partition]]
