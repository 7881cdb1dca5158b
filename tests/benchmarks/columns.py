"""Events as columns, for the two insert formats that the worker does not use: what they would cost."""

from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa

_TEXTS = ("workspace_id", "use_case_id", "event_id", "event_type", "factory_id", "device_id", "stream_id")
_MORE_TEXTS = ("workflow_id", "frame_id", "comment", "topic")
_NUMBERS = {"frame_width": pa.uint32(), "frame_height": pa.uint32(), "retention_days": pa.uint16()}
_PLACE = {"partition": pa.uint32(), "offset": pa.uint64(), "version": pa.uint64()}
_JSON = ("custom_metadata", "event_data")

_CLASSIFIED = {"image": pa.uint16(), "class": pa.string(), "class_id": pa.int64(), "confidence": pa.float32()}
_IDS = {"tracker_id": pa.string(), "detection_id": pa.string()}
_BOX = {name: pa.float32() for name in ("x", "y", "width", "height")}
_LISTS = {"object_detections": _CLASSIFIED | _BOX | _IDS, "classifications": _CLASSIFIED | _IDS}
_ABSENT = {"image": 0}


def arrow_table(events: Sequence[dict[str, Any]]) -> pa.Table:
    """Events as an Arrow table with the table's columns; those that no benchmark record has are left to defaults."""
    arrays: dict[str, pa.Array] = {}
    for name in (*_TEXTS, *_MORE_TEXTS):
        arrays[name] = pa.array([event.get(name, "") for event in events], pa.string())
    for name, kind in (_NUMBERS | _PLACE).items():
        arrays[name] = pa.array([event.get(name, 0) for event in events], kind)
    arrays["timestamp"] = pa.array([event["timestamp"] for event in events], pa.timestamp("us", "UTC"))
    arrays["max_confidence"] = pa.array([event.get("max_confidence") for event in events], pa.float32())
    arrays["class_counts"] = pa.array(
        [list(event.get("class_counts", {}).items()) for event in events], pa.map_(pa.string(), pa.uint32())
    )
    for name, fields in _LISTS.items():
        # An absent position would be null, which its column cannot hold.
        rows = [[_ABSENT | item for item in event.get(name, ())] for event in events]
        arrays[name] = pa.array(rows, pa.list_(pa.struct(list(fields.items()))))
    for name in _JSON:
        arrays[name] = pa.array([orjson.dumps(event.get(name, {})).decode() for event in events], pa.string())
    return pa.table(arrays)


def native_columns(events: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Events as Python columns, which clickhouse-connect turns into Native blocks."""
    columns: dict[str, list[Any]] = {}
    for name in (*_TEXTS, *_MORE_TEXTS):
        columns[name] = [event.get(name, "") for event in events]
    for name in (*_NUMBERS, *_PLACE):
        columns[name] = [event.get(name, 0) for event in events]
    columns["timestamp"] = [event["timestamp"] for event in events]
    columns["max_confidence"] = [event.get("max_confidence") for event in events]
    columns["class_counts"] = [event.get("class_counts", {}) for event in events]
    for name, fields in _LISTS.items():
        defaults = dict.fromkeys(fields) | _ABSENT
        columns[name] = [[defaults | item for item in event.get(name, ())] for event in events]
    for name in _JSON:
        columns[name] = [event.get(name, {}) for event in events]
    return columns
