"""From a raw record to a vision event: the whole of what happens to one record, without I/O."""

import uuid
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pipeline.core.alerts.candidates import RuleSet
from pipeline.core.decode import decode, key_text
from pipeline.core.enrich import (
    UNSTATED,
    Warnings,
    check_metadata,
    complete_metadata,
    compute_event_data,
    find_shift,
    warn,
)
from pipeline.core.explain import explain
from pipeline.core.plan import Plan
from pipeline.core.record import RawRecord, first_try, place_of, row_version
from pipeline.core.registry import Registry
from pipeline.core.timestamps import arrival_at, event_time
from pipeline.core.views import ImageReference, Upload, Views, collect_views
from pipeline.errors import InvalidRecordError
from schemas.annotations import OBJECT_KINDS
from schemas.device import Device
from schemas.event_data import EVENT_DATA
from schemas.raw_inference import RawInferenceResult
from schemas.reject import RejectReason
from schemas.use_case import ImagePolicy

_NAMESPACE = uuid.UUID("6f0f5f64-3f57-5f0c-9d0e-5a0c8d1c1b7e")
"""Namespace of the ids of events that came without one (UUIDv5 of topic, partition and offset)."""


@dataclass(slots=True)
class Processed:
    """A vision event (the fields of `schemas.vision_event.VisionEvent`; absent ones have their default).

    `uploads` are to be made durable before the event; `references` are to be looked up before it is serialised.
    """

    event: dict[str, Any]
    uploads: list[Upload]
    references: list[ImageReference]
    image_policy: ImagePolicy
    rules: RuleSet | None = None
    """Alert rules of the event's use case."""


def process(record: RawRecord, registry: Registry) -> Processed:
    """Decode, validate and enrich one record. Raises InvalidRecordError for one that cannot be stored.

    The same record and registry always give the same event: ids and versions come from the record's coordinates,
    times from the broker's timestamp.
    """
    origin = first_try(record) if record.headers else record
    raw = decode(record, registry)
    source = _source(raw, record)
    plan, device = _plan(raw, source.get("device_id", ""), registry)
    use_case, added = plan.use_case, plan.additions_of(device)
    source = {**added.source, **source}
    warnings: Warnings = []
    arrival = arrival_at(origin.timestamp)
    moment = event_time(raw.timestamp, arrival)
    if raw.timestamp is None:
        warn(warnings, "timestamp_missing", "timestamp", "absent: the time of arrival was taken")
    elif moment > arrival.skewed:
        warn(warnings, "clock_skew", "timestamp", "more than five minutes ahead of the time of arrival")
    shift = find_shift(registry, source.get("factory_id", ""), plan, moment)
    metadata = complete_metadata(raw.custom_metadata, plan, added.metadata, shift)
    # What people say of an event has metadata of its own, such as the reviewer, beside what is filled in.
    if raw.event_type != "operator_feedback":
        check_metadata(metadata, plan, warnings)
    views = collect_views(raw, use_case.images)

    event: dict[str, Any] = {
        "workspace_id": use_case.workspace_id,
        "use_case_id": use_case.id,
        "event_id": raw.event_id or _derived_id(origin),
        "event_type": raw.event_type or use_case.event_type,
        "timestamp": moment,
        **source,
        "retention_days": use_case.retention_days,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "version": row_version(origin.timestamp, origin.offset),
    }
    _add_annotations(event, views)
    objects = [item for kind in OBJECT_KINDS if kind in event for item in event[kind]]
    every = [*objects, *event["classifications"]] if "classifications" in event else objects
    highest = _add_counts(event, objects)
    event_data = _event_data(event["event_type"], raw, plan, objects, every, highest, metadata)
    if views.images:
        event["images"] = views.images
    if metadata:
        event["custom_metadata"] = metadata
    if event_data:
        event["event_data"] = event_data
    if raw.comment:
        event["comment"] = raw.comment
    if raw.display_image_position:
        event["display_image_position"] = raw.display_image_position
    if warnings:
        event["warnings"] = warnings
    _add_frame_size(event, raw, device)
    rules = registry.rules.get(use_case.id)
    return Processed(event, views.uploads, views.references, use_case.images, rules)


