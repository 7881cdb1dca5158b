"""Recorded events, as they lie in files: raw inference results, events of `vision.events`, rows of `vision_events`."""

from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import ValidationError

from pipeline.core.alerts.conditions import Event
from pipeline.core.decode import decode
from pipeline.core.explain import explain
from pipeline.core.process import process
from pipeline.core.record import Record, arrival_ms
from pipeline.core.registry import Registry
from pipeline.core.timestamps import from_epoch
from schemas.annotations import ANNOTATION_KINDS
from schemas.vision_event import VisionEvent


def read_event(value: bytes, number: int, registry: Registry) -> tuple[Event, int]:
    """The event of a recorded value, and when it arrived (ms). Raises InvalidRecordError naming the field.

    A published or stored event tells when it arrived. A raw result does not: it is taken to have arrived at its own
    time. One without an id gets one from its `number` in the file.
    """
    try:
        document: Any = orjson.loads(value)
    except orjson.JSONDecodeError:
        document = None  # `process` says what is wrong with it
    if isinstance(document, dict) and {"version", "workspace_id", "offset"} <= document.keys():
        try:
            published = VisionEvent.model_validate(_as_published(document))
        except ValidationError as error:
            raise explain(error, document) from None
        return published.model_dump(exclude_defaults=True), arrival_ms(published.version)
    given = decode(Record(value), registry).timestamp
    moment = given.astimezone(UTC) if isinstance(given, datetime) else from_epoch(given or 0)
    arrived = int(moment.timestamp() * 1000)
    return process(Record(value, offset=number, timestamp=arrived), registry).event, arrived


def _as_published(document: dict[str, Any]) -> dict[str, Any]:
    """A row of `vision_events` as ClickHouse writes it (JSONEachRow), in the form in which the event was published."""
    if "inserted_at" not in document:
        return document
    row = {name: value for name, value in document.items() if name != "inserted_at"}
    if isinstance(moment := row.get("timestamp"), str) and not moment.endswith("Z"):
        row["timestamp"] = moment + "Z"
    for name in ("images", *ANNOTATION_KINDS):
        row[name] = [_without_nulls(item) for item in row.get(name) or ()]
    return {"retention_days": 1} | row  # a row does not tell, and no rule asks


def _without_nulls(item: dict[str, Any]) -> dict[str, Any]:
    """Absent fields are null in a row, and metadata of images is JSON in a text."""
    given = {name: value for name, value in item.items() if value is not None}
    if isinstance(metadata := given.get("metadata"), str):
        given["metadata"] = orjson.loads(metadata)
    return given
