"""Frigate's `frigate/events`: the state of a tracked object before and after a change; the state after it counts.

Source: blakeblackshear/frigate, docs/docs/integrations/mqtt.md. Boxes are corners in pixels of the detect stream.
"""

from collections.abc import Iterator
from typing import Any

from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.build import (
    Found,
    classified,
    corners,
    located,
    predictions,
    source,
    without_none,
)
from pipeline.core.formats.node import Node

_FLAGS = ("stationary", "active", "false_positive")


def _recognises(value: Any) -> bool:
    return isinstance(value, dict) and all(key in value for key in ("type", "before", "after"))


def _to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    message = Node(value).as_object()
    state = message.object("after")
    return without_none(
        timestamp=state.time("frame_time"),
        source=source(device_id=state.identifier("camera")),
        custom_metadata=without_none(
            frigate_event=message.text("type"),
            sub_label=_sub_label(state),
            recognized_license_plate=state.text("recognized_license_plate"),
            current_zones=_joined(state, "current_zones"),
            entered_zones=_joined(state, "entered_zones"),
            **{flag: state.get(flag) for flag in _FLAGS if isinstance(state.get(flag), bool)},
        ),
        result=predictions(_found(state)),
    )


def _sub_label(state: Node) -> str | None:
    """Written as text, or as [text, score]."""
    return state.child("sub_label").text(0) if isinstance(state.get("sub_label"), list) else state.text("sub_label")


def _joined(state: Node, key: str) -> str | None:
    zones = state.child(key)
    names = [zones.text(zone.key) for zone in zones.items()] if zones.value is not None else []
    return ",".join(name for name in names if name) or None


def _found(state: Node) -> Iterator[Found]:
    score = "score" if state.get("score") is not None else "top_score"
    yield _object(state, score, state.identifier("id"))
    for attribute in state.objects("current_attributes"):
        yield _object(attribute, "score", None)


def _object(node: Node, score: str, tracker_id: str | None) -> Found:
    base = classified(node.name("label"), node.confidence(score), tracker_id=tracker_id)
    return located(base, corners(node.child("box"), *node.numbers("box", 4)))


FRIGATE = Format("frigate", _recognises, _to_canonical)
