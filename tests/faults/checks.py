"""What must hold once everything produced was handled. Each check returns the violations that it found, as text."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from clickhouse_connect.driver import Client

from pipeline.core.record import arrival_ms, row_version
from pipeline.edges.objects import object_name
from pipeline.edges.s3 import ImageStore
from pipeline.edges.sweep import sweep_replaced
from pipeline.settings import Settings
from schemas.rule import AlertRule, Window
from schemas.topics import ALERT_CANDIDATES, EVENTS, INFERENCES, REJECTS
from tests.faults.mix import SERIAL, Sent, fingerprint
from tests.faults.observe import Observer, Offsets, Place, Watch, bound

EVERY_EVENT = AlertRule(name="every_event", window=Window(count=1, within=60), group_by=("device_id",), lateness=3600)
"""A rule that makes a candidate of each event, unless it is an hour late."""


@dataclass(slots=True)
class Logged:
    """A record of the raw topic and what was meant by it. `version`: which of two with one id is the later."""

    place: Place
    version: int
    sent: Sent


@dataclass(slots=True)
class Findings:
    """The outcome of the checks of one round."""

    produced: int = 0
    stored: int = 0
    rejected: int = 0
    lost: int = 0
    doubled: int = 0
    published_again: int = 0
    samples: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Where a round began: on the raw topic and on those that are published to. `use_cases` are of this round."""

    base: Offsets
    events: Offsets
    rejects: Offsets
    candidates: Offsets
    use_cases: tuple[str, ...]


def begin_span(observer: Observer, use_cases: tuple[str, ...]) -> Span:
    """The ends of the topics now."""
    events, rejects, candidates = (observer.ends(topic.name) for topic in (EVENTS, REJECTS, ALERT_CANDIDATES))
    return Span(observer.ends(), events, rejects, candidates, use_cases)


