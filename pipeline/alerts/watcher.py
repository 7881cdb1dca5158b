"""The agent of `vision.alert-candidates`: keeps the state of all groups, and says what began and what ended.

The order of effects of a step: the state, with the alerts that follow from it in its outbox; then the alerts on
`vision.alerts`; then the state with an empty outbox; then the acknowledgement. A crash in between leaves alerts in
the outbox, and whoever takes over the partition publishes them, with the same ids.
"""

import asyncio
import itertools
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline import metrics
from pipeline.alerts.progress import Reached
from pipeline.alerts.store import PartitionTable
from pipeline.alerts.traces import AlertTraces
from pipeline.core.alerts.engine import Changes, Engine, Group, Rules
from pipeline.core.alerts.messages import cloud_event
from pipeline.core.registry import Registry
from pipeline.edges.registry import RegistryReader, read_since
from pipeline.edges.retry import until_done
from pipeline.edges.s3 import ImageStore
from pipeline.errors import DependencyError, VisionEventsError
from pipeline.transport import RecordBatch
from pipeline.worker.tracing import Headers
from schemas.alert import Alert
from schemas.topics import ALERTS

log = logging.getLogger(__name__)

_META: Final = b"\x00arrived"
"""The entry of a partition that tells how far time has come."""
_LINK: Final = timedelta(days=7)
"""Life of a link to an image: the longest that S3 signs for."""


