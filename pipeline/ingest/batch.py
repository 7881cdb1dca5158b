"""What a run of records leads to: serialised events, images to put, and rejects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from pipeline.core.alerts.candidates import Candidate, find_candidates
from pipeline.core.decode import key_text
from pipeline.core.process import Processed, process
from pipeline.core.record import RawRecord
from pipeline.core.registry import Registry
from pipeline.core.views import Upload
from pipeline.errors import InvalidRecordError
from schemas.reject import Reject, RejectReason
from schemas.topics import MAX_RAW_RECORD_BYTES


@dataclass(slots=True)
class Row:
    """One event as it is inserted and published, and the record that it came from."""

    line: bytes
    record: RawRecord
    candidates: Sequence[Candidate] = ()
    """What alert rules make of it."""
    headers: list[tuple[str, bytes]] | None = None
    """Those of the published event: the trace context, where the record has one and traces are on."""


@dataclass(slots=True)
class Batch:
    """The effects of some records that are not durable yet."""

    rows: list[Row] = field(default_factory=list)
    uploads: list[tuple[str, Upload]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    unresolved: list[tuple[RawRecord, Processed]] = field(default_factory=list)
    """Events that refer to images in the object store: looked up before they become rows."""
    unknown: list[RawRecord] = field(default_factory=list)
    """Records of a use case that is not in this snapshot of the registry: tried once more after a refresh."""


def process_records(records: Iterable[RawRecord], registry: Registry, *, last_try: bool = False) -> Batch:
    """Process records one at a time: each model dies before the next is made, and a bad record harms no other.

    With `last_try` a record of an unknown use case is rejected instead of being put aside.
    """
    batch = Batch()
    for record in records:
        try:
            add_processed(batch, record, process(record, registry))
        except InvalidRecordError as error:
            if error.reason is RejectReason.UNKNOWN_USE_CASE and not last_try:
                batch.unknown.append(record)
            else:
                batch.rejects.append(reject(record, error))
        except Exception as error:  # our defect must not stop the partition, nor lose the record
            message = f"{type(error).__name__}: {error}"
            batch.rejects.append(reject(record, InvalidRecordError(RejectReason.PROCESSING_FAILED, message)))
    return batch


def add_processed(batch: Batch, record: RawRecord, processed: Processed) -> None:
    """Add an event to a batch: as a row, or put aside while its images have to be looked up.

    Raises InvalidRecordError for an event that no topic takes: it could be stored, but never published.
    """
    if processed.references:
        batch.unresolved.append((record, processed))
        return
    line = orjson.dumps(processed.event, option=orjson.OPT_UTC_Z)
    if len(line) > MAX_RAW_RECORD_BYTES:
        message = f"{len(line)} bytes as an event, at most {MAX_RAW_RECORD_BYTES} can be published"
        raise InvalidRecordError(RejectReason.TOO_LARGE, message)
    for upload in processed.uploads:
        batch.uploads.append((processed.event["workspace_id"], upload))
    row = Row(line, record)
    if processed.rules is not None:
        row.candidates = find_candidates(processed.rules, processed.event, record.timestamp)
    batch.rows.append(row)


def merge(target: Batch, other: Batch) -> None:
    """Move the effects of `other` into `target`."""
    target.rows += other.rows
    target.uploads += other.uploads
    target.rejects += other.rejects
    target.unresolved += other.unresolved
    target.unknown += other.unknown


def reject(record: RawRecord, error: InvalidRecordError) -> Reject:
    """The reject of a record, with the original bytes."""
    return Reject(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        reason=error.reason,
        message=error.message[:2000],
        field=error.field[:1000],
        use_case_id=_text_at(record.value, ("use_case_id",), ("useCaseId",)),
        device_id=_text_at(record.value, ("source", "device_id"), ("deviceId",)) or key_text(record),
        key=record.key or b"",
        value=record.value or b"",
        headers=tuple(record.headers),
    )


def _text_at(value: bytes | None, *paths: tuple[str, ...]) -> str:
    """The text at the first path that has one, so that rejects can be listed by use case and device."""
    try:
        document = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return ""
    for path in paths:
        node = document
        for part in path:
            node = node.get(part) if isinstance(node, dict) else None
        if isinstance(node, str):
            return node[:256]
    return ""