class Checker:
    """Checks one round: `sent` and `acknowledged` are the producer's account."""

    def __init__(self, settings: Settings, observer: Observer, sql: Client, images: ImageStore, span: Span) -> None:
        self._settings = settings
        self._observer = observer
        self._sql = sql
        self._images = images
        self._span = span

    def check(
        self, sent: Sequence[Sent], acknowledged: dict[int, Place], watch: Watch, before: Sequence[Any] = ()
    ) -> Findings:
        """Everything, in the order in which a person would look. Doubled counts rows that a view shows twice.

        `before` are records that had been handled when compaction began, which may have removed them since.
        """
        end = self._observer.ends()
        records = self._observer.log(INFERENCES.name, self._span.base)
        there = {(record.partition, record.offset) for record in records}
        records = [record for record in before if (record.partition, record.offset) not in there] + records
        log = [
            Logged((record.partition, record.offset), row_version(record.timestamp, record.offset), sent[int(serial)])
            for record in records
            for name, serial in record.headers
            if name == SERIAL
        ]
        serials = {
            (record.partition, record.offset): int(value)
            for record in records
            for name, value in record.headers
            if name == SERIAL
        }
        stored, rejected = self._observer.handled(self._span.base)
        in_store = {(p, o) for p, offsets in stored.items() for o in offsets}
        in_rejects = {(p, o) for p, offsets in rejected.items() for o in offsets} - in_store
        # Replaced under another timestamp: hidden within a minute by the workers, at once here.
        sweep_replaced(self._sql, datetime.fromtimestamp(0, UTC))
        findings = Findings(len(records), len(in_store), len(in_rejects), samples=watch.samples)
        problems: list[str] = []
        gone = [place for serial, place in acknowledged.items() if serials.get(place) != serial]
        problems += _some("acknowledged by Kafka and not in its log", gone)
        handled = in_store | in_rejects
        lost = [item.place for item in log if item.place not in handled]
        problems += _some("neither stored nor rejected", lost)
        problems += self._ledger(log, in_store, in_rejects, {(r.partition, r.offset) for r in records})
        problems += self._commits({(r.partition, r.offset) for r in records}, end, watch)
        problems += self._reasons(log)
        doubled, wrong = self._views(log)
        problems += [*wrong, *self._contents(log), *self._objects(log)]
        again, missing = self._published(in_store, in_rejects)
        problems += missing
        findings.lost = len(lost) + len(gone)
        findings.doubled = doubled
        findings.published_again = again
        findings.problems = tuple(problems)
        return findings

    def _ledger(self, log: list[Logged], stored: set[Place], rejected: set[Place], all_: set[Place]) -> Iterator[str]:
        """The ledger, a roll-up by materialised views, against a recount of what was produced."""
        yield from _some("stored, but must be rejected", {i.place for i in log if i.sent.reason} & stored)
        yield from _some("rejected, but must be stored", {i.place for i in log if not i.sent.reason} & rejected)
        yield from _some("in the ledger, but not in the log", (stored | rejected) - all_)
        rows = self._sql.query(
            "SELECT DISTINCT partition, offset FROM stored_events "
            "WHERE topic = {t:String} AND NOT is_deleted AND offset >= {b:Array(UInt64)}[partition + 1]",
            parameters={"t": INFERENCES.name, "b": bound(self._span.base)},
        ).result_rows
        yield from _some("a row, but not in the ledger", {(p, o) for p, o in rows} - stored)
        counts = self._sql.query(
            "SELECT partition, stored, rejected FROM record_counts WHERE topic = {t:String}",
            parameters={"t": INFERENCES.name},
        ).result_rows
        every_stored, every_rejected = self._observer.handled({})
        for partition, in_store, in_rejects in counts:
            only = every_rejected[partition] - every_stored[partition]
            if (in_store, in_rejects) != (len(every_stored[partition]), len(only)):
                yield f"record_counts of partition {partition} differ from a recount"

    def _commits(self, places: set[Place], end: dict[int, int], watch: Watch) -> Iterator[str]:
        yield from _some("committed before it was handled", watch.passed & places)
        committed = self._observer.committed()
        behind = {p: (committed.get(p), last) for p, last in end.items() if committed.get(p, 0) != last and last}
        if behind:
            yield f"all is handled, but not all is committed: {behind}"

    def _reasons(self, log: list[Logged]) -> Iterator[str]:
        rows = self._sql.query(
            "SELECT partition, offset, reason, value FROM rejects "
            "WHERE topic = {t:String} AND offset >= {b:Array(UInt64)}[partition + 1]",
            parameters={"t": INFERENCES.name, "b": bound(self._span.base)},
            column_formats={"value": "bytes"},
        ).result_rows
        found = {(row[0], row[1]): (row[2], row[3]) for row in rows}
        expected = {item.place: (item.sent.reason, item.sent.value) for item in log if item.sent.reason}
        wrong = {place for place, each in expected.items() if found.get(place) != each}
        yield from _some("rejected with another reason or other bytes than sent", wrong)

    def _latest(self, log: list[Logged]) -> dict[str, Logged]:
        """What each event id stands for in the end."""
        latest: dict[str, Logged] = {}
        for item in sorted((item for item in log if not item.sent.reason), key=lambda item: item.version):
            latest[item.sent.event_id or f"{item.place}"] = item
        return latest

    def _views(self, log: list[Logged]) -> tuple[int, list[str]]:
        latest = self._latest(log).values()
        expected = {
            "vision_events": len(latest),
            "detections": sum(item.sent.detections for item in latest),
            "images": sum(len(item.sent.images) for item in latest),
        }
        problems, doubled = [], 0
        for view, wanted in expected.items():
            count, ids = self._sql.query(
                f"SELECT count(), uniqExact(workspace_id, event_id) FROM {view} "
                "WHERE use_case_id IN {u:Array(String)}",
                parameters={"u": list(self._span.use_cases)},
            ).result_rows[0]
            has = {"detections": lambda i: i.sent.detections, "images": lambda i: i.sent.images}.get(view, bool)
            distinct = sum(bool(has(item)) for item in latest)
            doubled += max(0, count - wanted)
            if (count, ids) != (wanted, distinct):
                problems.append(f"{view}: {count} rows of {ids} events, expected {wanted} of {distinct}")
        return doubled, problems

    def _contents(self, log: list[Logged]) -> Iterator[str]:
        rows = self._sql.query(
            "SELECT partition, offset, event_id, workspace_id, use_case_id, "
            "toUnixTimestamp64Micro(timestamp), device_id, "
            "toJSONString(custom_metadata), arrayMap(d -> (d.class, d.confidence, d.x, d.y, d.width, d.height), "
            "object_detections), images.source_id FROM vision_events WHERE use_case_id IN {u:Array(String)}",
            parameters={"u": list(self._span.use_cases)},
        ).result_rows
        found = {}
        for partition, offset, event_id, workspace, use_case, moment, device, metadata, boxes, images in rows:
            content = fingerprint(use_case, moment, device, orjson.loads(metadata), boxes, images)
            found[partition, offset] = (event_id, workspace, content)
        wrong = []
        for item in self._latest(log).values():
            event_id, workspace, content = found.get(item.place, (None, None, None))
            sent = item.sent
            if (workspace, content) != (sent.workspace_id, sent.content) or event_id != (sent.event_id or event_id):
                wrong.append(item.place)
        yield from _some("stored with other content than sent, or replaced by an earlier event", wrong)

    def _objects(self, log: list[Logged]) -> Iterator[str]:
        """Every image that an event refers to is there, under the hash of its content."""
        wanted: dict[tuple[str, str], Place] = {
            (item.sent.workspace_id, image): item.place for item in log for image in item.sent.images
        }
        for (workspace, image), place in wanted.items():
            response = self._images.client.get_object(
                bucket_name=self._settings.s3_bucket, object_name=object_name(workspace, image)
            )
            content = response.read()
            response.close()
            response.release_conn()
            if hashlib.sha256(content).hexdigest() != image:
                yield f"image {image} of {place} has other content"

    def _published(self, stored: set[Place], rejected: set[Place]) -> tuple[int, list[str]]:
        """Whoever follows the topics hears of every event and reject at least once; how often twice is counted."""
        documents = [orjson.loads(record.value) for record in self._observer.log(EVENTS.name, self._span.events)]
        events = Counter((document["partition"], document["offset"]) for document in documents)
        candidates = {
            document["event_id"]
            for record in self._observer.log(ALERT_CANDIDATES.name, self._span.candidates)
            for document in [orjson.loads(record.value)]
        }
        in_time = {
            document["event_id"]
            for document in documents
            if document["use_case_id"] in self._span.use_cases
            if arrival_ms(document["version"]) - _milliseconds(document["timestamp"]) <= 1000 * EVERY_EVENT.lateness
        }
        rejects: Counter[Place] = Counter()
        for record in self._observer.log(REJECTS.name, self._span.rejects):
            headers = dict(record.headers)
            rejects[int(headers["reject.partition"]), int(headers["reject.offset"])] += 1
        problems = [
            *_some("stored and not published", stored - events.keys()),
            *_some("published and not stored", {p for p in events if p[1] >= self._span.base.get(p[0], 0)} - stored),
            *_some("rejected and not published", rejected - rejects.keys()),
            *_some("stored, and no candidate for its alert rule", in_time - candidates),
        ]
        return events.total() - len(events) + rejects.total() - len(rejects), problems


def _milliseconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() * 1000


def _some(what: str, places: Any) -> list[str]:
    """One line that names the first few."""
    places = sorted(places)
    return [f"{len(places)} {what}: {places[:5]}"] if places else []
