"""The canonical result itself: an object of the four annotation lists and nothing else."""

from typing import Any

from pipeline.core.formats.base import Format, FormatContext
from pipeline.core.formats.node import Node
from schemas.annotations import ANNOTATION_KINDS

_KINDS = frozenset(ANNOTATION_KINDS)


def _recognises(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() <= _KINDS


def _to_canonical(value: Any, context: FormatContext) -> dict[str, Any]:
    return {"result": Node(value).as_object().value}


CANONICAL = Format("canonical", _recognises, _to_canonical)
