"""A plain Python model of the store and of its queries, and strategies for both: what the SQL is held against."""

import operator
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from hypothesis import strategies as st

from pipeline.core.query.cursor import Position
from pipeline.core.query.document import EVENT_FIELDS, EventQuery
from pipeline.core.record import row_version
from pipeline.edges.clickhouse import insert_events
from pipeline.edges.deletion import delete_events
from pipeline.edges.events import EventReader
from schemas.annotations import ANNOTATION_KINDS
from schemas.use_case import metadata_type
from tests.integration.sql_support import Database

BASE = datetime.now(UTC).replace(microsecond=0) - timedelta(days=5)
LOOKBACK_DAYS = 14
TIMEOUT_S = 60

# Few of each, so that filters find something; and whatever could break out of a literal, a name or a placeholder.
TEXTS = ["", "a", "L1", "l1", "'; DROP TABLE stored_events; --", "\\", "\\N", "a\tb\n", "`", "{p0:String}", "%", "üß€"]
NUMBERS = [0, 1, -1, 25, 25.5, 0.1, 1e15, 2**53 + 1, -(2**63)]
KEYS = ["k", "part number", "a-b", "null", "size0"]
CLASSES = ["scratch", "dent", "o'ring"]
DEVICES = ["", "cam-1", "cam 2"]
CONFIDENCES = [None, 0.0, 0.1, 0.5, 0.9, 1.0]

_OPERATORS = {"eq": "eq", "neq": "ne", "gt": "gt", "gte": "ge", "lt": "lt", "lte": "le"}


@dataclass
class Store:
    """A workspace of its own with one use case, filled as the workers do, and what should be in force in it."""

    database: Database
    workspace: str = field(default_factory=lambda: f"w-{uuid.uuid4().hex[:12]}")
    clock: int = field(default_factory=lambda: int(datetime.now(UTC).timestamp() * 1000))
    offset: int = 0
    current: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def use_case(self) -> str:
        return f"{self.workspace}/main"

    @property
    def reader(self) -> EventReader:
        return EventReader(self.database.writer, TIMEOUT_S)

    def event(self, event_id: str, at: datetime = BASE, **fields: Any) -> dict[str, Any]:
        """A new version of an event, which is not stored yet."""
        self.offset += 1
        return {
            "workspace_id": self.workspace,
            "use_case_id": self.use_case,
            "event_id": event_id,
            "event_type": "custom",
            "timestamp": at,
            "retention_days": 30,
            "topic": self.workspace,
            "partition": 0,
            "offset": self.offset,
            "version": row_version(self.clock + self.offset, self.offset),
        } | fields

    def insert(self, *events: dict[str, Any]) -> None:
        insert_events(self.database.writer, [orjson.dumps(event, option=orjson.OPT_UTC_Z) for event in events])
        for event in events:
            known = self.current.get(event["event_id"])
            if known is None or event["version"] > known["version"]:
                self.current[event["event_id"]] = event

    def delete(self, *event_ids: str) -> list[str]:
        deleted = delete_events(self.database.writer, self.workspace, self.use_case, event_ids, TIMEOUT_S)
        for event_id in deleted:
            del self.current[event_id]
        return deleted

    def query(self, **fields: Any) -> EventQuery:
        return EventQuery.model_validate({"useCaseId": self.use_case} | fields)

    def walk(self, query: EventQuery, limit: int = 1000) -> Iterator[str]:
        """The ids that a client gets who follows the pages to the end."""
        after: Position | None = None
        while True:
            page = self.reader.page(self.workspace, query, LOOKBACK_DAYS, limit, after)
            assert len(page.rows) <= limit
            yield from (row["event_id"] for row in page.rows)
            if page.next is None:
                return
            after = page.next

    def found(self, limit: int = 1000, **fields: Any) -> list[str]:
        return list(self.walk(self.query(**fields), limit))

    def count(self, query: EventQuery) -> int:
        return self.reader.count(self.workspace, query, LOOKBACK_DAYS)

    def expected(self, query: EventQuery) -> list[str]:
        """The same by the model: every event that matches, newest first, then by id from the highest."""
        events = [event for event in self.current.values() if event["use_case_id"] == self.use_case]
        found = [event for event in events if matches(query, event, events)]
        found.sort(key=lambda event: (event["timestamp"], event["event_id"].encode()), reverse=True)
        return [event["event_id"] for event in found]


def matches(query: EventQuery, event: dict[str, Any], events: list[dict[str, Any]]) -> bool:
    """Whether an event is meant, said without SQL."""
    data, metadata = event.get("event_data", {}), event.get("custom_metadata", {})
    images = [image.get("metadata", {}) for image in event.get("images", [])]
    tests = [
        query.start_time is None or event["timestamp"] >= query.start_time,
        query.end_time is None or event["timestamp"] <= query.end_time,
        query.event_type is None or event["event_type"] == query.event_type,
        query.event_types is None or event["event_type"] in query.event_types,
        not query.warnings_only or bool(event.get("warnings")),
        query.feedback_status is None or query.feedback_status == _feedback(event, events),
        *(_context(getattr(query, name), event.get(name, "")) for name in ("device_id", "stream_id", "workflow_id")),
        _context(query.external_id, data.get("external_id", None)),
        query.detection_class is None or _detected(query, event),
        *(_compares(each, data.get(EVENT_FIELDS[each.column])) for each in query.event_field_filters),
        *(_compares(each, metadata.get(each.field)) for each in query.custom_metadata_filters),
        not query.image_metadata_filters
        or any(all(_compares(e, image.get(e.field)) for e in query.image_metadata_filters) for image in images),
    ]
    return all(tests)


