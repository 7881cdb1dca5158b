"""What a use case adds to an event: metadata from the registry, the shift, and `event_data` from the predictions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from pipeline.core.plan import Plan
from pipeline.core.registry import Registry
from pipeline.errors import InvalidRecordError
from schemas.reject import RejectReason
from schemas.use_case import (
    ClassThreshold,
    CountRule,
    MetadataSchema,
    SafetyRule,
    metadata_type,
)

UNSTATED = 2.0
"""Stands for a confidence that the producer does not state: above every threshold."""

Warnings = list[dict[str, str]]
Annotation = Any
"""A checked annotation: one of the typed dictionaries of `schemas.annotations`."""


def warn(warnings: Warnings, code: str, field: str, message: str) -> None:
    """Note something about a stored event that its producer should look at."""
    warnings.append({"code": code, "field": field, "message": message})


def complete_metadata(
    metadata: dict[str, Any], plan: Plan, from_device: Mapping[str, Any], shift: str | None
) -> dict[str, Any]:
    """The record's metadata, completed from the device registry, the shift and the defaults, in this order."""
    completed = dict(plan.defaults)
    if shift is not None and plan.shift_field is not None:
        completed[plan.shift_field] = shift
    completed.update(from_device)
    completed.update(metadata)
    return completed


def check_metadata(metadata: dict[str, Any], plan: Plan, warnings: Warnings) -> None:
    """Hold metadata against the use case's schema: warn (lenient) or raise InvalidRecordError (strict).

    Where the schema says text, a number or boolean becomes text: a column of both cannot be compared in SQL.
    """
    schema = plan.use_case.metadata
    if not schema.fields or plan.fits(metadata):
        return
    for key, message, code in list(_metadata_faults(metadata, schema)):
        field = f"custom_metadata.{key}"
        if schema.mode == "strict":
            raise InvalidRecordError(RejectReason.INVALID_METADATA, message, field)
        warn(warnings, code, field, message)
        if code == "metadata_type" and schema.fields[key].type == "string":
            metadata[key] = orjson.dumps(metadata[key]).decode()


def _metadata_faults(metadata: dict[str, Any], schema: MetadataSchema) -> Iterable[tuple[str, str, str]]:
    fields = schema.fields
    for key, value in metadata.items():
        field = fields.get(key)
        if field is None:
            yield key, "not in the metadata schema of the use case", "unknown_metadata_key"
        elif metadata_type(value) != field.type:
            yield key, f"must be a {field.type}, not a {metadata_type(value)}", "metadata_type"
        elif field.enum is not None and value not in field.enum:
            yield key, f"{value!r} is not among {', '.join(map(str, field.enum))}", "metadata_value"
    for key, field in fields.items():
        if field.required and key not in metadata:
            yield key, "required by the use case, and absent", "metadata_missing"


def find_shift(registry: Registry, factory_id: str, plan: Plan, moment: datetime) -> str | None:
    """The name of the shift in which the event happened, where the use case asks for it."""
    if plan.shift_field is None:
        return None
    calendar = registry.calendars.get((plan.use_case.workspace_id, factory_id))
    return calendar.shift_at(moment) if calendar else None


def compute_event_data(
    plan: Plan,
    objects: Sequence[Annotation],
    every: Sequence[Annotation],
    highest: dict[str, float],
    metadata: dict[str, Any],
) -> dict[str, Any] | None:
    """`event_data` by the use case's rule, None without one.

    `objects` are detections, segmentations and keypoint objects; `every` has the classifications too; `highest` is the
    highest confidence of each class.
    """
    if plan.fail_when:
        return _quality(plan, every, highest)
    rules = plan.use_case.enrichment
    if rules.safety is not None:
        return _safety(rules.safety, every, highest)
    if rules.count is not None:
        return _count(rules.count, objects, metadata)
    return None


def _quality(plan: Plan, every: Sequence[Annotation], highest: dict[str, float]) -> dict[str, Any]:
    for class_, min_confidence, threshold in plan.fail_when:
        if highest.get(class_, -1.0) < min_confidence:
            continue
        if confidences := _meeting(threshold, every):
            stated = [confidence for confidence in confidences if confidence != UNSTATED]
            return {"result": "fail", "confidence": max(stated)} if stated else {"result": "fail"}
    return {"result": "pass"}


def _safety(rule: SafetyRule, every: Sequence[Annotation], highest: dict[str, float]) -> dict[str, Any]:
    for violation in rule.violations:
        if highest.get(violation.class_, -1.0) >= violation.min_confidence and _meeting(violation, every):
            return {
                "alert_type": violation.alert_type,
                "severity": violation.severity,
                "description": violation.description,
            }
    return {"alert_type": "none", "severity": "low", "description": "no violation"}


def _meeting(threshold: ClassThreshold, every: Sequence[Annotation]) -> list[float]:
    """The confidences that meet a threshold, empty when they are fewer than its count."""
    confidences = [
        UNSTATED if item["confidence"] is None else item["confidence"]
        for item in every
        if item["class"] == threshold.class_
    ]
    found = [confidence for confidence in confidences if confidence >= threshold.min_confidence]
    return found if len(found) >= threshold.min_count else []


def _count(rule: CountRule, objects: Sequence[Annotation], metadata: dict[str, Any]) -> dict[str, Any]:
    counted = sum(
        1
        for item in objects
        if (rule.classes is None or item["class"] in rule.classes)
        and (item["confidence"] is None or item["confidence"] >= rule.min_confidence)
    )
    data = {"item_count": counted, "item_type": rule.item_type}
    if rule.location_from is not None and rule.location_from in metadata:
        data["location"] = str(metadata[rule.location_from])
    return data
