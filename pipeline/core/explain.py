"""Turns pydantic's validation errors into one clear reason, field and message."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import InvalidRecordError
from schemas.reject import RejectReason

_REASON_OF_FIELD = {
    "timestamp": RejectReason.INVALID_TIMESTAMP,
    "custom_metadata": RejectReason.INVALID_METADATA,
    "event_data": RejectReason.INVALID_EVENT_DATA,
    "images": RejectReason.INVALID_IMAGE,
}
_REASON_OF_TYPE = {
    "missing": RejectReason.MISSING_FIELD,
    "extra_forbidden": RejectReason.UNKNOWN_FIELD,
    "json_invalid": RejectReason.NOT_JSON,
}
_MESSAGE_OF_FIELD = {
    "timestamp": "must be ISO 8601 with a zone, or seconds, milliseconds, microseconds or nanoseconds since the epoch",
    "custom_metadata": "must be a string, a number or a boolean: custom metadata is flat",
}


def explain(error: ValidationError, document: Any, prefix: str = "") -> InvalidRecordError:
    """The first error of `document` as an InvalidRecordError; how many there are more is said in the message."""
    details = error.errors(include_url=False, include_context=False)
    first = details[0]
    path = _path(first, document)
    field = prefix + ".".join(map(str, path))
    alternatives = {_path(other, document) for other in details}
    message = first["msg"]
    top = prefix.rstrip(".") or (str(path[0]) if path else "")
    if top in _MESSAGE_OF_FIELD and len(details) > len(alternatives):
        message = _MESSAGE_OF_FIELD[top]  # one value that fits no member of a union gives an error for each
    if len(alternatives) > 1:
        message += f" (and {len(alternatives) - 1} more)"
    reason = _REASON_OF_FIELD.get(top) or _REASON_OF_TYPE.get(first["type"], RejectReason.INVALID_VALUE)
    return InvalidRecordError(reason, message, field)


def _path(detail: ErrorDetails, document: Any) -> tuple[str | int, ...]:
    """The error's location without the names of union members that pydantic mixes into it."""
    path: list[str | int] = []
    node = document
    for part in detail["loc"]:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            if detail["type"] != "missing" or part != detail["loc"][-1]:
                continue
        path.append(part)
    return tuple(path)
