"""A `supervision.Detections` as canonical predictions, known by its shape: supervision is not needed here."""

from collections.abc import Mapping
from typing import Any, Protocol, cast, runtime_checkable

from pipeline.core.formats.base import FormatError
from pipeline.core.formats.build import UNCLASSIFIED, classified, located, predictions
from pipeline.core.formats.node import Node
from pipeline.core.formats.rle import outline
from pipeline.errors import InvalidRecordError
from schemas.annotations import Predictions
from schemas.reject import RejectReason


@runtime_checkable
class Detections(Protocol):
    """The attributes of `supervision.Detections` that are read: arrays with an entry for each detection, or None."""

    xyxy: Any
    mask: Any
    confidence: Any
    class_id: Any
    tracker_id: Any
    data: Any


def predictions_of(given: Predictions | Detections) -> Predictions:
    """Canonical predictions; those that are canonical already as they are.

    A detection with a mask becomes an instance segmentation with the outline of its largest part. Classes are named
    by `data["class_name"]`, else by their number. Raises InvalidRecordError.
    """
    if isinstance(given, Mapping):
        return given
    try:
        found = (_detection(given, position) for position in range(len(given.xyxy)))
        return cast(Predictions, predictions(found))
    except FormatError as error:
        raise InvalidRecordError(RejectReason.INVALID_RESULT, error.message, "predictions") from None


def _detection(detections: Detections, position: int) -> tuple[str, dict[str, Any]]:
    left, top, right, bottom = (float(edge) for edge in detections.xyxy[position])
    confidence = _at(detections.confidence, position)
    class_id, tracker_id = _at(detections.class_id, position), _at(detections.tracker_id, position)
    name = _at((detections.data or {}).get("class_name"), position)
    if name is None:
        name = UNCLASSIFIED if class_id is None else class_id
    base = classified(
        str(name),
        # Single precision may round a confidence of 1 up.
        None if confidence is None else min(1.0, float(confidence)),
        class_id=None if class_id is None else int(class_id),
        tracker_id=None if tracker_id is None else str(int(tracker_id)),
    )
    box = ((left + right) / 2, (top + bottom) / 2, abs(right - left), abs(bottom - top))
    mask = _at(detections.mask, position)
    return located(base, box, None if mask is None else outline(_run_lengths(mask)))


def _at(values: Any, position: int) -> Any:
    return None if values is None or len(values) <= position else values[position]


def _run_lengths(mask: Any) -> Node:
    """A mask of rows of booleans as runs, column by column, background first."""
    import numpy as np  # there wherever a supervision object is

    pixels = np.asarray(mask, dtype=bool)
    height, width = pixels.shape
    flat = np.concatenate(([False], pixels.T.ravel()))
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate(([0], changes, [height * width])))
    return Node({"size": [height, width], "counts": counts.tolist()})