class Watcher:
    """Groups of the partitions that this worker has, and what happens to them."""

    def __init__(
        self,
        table: PartitionTable,
        registry: RegistryReader,
        producer: AIOKafkaProducer,
        images: ImageStore,
        slack_ms: int,
        traces: AlertTraces,
    ) -> None:
        self._table = table
        self._registry = registry
        self._producer = producer
        self._images = images
        self._slack_ms = slack_ms
        self._traces = traces
        self._engines: dict[int, tuple[int, Engine]] = {}
        """For each partition, the generation in which it was taken from the table, and its state since."""
        self._compiled: tuple[Registry | None, Rules] = (None, {})
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        """For each partition: a step waits for Kafka, and partitions need not wait for one another."""
        self._waiting: dict[int, list[RecordBatch]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def watch(self, batches: AsyncIterable[RecordBatch]) -> None:
        """The body of the Faust agent. No exception leaves it: Faust would take that for "done, go on"."""
        try:
            async for batch in batches:
                # Batches that came while one was written are taken together: few writes where much comes.
                waiting = self._waiting.setdefault(batch.partition, [])
                waiting.append(batch)
                if len(waiting) == 1:
                    task = asyncio.ensure_future(self._take_waiting(batch.partition))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        except VisionEventsError as error:
            if not self._failure.done():
                self._failure.set_exception(error)
            await asyncio.Event().wait()  # returning would make Faust start the agent anew

    async def _take_waiting(self, partition: int) -> None:
        try:
            async with self._locks[partition]:
                taken = self._waiting.pop(partition)
                newest = taken[-1].generation
                if active := [batch for batch in taken if batch.active and batch.generation == newest]:
                    await self._take(active)
        except Exception as error:
            if not self._failure.done():
                self._failure.set_exception(error)

    async def failed(self) -> None:
        """Wait until the agent cannot go on, and raise why."""
        await self._failure

    async def time_passed(
        self, reached: Reached, done: Mapping[int, int], generation: int, is_current: Callable[[], bool]
    ) -> Reached | None:
        """All records that arrived up to `reached.arrived` are candidates; `done` says how far they are handled.

        Returns what is left for the next time: partitions whose candidates are not handled that far yet. `is_current`
        says whether the partitions are still those of `generation`.
        """
        left = {partition: end for partition, end in reached.ends.items() if done.get(partition, end) < end}

        async def pass_on(partition: int) -> None:
            async with self._locks[partition]:
                if is_current():
                    await self._time_passed(partition, generation, reached.arrived)

        await asyncio.gather(*map(pass_on, done.keys() - left.keys()))
        return Reached(reached.arrived, left) if left and is_current() else None

    def open_alerts(self) -> list[Alert]:
        """The alerts that are open on this worker's partitions, those that are suppressed left out."""
        return [alert for _, engine in self._engines.values() for alert in engine.firing() if not alert.suppressed_by]

    async def _time_passed(self, partition: int, generation: int, arrived: int) -> None:
        engine = await self._engine(partition, generation)
        before = engine.arrived
        changes = engine.time_passed(self._rules(), arrived, datetime.now(UTC))
        # Before what follows from it: groups are forgotten only when what comes again is known to be old.
        entries: dict[bytes, bytes | None] = {}
        if engine.groups or before < 0 or changes.groups:
            entries[_META] = orjson.dumps(engine.arrived)
        await self._effect(partition, engine, changes, entries)

    async def _take(self, batches: Sequence[RecordBatch]) -> None:
        """Take batches of one partition and one generation, in order."""
        begun, first = time.monotonic(), batches[0]
        documents = []
        for record in itertools.chain.from_iterable(batches):
            if (document := _parse(record.value)) is not None:
                documents.append(document)
                self._traces.remember(document["event_id"], record.headers)
        if self._is_unknown(documents):
            await read_since(self._registry, begun)
        engine = await self._engine(first.partition, first.generation)
        changes = engine.candidates(self._rules(), documents, datetime.now(UTC))
        metrics.RULE_EVALUATIONS.inc(len(documents))
        await self._effect(first.partition, engine, changes, {})
        for batch in batches:
            batch.ack()
        if changes.outdated:
            log.info("%d candidates of rules that were changed meanwhile are passed over", changes.outdated)

    def _is_unknown(self, documents: Sequence[Mapping[str, Any]]) -> bool:
        rules = self._rules()
        known = {(item["use_case_id"], item["rule"], item["revision"]) for item in documents}
        return any((rule := rules.get(key[:2])) is None or rule.revision != key[2] for key in known)

    async def _engine(self, partition: int, generation: int) -> Engine:
        """The state of a partition, taken from the table when it came to this worker."""
        known, engine = self._engines.get(partition, (-1, Engine(self._slack_ms)))
        if known != generation:
            entries = dict(self._table.entries(partition))
            arrived = orjson.loads(entries.pop(_META, b"-1"))
            engine = Engine(self._slack_ms)
            engine.restore({key.decode(): Group.load(value) for key, value in entries.items()}, arrived)
            for key, alerts in engine.untold().items():
                await self._publish(alerts)
                await self._write(partition, {key: engine.told([key])[key]}, {})
            # What was taken in an earlier generation is of no use any more, or not this worker's.
            current = {place: held for place, held in self._engines.items() if held[0] >= generation}
            self._engines = current | {partition: (generation, engine)}
        engine.silences = self._registry.current.silences
        return engine

    async def _effect(self, partition: int, engine: Engine, changes: Changes, first: dict[bytes, bytes | None]) -> None:
        await self._write(partition, changes.groups, first)
        if changes.alerts:
            await self._publish(changes.alerts)
            await self._write(partition, engine.told(changes.groups), {})

    async def _write(
        self, partition: int, groups: Mapping[str, Group | None], first: dict[bytes, bytes | None]
    ) -> None:
        entries = first | {key.encode(): group.dump() if group is not None else None for key, group in groups.items()}
        if entries:
            await until_done(lambda: self._table.write(partition, entries))

    async def _publish(self, alerts: Sequence[Alert]) -> None:
        async def send(headers: Sequence[Headers]) -> None:
            try:
                sent = []
                for alert, given in zip(alerts, headers, strict=True):
                    key, value = alert.fingerprint.encode(), cloud_event(self._linked(alert)).model_dump_json().encode()
                    sent.append(await self._producer.send(ALERTS.name, value, key=key, headers=given))
                await asyncio.gather(*sent)
            except KafkaError as error:
                raise DependencyError(f"Kafka: {error!r}") from error

        with self._traces.published(alerts) as headers:
            await until_done(lambda: send(headers))
        for alert in alerts:
            metrics.ALERT_TRANSITIONS.labels(alert.status).inc()
            about = {"alert_id": alert.alert_id, "event_id": alert.event_id}
            log.info("%s: %s of %s %s", alert.status, alert.rule, alert.use_case_id, alert.group, extra=about)

    def _linked(self, alert: Alert) -> Alert:
        if not alert.image_id:
            return alert
        return alert.model_copy(update={"image_url": self._images.link(alert.workspace_id, alert.image_id, _LINK)})

    def _rules(self) -> Rules:
        registry = self._registry.current
        if self._compiled[0] is not registry:
            rules = {(rule.use_case_id, rule.rule.name): rule for found in registry.rules.values() for rule in found}
            self._compiled = (registry, rules)
        return self._compiled[1]


def _parse(value: bytes | None) -> dict[str, Any] | None:
    try:
        document = orjson.loads(value or b"")
        if isinstance(document, dict) and {"use_case_id", "rule", "revision", "group", "time"} <= document.keys():
            return document
    except orjson.JSONDecodeError:
        pass
    log.error("a record of vision.alert-candidates is not a candidate and is passed over")
    return None
