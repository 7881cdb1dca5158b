"""Each filter of a query as an SQL condition. Values are bound; names within JSON are checked and quoted.

A condition holds only where the field is there: `neq`, too, leaves out events that do not have it (docs/sql.md).
NULL, the outcome of comparing what is absent, is as good as false in a WHERE without NOT.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.core.query.document import (
    EVENT_FIELDS,
    ContextFilter,
    DetectionFilter,
    EventFilters,
    MetadataFilter,
    TimeOfDayFilter,
)
from schemas.annotations import ANNOTATION_KINDS

_SIGNS: Final = {"eq": "=", "neq": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_NAME: Final = re.compile(r"[a-zA-Z0-9_ -]{1,100}")
_INT64: Final = range(-(2**63), 2**63)


@dataclass(slots=True)
class Bindings:
    """Values of a statement under names of their own; none of them ever becomes part of its text."""

    values: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any, type_name: str) -> str:
        """The placeholder of a value of a ClickHouse type."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{type_name}}}"

    def number(self, value: float) -> str:
        """The placeholder of a number: whole ones compare exactly."""
        return self.bind(value, "Int64" if isinstance(value, int) and value in _INT64 else "Float64")

    def moment(self, microseconds: int) -> str:
        """The placeholder of a time, given in microseconds since the epoch."""
        return f"fromUnixTimestamp64Micro({self.bind(microseconds, 'Int64')}, 'UTC')"


def conditions(filters: EventFilters, workspace_id: str, bindings: Bindings, since: int) -> list[str]:
    """The conditions of all filters but the span of time and the use case, cheap columns first.

    `since` is the beginning of what is searched, in microseconds: feedback is looked for from there on.
    """
    return list(_conditions(filters, workspace_id, bindings, since))


def _conditions(filters: EventFilters, workspace_id: str, bindings: Bindings, since: int) -> Iterator[str]:
    if filters.event_type is not None:
        yield f"event_type = {bindings.bind(filters.event_type, 'String')}"
    if filters.event_types is not None:
        yield f"event_type IN {bindings.bind(filters.event_types, 'Array(String)')}"
    if filters.time_of_day is not None:
        yield _time_of_day(filters.time_of_day, bindings)
    for column in ("factory_id", "device_id", "stream_id", "workflow_id"):
        if (wanted := getattr(filters, column)) is not None:
            yield _context(column, wanted, bindings)
    if filters.warnings_only:
        yield "notEmpty(warnings.code)"
    if filters.detection_class is not None:
        yield _detection(filters.detection_class, bindings)
    if filters.external_id is not None:
        sign, value = _SIGNS[filters.external_id.operator], bindings.bind(filters.external_id.value, "String")
        yield f"{_path('event_data', 'external_id')}.:String {sign} {value}"
    for event_field in filters.event_field_filters:
        path = _path("event_data", EVENT_FIELDS[event_field.column])
        yield _comparison(path, event_field.operator, event_field.value, bindings)
    for metadata in filters.custom_metadata_filters:
        yield _comparison(_path("custom_metadata", metadata.field), metadata.operator, metadata.value, bindings)
    if filters.image_metadata_filters:
        of_one = " AND ".join(_image_comparison(each, bindings) for each in filters.image_metadata_filters)
        yield f"arrayExists(m -> {of_one}, images.metadata)"
    if filters.feedback_status is not None:
        yield _feedback(filters, workspace_id, bindings, since)


def _time_of_day(wanted: TimeOfDayFilter, bindings: Bindings) -> str:
    start, end = (bindings.bind(int(text[:2]) * 60 + int(text[3:]), "UInt16") for text in (wanted.start, wanted.end))
    local = f"toTimeZone(timestamp, {bindings.bind(wanted.time_zone, 'String')})"
    minute = f"(toHour({local}) * 60 + toMinute({local}))"
    both = "AND" if wanted.start < wanted.end else "OR"
    return f"({minute} >= {start} {both} {minute} < {end})"


def _context(column: str, wanted: ContextFilter, bindings: Bindings) -> str:
    value = bindings.bind(wanted.value, "String")
    return f"{column} = {value}" if wanted.operator == "eq" else f"({column} != {value} AND {column} != '')"


