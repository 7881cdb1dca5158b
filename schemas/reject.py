"""The reject: a record that could not be stored, with the reason, kept whole so that it can be replayed."""

from datetime import datetime
from enum import StrEnum

from schemas.common import Document


class RejectReason(StrEnum):
    """Why a record was rejected. The values are stable: operators filter and replay by them."""

    NOT_JSON = "not_json"
    """The value is empty, not UTF-8 or not JSON."""
    UNKNOWN_FORMAT = "unknown_format"
    """JSON, but neither an envelope nor a result of a known format; or a format name that is not known."""
    INVALID_RESULT = "invalid_result"
    """The result does not fit the format that it has or claims to have."""
    MISSING_FIELD = "missing_field"
    UNKNOWN_FIELD = "unknown_field"
    INVALID_VALUE = "invalid_value"
    """A field has the wrong type, or a value outside its bounds."""
    UNKNOWN_USE_CASE = "unknown_use_case"
    """The use case does not exist, is archived, or none is given and the device registry has no default."""
    INVALID_TIMESTAMP = "invalid_timestamp"
    """No zone, not a time, or outside the span from a year ago to tomorrow."""
    INVALID_METADATA = "invalid_metadata"
    """Custom metadata that breaks the limits, or the schema of a strict use case."""
    INVALID_EVENT_DATA = "invalid_event_data"
    INVALID_IMAGE = "invalid_image"
    """Inline data that is not base64, or content that is not a JPEG, PNG or WebP image."""
    IMAGE_TOO_LARGE = "image_too_large"
    IMAGE_NOT_FOUND = "image_not_found"
    """An s3 uri without an object behind it, or a bucket that is not allowed."""
    IMAGE_MISSING = "image_missing"
    """The use case requires an image and the record has none."""
    TOO_LARGE = "too_large"
    """The record, unpacked, or the event that it becomes (masks grow into outlines) is larger than a topic takes."""
    REFUSED_BY_STORE = "refused_by_store"
    """ClickHouse refused this row for good; the message carries the server's code."""
    PROCESSING_FAILED = "processing_failed"
    """The pipeline failed on this record: a defect of ours, with its error in the message."""


class Reject(Document):
    """One rejected record. `value` is the original value, byte for byte; `field` a dotted path, empty when none."""

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    reason: RejectReason
    message: str
    field: str = ""
    use_case_id: str = ""
    device_id: str = ""
    key: bytes = b""
    value: bytes = b""
    headers: tuple[tuple[str, bytes], ...] = ()
