"""Whether an event loop turns: written by the loop, read by the thread of its HTTP server."""

import asyncio
import time
from typing import Final

from pipeline.edges.http_server import Answer, Route, json_answer
from pipeline.metrics import CONTENT_TYPE, Process, exposition

_BEAT_S: Final = 1.0


class Heartbeat:
    """The pulse of one event loop."""

    def __init__(self, silent_s: float) -> None:
        self._silent_s = silent_s
        self._beat = time.monotonic()

    async def beat(self) -> None:
        """Show for ever that the event loop turns."""
        while True:
            self._beat = time.monotonic()
            await asyncio.sleep(_BEAT_S)

    def problems(self) -> list[str]:
        """What is wrong, in words: nothing while the loop turns."""
        silent = time.monotonic() - self._beat
        return [f"the event loop hangs since {silent:.0f} s"] if silent >= self._silent_s else []

    def livez(self) -> Answer:
        """503 when the loop hangs: only a new process can help."""
        wrong = self.problems()
        return json_answer(not wrong, {"alive": not wrong, "problems": wrong})


def metrics_route(process: Process) -> Route:
    """The route /metrics of a process."""
    return lambda: Answer(200, exposition(process), CONTENT_TYPE)
