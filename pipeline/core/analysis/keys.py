"""What events can be split by: columns, fields of their data, and keys of their metadata."""

import re
from typing import Final

from pipeline.core.query.conditions import Bindings
from pipeline.core.query.document import EVENT_FIELDS

_COLUMNS: Final = {
    "device": "device_id",
    "stream": "stream_id",
    "workflow": "workflow_id",
    "factory": "factory_id",
    "type": "event_type",
}
_KEY: Final = re.compile(r"[a-zA-Z0-9_ -]{1,100}")
_MOST_CHARACTERS: Final = 200


def text_of(key: str, bindings: Bindings) -> str:
    """SQL for the value of a key as text, cut to 200 characters and empty where an event has none.

    `device`, `stream`, `workflow`, `factory`, `type`; `data:FIELD` of the event data by its name on the wire, and
    `meta:KEY` of custom metadata. Raises ValueError for others.
    """
    if column := _COLUMNS.get(key):
        return f"toString({column})"
    source, _, name = key.partition(":")
    if source == "data" and (field := {str(wire): stored for wire, stored in EVENT_FIELDS.items()}.get(name)):
        return f"event_data.`{field}`::String"
    if source == "meta" and _KEY.fullmatch(name):
        return f"leftUTF8(custom_metadata.`{name}`::String, {bindings.bind(_MOST_CHARACTERS, 'UInt16')})"
    raise ValueError(f"{key!r} is nothing that events can be split by")
