"""A worker that dies at one step of the commit order, as the fault suite tells it to (tests/faults).

`VISION_EVENTS_CRASH_AT=rows_stored:3` kills the process, as `kill -9` would, the third time that it reaches that
step. The variable is read once, when the writer is made; without it a step costs a call that does nothing.
"""

import os
import signal
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from pipeline.errors import ConfigurationError

CRASH_VARIABLE: Final = "VISION_EVENTS_CRASH_AT"


class Step(StrEnum):
    """The moments of the commit order at which a crash leaves another state behind."""

    GATHERED = "gathered"
    """No row is written yet; images may be on their way."""
    IMAGE_STORED = "image_stored"
    """One image is stored, others perhaps not."""
    IMAGES_STORED = "images_stored"
    """All images are stored, no row."""
    ROWS_STORED = "rows_stored"
    """Rows of events are stored, rejects not."""
    REJECTS_STORED = "rejects_stored"
    """All rows are stored, nothing is published."""
    EVENTS_PUBLISHED = "events_published"
    """Events are published, candidates of alerts and rejects not."""
    CANDIDATES_PUBLISHED = "candidates_published"
    """Events and candidates are published, rejects not."""
    REJECTS_PUBLISHED = "rejects_published"
    """All is published, nothing acknowledged."""
    ACKNOWLEDGED = "acknowledged"
    """All is acknowledged; the offsets are committed up to a second later."""


def crash_point() -> Callable[[Step], None]:
    """What to call at each step. Raises ConfigurationError for a step that there is not."""
    given = os.environ.get(CRASH_VARIABLE)
    if not given:
        return _go_on
    name, _, times = given.partition(":")
    try:
        wanted, left = Step(name), int(times or 1)
    except ValueError:
        raise ConfigurationError(
            f"{CRASH_VARIABLE}={given!r}: expected STEP:TIMES, STEP of {', '.join(Step)}"
        ) from None

    def reached(step: Step) -> None:
        nonlocal left
        left -= step is wanted
        if step is wanted and left <= 0:
            sys.stderr.write(f"crash at {step}\n")
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


def _go_on(step: Step) -> None:
    """In production."""