def _path(column: str, name: str) -> str:
    """A path of a JSON column. Raises ValueError for a name that could end its quotes."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a field")
    return f"{column}.`{name}`"


def _comparison(path: str, operator: str, value: Any, bindings: Bindings) -> str:
    """A comparison of a path of a JSON column, by the type of the value. Only the path's own column is read."""
    if isinstance(value, bool):
        return f"{path}.:Bool {_SIGNS[operator]} {bindings.bind(value, 'Bool')}"
    if isinstance(value, str):
        text = bindings.bind(value, "String")
        if operator == "contains":
            return f"position({path}.:String, {text}) > 0"
        return f"{path}.:String {_SIGNS[operator]} {text}"
    sign, number = _SIGNS[operator], bindings.number(value)
    return f"({path}.:Int64 {sign} {number} OR {path}.:Float64 {sign} {number})"


def _image_comparison(metadata: MetadataFilter, bindings: Bindings) -> str:
    """The same of `m`, the metadata of one image, which is JSON text."""
    key, value = bindings.bind(metadata.field, "String"), metadata.value
    if isinstance(value, bool):
        wanted = bindings.bind(value, "Bool")
        return f"(JSONType(m, {key}) = 'Bool' AND JSONExtractBool(m, {key}) {_SIGNS[metadata.operator]} {wanted})"
    if isinstance(value, str):
        found, text = f"JSONExtractString(m, {key})", bindings.bind(value, "String")
        contains = f"position({found}, {text}) > 0"
        test = contains if metadata.operator == "contains" else f"{found} {_SIGNS[metadata.operator]} {text}"
        return f"(JSONType(m, {key}) = 'String' AND {test})"
    sign, number = _SIGNS[metadata.operator], bindings.number(value)
    return (
        f"multiIf(JSONType(m, {key}) = 'Int64', JSONExtractInt(m, {key}) {sign} {number}, "
        f"JSONType(m, {key}) = 'Double', JSONExtractFloat(m, {key}) {sign} {number}, false)"
    )


def _detection(wanted: DetectionFilter, bindings: Bindings) -> str:
    name = bindings.bind(wanted.value, "String")
    if wanted.min_confidence is None:
        return "(" + " OR ".join(f"has({kind}.class, {name})" for kind in ANNOTATION_KINDS) + ")"
    # Confidences are stored in single precision: 0.9 must be at least 0.9.
    least = bindings.bind(wanted.min_confidence, "Float32")
    of_kind = "arrayExists((c, p) -> c = {name} AND ifNull(p >= {least}, 0), {kind}.class, {kind}.confidence)"
    return "(" + " OR ".join(of_kind.format(name=name, least=least, kind=kind) for kind in ANNOTATION_KINDS) + ")"


def _feedback(filters: EventFilters, workspace_id: str, bindings: Bindings, since: int) -> str:
    """Which events the latest feedback says this of. A feedback event that came again counts with its newest version.

    Feedback is rare among events, so its keys are looked for first, in narrow columns.
    """
    status = filters.feedback_status
    use_case = bindings.bind(filters.use_case_id, "String")
    given = (
        f"use_case_id = {use_case} AND workspace_id = {bindings.bind(workspace_id, 'String')} "
        f"AND timestamp >= {bindings.moment(since)} AND event_type = 'operator_feedback'"
    )
    having = "" if status == "none" else f"HAVING latest = {bindings.bind(status, 'String')}"
    return f"""event_id {"NOT IN" if status == "none" else "IN"}
    (
        SELECT about FROM
        (
            SELECT said.1 AS about, argMax(said.2, (said.3, event_id)) AS latest FROM
            (
                SELECT
                    event_id,
                    argMax((event_data.related_event_id::String, event_data.feedback::String, timestamp), version)
                        AS said
                FROM stored_events FINAL
                PREWHERE use_case_id = {use_case}
                    AND (timestamp, event_id) IN (SELECT timestamp, event_id FROM stored_events WHERE {given})
                WHERE {given}
                GROUP BY event_id
            )
            GROUP BY about
            {having}
        )
    )"""
