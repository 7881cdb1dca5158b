"""Input formats: what producers publish, and the adapters that bring it into canonical form.

docs/formats.md says for each format how it is recognised and what becomes of its fields.
"""

from typing import Any

from pipeline.core.formats.axis import AXIS_BETA, AXIS_V1
from pipeline.core.formats.base import DeviceLookup, Format, FormatContext, FormatError
from pipeline.core.formats.canonical import CANONICAL
from pipeline.core.formats.cloudevent import unwrap_cloudevent
from pipeline.core.formats.coco import COCO
from pipeline.core.formats.deepstream_full import DEEPSTREAM_FULL
from pipeline.core.formats.deepstream_minimal import DEEPSTREAM_MINIMAL
from pipeline.core.formats.dlstreamer import DLSTREAMER
from pipeline.core.formats.frigate import FRIGATE
from pipeline.core.formats.onvif import ONVIF
from pipeline.core.formats.roboflow import ROBOFLOW
from pipeline.core.formats.savant import SAVANT
from pipeline.core.formats.supervision import SUPERVISION
from pipeline.core.formats.ultralytics import ULTRALYTICS
from pipeline.core.formats.vision_event import EDGE_EVENT, VISION_EVENT

__all__ = [
    "FORMATS",
    "DeviceLookup",
    "Format",
    "FormatContext",
    "FormatError",
    "format_named",
    "recognise",
    "unwrap_cloudevent",
]

FORMATS: tuple[Format, ...] = (
    CANONICAL,
    DEEPSTREAM_FULL,
    DEEPSTREAM_MINIMAL,
    DLSTREAMER,
    ROBOFLOW,
    VISION_EVENT,
    EDGE_EVENT,
    ULTRALYTICS,
    SUPERVISION,
    COCO,
    SAVANT,
    FRIGATE,
    ONVIF,
    AXIS_BETA,
    AXIS_V1,
)
"""All formats, in the order in which `recognise` tries them."""

_BY_NAME = {each.name: each for each in FORMATS}


def recognise(value: Any) -> Format | None:
    """The first format that the content of `value` speaks for, or None."""
    return next((each for each in FORMATS if each.recognises(value)), None)


def format_named(name: str) -> Format | None:
    """The format of that name, or None."""
    return _BY_NAME.get(name)
