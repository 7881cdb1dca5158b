"""From the bytes of a record to a raw inference result in canonical form.

The common case, a canonical envelope, is validated straight from the bytes. All else takes the longer way: parse,
find the format, convert, validate.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from pipeline.core.explain import explain
from pipeline.core.formats import FormatContext, FormatError, format_named, recognise, unwrap_cloudevent
from pipeline.core.formats.base import Format
from pipeline.core.formats.canonical import CANONICAL
from pipeline.core.record import RawRecord
from pipeline.core.registry import Registry
from pipeline.errors import InvalidRecordError
from schemas.raw_inference import ENVELOPE_FIELDS, RawInferenceResult
from schemas.reject import RejectReason
from schemas.topics import MAX_RAW_RECORD_BYTES

FORMAT_HEADER = "vision-format"
"""Kafka header by which a producer names the format of its record."""

# The validator itself: the model's method around it costs 0.4 us.
_validate_json: Callable[[bytes], RawInferenceResult] = TypeAdapter(RawInferenceResult).validator.validate_json


def decode(record: RawRecord, registry: Registry) -> RawInferenceResult:
    """The canonical form of a record. Raises InvalidRecordError with reason, message and field."""
    value = record.value
    if not value:
        raise InvalidRecordError(RejectReason.NOT_JSON, "the record has no value")
    if len(value) > MAX_RAW_RECORD_BYTES:  # the broker limits what is sent, and that may be compressed
        message = f"{len(value)} bytes unpacked, at most {MAX_RAW_RECORD_BYTES} are taken"
        raise InvalidRecordError(RejectReason.TOO_LARGE, message)
    if not record.headers or not _names_format(record.headers):
        try:
            raw = _validate_json(value)
        except ValidationError:
            pass  # another format, or broken: the longer way tells which
        else:
            if raw.format in (None, CANONICAL.name):
                return raw
    return _decode_any(record, value, registry)


def _names_format(headers: Sequence[tuple[str, bytes]]) -> bool:
    """Whether headers say how the value is to be read; others, such as those of tracing, do not matter."""
    return any(name.lower() == FORMAT_HEADER or name.lower().startswith("ce_") for name, _ in headers)


def _decode_any(record: RawRecord, value: bytes, registry: Registry) -> RawInferenceResult:
    headers = {name.lower(): content for name, content in record.headers}
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise InvalidRecordError(RejectReason.NOT_JSON, f"not JSON: {error}") from None
    document, fallbacks = unwrap_cloudevent(document, headers)
    named = headers.get(FORMAT_HEADER, b"").decode("utf-8", "replace")
    canonical = _merged(fallbacks, _to_canonical(document, named, record, registry))
    try:
        return _validate_json(orjson.dumps(canonical))
    except ValidationError as error:
        raise explain(error, canonical) from None
    except TypeError as error:  # an adapter or a CloudEvent gave what JSON cannot hold
        raise InvalidRecordError(RejectReason.INVALID_RESULT, str(error)) from None


def _to_canonical(document: Any, named: str, record: RawRecord, registry: Registry) -> dict[str, Any]:
    """An envelope keeps its fields and has its result converted; a bare result is converted as a whole."""
    wanted = _named(named) if named else None
    if _is_envelope(document) and (wanted is None or "result" in document):
        if wanted is None and isinstance(document.get("format"), str):
            wanted = _named(document["format"])
        if document.get("result") is None:  # nothing predicted
            return {key: value for key, value in document.items() if value is not None}
        found = wanted or recognise(document["result"])
        return _convert_envelope(document, found, record, registry) if found else document
    found = wanted or recognise(document)
    if found is None:
        raise _unrecognised(document)
    return _convert(found, document, _context({}, record, registry), "")


def _is_envelope(document: Any) -> bool:
    return isinstance(document, dict) and not document.keys() - ENVELOPE_FIELDS


def _convert_envelope(envelope: dict[str, Any], found: Format, record: RawRecord, registry: Registry) -> dict[str, Any]:
    context = _context(envelope, record, registry)
    converted = _convert(found, envelope.get("result"), context, "result.")
    given = {key: value for key, value in envelope.items() if key != "result" and value is not None}
    return _merged(converted, given)


def _merged(fallbacks: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What is given, completed by fall-backs; source and metadata are completed field by field."""
    merged = fallbacks | given
    for key in ("source", "custom_metadata"):
        if isinstance(fallbacks.get(key), dict) and isinstance(given.get(key), dict):
            merged[key] = fallbacks[key] | given[key]
    return merged


def _convert(found: Format, value: Any, context: FormatContext, prefix: str) -> dict[str, Any]:
    try:
        return {"format": found.name} | found.to_canonical(value, context)
    except FormatError as error:
        message = f"not a valid {found.name} result: {error.message}"
        field = (prefix + error.field).rstrip(".")
        raise InvalidRecordError(RejectReason.INVALID_RESULT, message, field) from None


def _context(envelope: dict[str, Any], record: RawRecord, registry: Registry) -> FormatContext:
    size, source, use_case_id = envelope.get("image"), envelope.get("source"), envelope.get("use_case_id")
    device_id = source.get("device_id") if isinstance(source, dict) else None
    if not isinstance(device_id, str):
        device_id = key_text(record) or None
    width, height = (size.get("width"), size.get("height")) if isinstance(size, dict) else (None, None)
    return FormatContext(
        width=width if isinstance(width, int) else None,
        height=height if isinstance(height, int) else None,
        device_id=device_id,
        devices=partial(registry.device, use_case_id=use_case_id if isinstance(use_case_id, str) else None),
    )


def key_text(record: RawRecord) -> str:
    """The record's key as text, empty where there is none: by convention the device id."""
    return record.key.decode("utf-8", "replace")[:256] if record.key else ""


def _named(name: str) -> Format:
    found = format_named(name)
    if found is None:
        raise InvalidRecordError(RejectReason.UNKNOWN_FORMAT, f"no format is called {name!r}", "format")
    return found


def _unrecognised(document: Any) -> InvalidRecordError:
    """Close to an envelope: name the field that is not one. Else say that no format fits."""
    if isinstance(document, dict) and document.keys() & ENVELOPE_FIELDS:
        field = sorted(document.keys() - ENVELOPE_FIELDS)[0]
        allowed = ", ".join(sorted(ENVELOPE_FIELDS))
        return InvalidRecordError(RejectReason.UNKNOWN_FIELD, f"unknown field; an envelope has {allowed}", field)
    kind = "an object" if isinstance(document, dict) else f"a JSON {type(document).__name__}"
    return InvalidRecordError(
        RejectReason.UNKNOWN_FORMAT,
        f"{kind} that is neither an envelope nor a result of a known format; name it in the header {FORMAT_HEADER!r}",
    )