def _context(wanted: Any, value: str | None) -> bool:
    if wanted is None:
        return True
    if value is None or (value == "" and wanted.operator == "neq"):
        return False
    return (value == wanted.value) == (wanted.operator == "eq")


def _compares(wanted: Any, value: Any) -> bool:
    if value is None or metadata_type(value) != wanted.type:
        return False
    if wanted.operator == "contains":
        return wanted.value in value
    return bool(getattr(operator, _OPERATORS[wanted.operator])(value, wanted.value))


def _detected(query: EventQuery, event: dict[str, Any]) -> bool:
    wanted = query.detection_class
    return any(
        item["class"] == wanted.value
        and (
            wanted.min_confidence is None
            or (item["confidence"] is not None and _single(item["confidence"]) >= _single(wanted.min_confidence))
        )
        for kind in ANNOTATION_KINDS
        for item in event.get(kind, [])
    )


def _single(number: float) -> float:
    return float(struct.unpack("f", struct.pack("f", number))[0])


def _feedback(event: dict[str, Any], events: list[dict[str, Any]]) -> str:
    about = [
        other
        for other in events
        if other["event_type"] == "operator_feedback" and other["event_data"]["related_event_id"] == event["event_id"]
    ]
    latest = max(about, key=lambda other: (other["timestamp"], other["event_id"]), default=None)
    return latest["event_data"]["feedback"] if latest else "none"


VALUES = st.sampled_from([*TEXTS, *NUMBERS, True, False])
METADATA = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3)
TIMES = st.integers(0, 12).map(lambda step: BASE + timedelta(minutes=step))
VERDICTS = st.sampled_from(["correct", "incorrect", "inconclusive"])

BOX = {"x": 1, "y": 2, "width": 3, "height": 4}
_classified = st.fixed_dictionaries(
    {"class": st.sampled_from(CLASSES), "confidence": st.sampled_from(CONFIDENCES)}, optional={"image": st.just(1)}
)
_boxed = _classified.map(lambda item: item | BOX)
CONTENT = st.fixed_dictionaries(
    {"event_type": st.sampled_from(["quality_check", "inventory_count", "custom"])},
    optional={
        "device_id": st.sampled_from(DEVICES),
        "stream_id": st.sampled_from(TEXTS),
        "workflow_id": st.sampled_from(TEXTS),
        "object_detections": st.lists(_boxed, max_size=2),
        "classifications": st.lists(_classified, max_size=2),
        "instance_segmentations": st.lists(_boxed.map(lambda i: i | {"points": [[0, 0], [1, 0], [1, 1]]}), max_size=1),
        "keypoints": st.lists(_boxed.map(lambda i: i | {"keypoints": [{"id": "tip", "x": 1, "y": 1}]}), max_size=1),
        "class_counts": st.dictionaries(st.sampled_from(CLASSES), st.integers(1, 3), max_size=2),
        "custom_metadata": METADATA,
        "event_data": st.fixed_dictionaries(
            {},
            optional={
                "result": st.sampled_from(["pass", "fail"]),
                "confidence": st.sampled_from([0, 0.5, 0.9, 1]),
                "item_count": st.integers(0, 3),
                "value": VALUES,
                "external_id": st.sampled_from(TEXTS),
            },
        ),
        "images": st.lists(st.fixed_dictionaries({}, optional={"metadata": METADATA}), max_size=2),
        "warnings": st.lists(st.just({"code": "clock_skew", "field": "timestamp", "message": "ahead"}), max_size=1),
    },
)


@st.composite
def _comparisons(draw: st.DrawFn, names: dict[str, st.SearchStrategy[str]]) -> dict[str, Any]:
    value = draw(VALUES)
    kind = metadata_type(value)
    operators = {"boolean": ["eq", "neq"], "number": list(_OPERATORS), "string": [*_OPERATORS, "contains"]}[kind]
    named = {name: draw(strategy) for name, strategy in names.items()}
    return named | {"operator": draw(st.sampled_from(operators)), "value": value, "type": kind}


_context_filters = st.fixed_dictionaries(
    {"operator": st.sampled_from(["eq", "neq"]), "value": st.sampled_from([*filter(None, TEXTS), "cam-1", "cam 2"])}
)
_metadata_filters = st.lists(_comparisons({"field": st.sampled_from(KEYS)}), min_size=1, max_size=2)
FILTERS: dict[str, st.SearchStrategy[Any]] = {
    "startTime": TIMES.map(datetime.isoformat),
    "endTime": TIMES.map(lambda at: (at + timedelta(minutes=12)).isoformat()),
    "eventType": st.sampled_from(["quality_check", "custom"]),
    "eventTypes": st.lists(st.sampled_from(["quality_check", "custom", "operator_feedback"]), max_size=2),
    "deviceId": _context_filters,
    "streamId": _context_filters,
    "workflowId": _context_filters,
    "externalId": _context_filters,
    "detectionClass": st.fixed_dictionaries(
        {"value": st.sampled_from(CLASSES)}, optional={"minConfidence": st.sampled_from([0, 0.1, 0.9, 1])}
    ),
    "feedbackStatus": st.sampled_from(["correct", "incorrect", "inconclusive", "none"]),
    "warningsOnly": st.booleans(),
    "customMetadataFilters": _metadata_filters,
    "imageMetadataFilters": _metadata_filters,
    "eventFieldFilters": st.lists(
        _comparisons({"column": st.sampled_from(["result", "confidence", "itemCount", "value", "externalId"])}),
        min_size=1,
        max_size=2,
    ),
}
# More at once would hardly ever find anything.
QUERIES = st.lists(st.sampled_from(sorted(FILTERS)), unique=True, max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: FILTERS[name] for name in names})
)
"""Bodies of queries, without the use case."""