def _source(raw: RawInferenceResult, record: RawRecord) -> dict[str, str]:
    """The record's source; the key stands in for the device id."""
    source: dict[str, Any] = dict(raw.source) if raw.source else {}
    if None in source.values():
        source = {name: value for name, value in source.items() if value is not None}
    if "device_id" not in source and (key := key_text(record)).isprintable() and key:
        source["device_id"] = key
    return source


def _plan(raw: RawInferenceResult, device_id: str, registry: Registry) -> tuple[Plan, Device | None]:
    """The use case that the record names, else its device's; and the device, of the same workspace."""
    use_case_id, device = raw.use_case_id, None
    if use_case_id is None:
        device = registry.device(device_id, None)
        use_case_id = device.use_case_id if device else None
    if use_case_id is None:
        message = "none given, and the device registry has no default for this device (or several workspaces have it)"
        raise InvalidRecordError(RejectReason.UNKNOWN_USE_CASE, message, "use_case_id")
    plan = registry.plans.get(use_case_id)
    if plan is None or (device is not None and device.workspace_id != plan.use_case.workspace_id):
        message = f"no use case {use_case_id!r}; apply its document, then replay this reject"
        raise InvalidRecordError(RejectReason.UNKNOWN_USE_CASE, message, "use_case_id")
    if not plan.active:
        message = f"use case {use_case_id!r} is archived"
        raise InvalidRecordError(RejectReason.UNKNOWN_USE_CASE, message, "use_case_id")
    return plan, device or registry.devices.get((plan.use_case.workspace_id, device_id))


def _derived_id(record: RawRecord) -> str:
    return str(uuid.uuid5(_NAMESPACE, place_of(record)))


def _add_annotations(event: dict[str, Any], views: Views) -> None:
    """Flat lists over all views; `image` is written only where it is not 0, its default."""
    for position, result in views.results:
        for kind, annotations in result.items():
            if position:
                for item in annotations:
                    item["image"] = position
            if annotations:
                event[kind] = [*event[kind], *annotations] if kind in event else annotations


def _add_counts(event: dict[str, Any], objects: list[Any]) -> dict[str, float]:
    """Count the objects by class and note the highest confidence; return that of each class."""
    counts: dict[str, int] = {}
    highest: dict[str, float] = {}
    top = -1.0
    for items, counted in ((objects, True), (event.get("classifications", ()), False)):
        for item in items:
            name, confidence = item["class"], item["confidence"]
            if counted:
                counts[name] = counts.get(name, 0) + 1
            if confidence is None:
                highest[name] = UNSTATED
                continue
            if confidence > top:
                top = confidence
            if confidence > highest.get(name, -1.0):
                highest[name] = confidence
    if counts:
        event["class_counts"] = counts
    if top >= 0.0:
        event["max_confidence"] = top
    return highest


def _event_data(
    event_type: str,
    raw: RawInferenceResult,
    plan: Plan,
    objects: list[Any],
    every: list[Any],
    highest: dict[str, float],
    metadata: dict[str, Any],
) -> Any:
    if raw.event_data is None:
        if event_type != plan.use_case.event_type:
            return None
        return compute_event_data(plan, objects, every, highest, metadata)
    try:
        return EVENT_DATA[event_type].validate_python(raw.event_data)
    except ValidationError as error:
        raise explain(error, raw.event_data, "event_data.") from None


def _add_frame_size(event: dict[str, Any], raw: RawInferenceResult, device: Device | None) -> None:
    size = raw.image or (device.image if device else None)
    if size is not None:
        event["frame_width"], event["frame_height"] = size["width"], size["height"]
    else:
        for view in event.get("images", ())[:1]:
            for prefix in ("input_", ""):
                if f"{prefix}width" in view:
                    event["frame_width"], event["frame_height"] = (
                        view[f"{prefix}width"],
                        view[f"{prefix}height"],
                    )
                    return
