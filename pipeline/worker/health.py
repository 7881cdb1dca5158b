"""How a worker is: whether it makes progress, whether it can work, and what is wrong in words.

Written by the worker's event loop, read by the thread of its HTTP server: each attribute is replaced as a whole.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from pipeline import metrics
from pipeline.core.stalls import Place, Stall, StallWatch
from pipeline.edges.heartbeat import Heartbeat
from pipeline.edges.http_server import Answer, json_answer
from pipeline.errors import VisionEventsError
from pipeline.settings import Settings

log = logging.getLogger(__name__)

_CHECK_S: Final = 5.0

Ask = Callable[[], Awaitable[None]]


class WorkerHealth:
    """The health of one worker."""

    def __init__(self, settings: Settings) -> None:
        self._stuck_after_s = settings.stuck_after_s
        # A slow insert is no reason to kill a worker: the next one would have to begin it anew.
        self._hopeless_after_s = settings.insert_timeout_s + settings.stuck_after_s
        self._watch = StallWatch(settings.stuck_after_s)
        self._heart = Heartbeat(settings.stuck_after_s)
        self.beat = self._heart.beat
        self.phase = "starting"
        """What it is doing, in words; "running" once partitions can be assigned."""
        self.services: Mapping[str, str] = {}
        """Each service, and "ok" or what is wrong with it."""
        self.partitions: Mapping[str, Place] | None = None
        """Assigned partitions; None while no group is joined."""
        self.stalls: list[Stall] = []

    # -- asked by the HTTP server's thread

    def livez(self) -> Answer:
        """503 when only a new process can help: the loop hangs, or records are stuck though all services answer."""
        wrong = self._hopeless()
        return json_answer(not wrong, {"alive": not wrong, "phase": self.phase, "problems": wrong})

    def readyz(self) -> Answer:
        """200 when it works: services answer, the group is joined, no partition is stuck."""
        problems = self.problems()
        return json_answer(
            not problems,
            {
                "ready": not problems,
                "phase": self.phase,
                "services": dict(self.services),
                "partitions": {name: place._asdict() for name, place in (self.partitions or {}).items()},
                "problems": problems,
            },
        )

    def problems(self) -> list[str]:
        """Everything that keeps it from working, in words."""
        problems = [f"{name}: {answer}" for name, answer in self.services.items() if answer != "ok"]
        if self.phase != "running":
            problems.append(self.phase)
        elif self.partitions is None:
            problems.append("the consumer group is not joined yet")
        return [*self._heart.problems(), *map(str, self.stalls), *problems]

    def _hopeless(self) -> list[str]:
        away = any(answer != "ok" for answer in self.services.values())
        stuck = [] if away else [str(stall) for stall in self.stalls if stall.seconds >= self._hopeless_after_s]
        return [*self._heart.problems(), *stuck]

    # -- run by the worker's event loop

    async def follow(self, services: Mapping[str, Ask], places: Callable[[], Mapping[str, Place] | None]) -> None:
        """Ask the services and look at the partitions for ever; log what becomes stuck and what goes on."""
        while True:
            answers = await asyncio.gather(*(self._ask(ask) for ask in services.values()))
            self.services = dict(zip(services, answers, strict=True))
            self.partitions = places()
            self._look()
            self._count()
            await asyncio.sleep(min(_CHECK_S, self._stuck_after_s / 4))

    async def _ask(self, ask: Ask) -> str:
        try:
            await asyncio.wait_for(ask(), _CHECK_S)
        except TimeoutError:
            return f"no answer within {_CHECK_S:.0f} s"
        except VisionEventsError as error:
            return str(error)
        return "ok"

    def _count(self) -> None:
        """What Prometheus is told."""
        lag = {tuple(name.rsplit("/", 1)): at.end - at.done for name, at in (self.partitions or {}).items()}
        metrics.set_all(metrics.LAG, lag)
        metrics.set_all(metrics.DEPENDENCY_UP, {(name,): answer == "ok" for name, answer in self.services.items()})
        metrics.STUCK_PARTITIONS.set(len(self.stalls))

    def _look(self) -> None:
        before = {stall.partition for stall in self.stalls}
        self.stalls = self._watch.look(time.monotonic(), self.partitions or {})
        away = "; ".join(f"{name}: {answer}" for name, answer in self.services.items() if answer != "ok")
        for stall in self.stalls:
            if stall.partition not in before:
                log.error("stuck: %s%s", stall, f" ({away})" if away else "")
        for partition in sorted(before - {stall.partition for stall in self.stalls}):
            log.info("%s goes on", partition)


class ThreadedAsk:
    """Asks a blocking client from a thread of its own, so that one that never answers takes no other thread away."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._asked: Future[object] | None = None

    async def __call__(self) -> None:
        """Wait for the answer to the question under way, or ask anew. Raises what the client raises."""
        if self._asked is None or self._asked.done():
            self._asked = self._pool.submit(self._ask)
        await asyncio.shield(asyncio.wrap_future(self._asked))
