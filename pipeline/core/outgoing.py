"""An event on its way to the raw topic: checked where it enters, with an id of its own so that a resend replaces it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from pipeline.core.decode import decode
from pipeline.core.explain import explain
from pipeline.core.record import Record
from pipeline.core.registry import Registry
from pipeline.core.views import collect_views
from pipeline.errors import InvalidRecordError
from schemas.event_data import EVENT_DATA
from schemas.raw_inference import RawInferenceResult
from schemas.reject import RejectReason
from schemas.topics import MAX_RAW_RECORD_BYTES
from schemas.use_case import ImagePolicy

# The policy of the use case is known where the event is stored; here only what no policy could accept is refused.
_ANY_IMAGE = ImagePolicy(max_bytes=MAX_RAW_RECORD_BYTES)


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """A raw inference result as the topic takes it: `value` is its JSON, `device_id` the record's key ("" for none)."""

    event_id: str
    device_id: str
    value: bytes
    use_case_id: str = ""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What is filled in where a sender says nothing: when it was taken, by which device, for which use case."""

    now: datetime
    device_id: str = ""
    use_case_id: str = ""


def accept(body: bytes, event_id: str, defaults: Defaults) -> OutgoingEvent:
    """Check one event in any known format, and give it `event_id` where it has none.

    Raises InvalidRecordError. Whether the time is plausible is left to the pipeline: a device's own clock may be wrong.
    """
    raw = decode(Record(body, key=defaults.device_id.encode()), Registry())
    if raw.event_data is not None and raw.event_type is not None:
        try:
            EVENT_DATA[raw.event_type].validate_python(raw.event_data)
        except ValidationError as error:
            raise explain(error, raw.event_data, "event_data.") from None
    collect_views(raw, _ANY_IMAGE)
    return outgoing(raw, event_id, defaults)


def outgoing(raw: RawInferenceResult, event_id: str, defaults: Defaults) -> OutgoingEvent:
    """The event to send. Raises InvalidRecordError when it is larger than the topic takes."""
    changes: dict[str, Any] = {"event_id": raw.event_id or event_id, "format": None}
    if raw.timestamp is None:
        changes["timestamp"] = defaults.now
    if raw.use_case_id is None and defaults.use_case_id:
        changes["use_case_id"] = defaults.use_case_id
    source = {name: value for name, value in (raw.source or {}).items() if value is not None}
    if defaults.device_id:
        source.setdefault("device_id", defaults.device_id)
    if source:
        changes["source"] = source
    value = raw.model_copy(update=changes).model_dump_json(exclude_unset=True).encode()
    if len(value) > MAX_RAW_RECORD_BYTES:
        message = f"the event has {len(value)} bytes; {MAX_RAW_RECORD_BYTES} are the most"
        raise InvalidRecordError(RejectReason.IMAGE_TOO_LARGE if raw.images else RejectReason.INVALID_VALUE, message)
    use_case_id = raw.use_case_id or defaults.use_case_id
    return OutgoingEvent(changes["event_id"], str(source.get("device_id", "")), value, use_case_id)
