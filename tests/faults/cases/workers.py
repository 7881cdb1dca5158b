"""Workers that die, stop, come and go."""

import signal
import time

from pipeline.ingest.crash import Step
from tests.faults.arena import FULL, Arena
from tests.faults.cases.base import Fault


def kill_at_every_step(arena: Arena) -> None:
    """kill -9 of the worker at each step of the commit order (in the short form: at five of them)"""
    arena.workers.terminate("w1")
    for _ in range(arena.pace.times):
        for step in Step if arena.pace is FULL else arena.random.sample(list(Step), 5):
            arena.workers.start("w1", crash=(step, arena.random.randrange(1, 3)))
            arena.workers.await_crash("w1", step)
            arena.struck()
            arena.look()
    arena.workers.start("w1")
    arena.healed()


def kill_at_random(arena: Arena) -> None:
    """kill -9 of the worker at random moments"""
    for _ in range(arena.pace.times * 2):
        arena.until_handled(arena.random.randrange(50, 400))
        arena.workers.kill("w1")
        arena.struck()
        arena.look()
        arena.workers.start("w1")
    arena.healed()


def terminate(arena: Arena) -> None:
    """SIGTERM: the worker finishes what it has in hand"""
    for _ in range(arena.pace.times):
        code = arena.workers.terminate("w1")
        arena.struck()
        if code:
            arena.problem(f"SIGTERM ended the worker with code {code}")
        arena.look()
        arena.workers.start("w1")
        arena.until_handled(50)
    arena.healed()


def scale(arena: Arena) -> None:
    """from one worker to three and back, under load"""
    for _ in range(arena.pace.times):
        for name in ("w2", "w3"):
            arena.workers.start(name)
        _await_members(arena, 3)
        arena.struck()
        arena.hold(arena.pace.hold_s)
        for name in ("w2", "w3"):
            if code := arena.workers.terminate(name):
                arena.problem(f"SIGTERM ended {name} with code {code}")
        _await_members(arena, 1)
        arena.struck()
    arena.healed()


def freeze(arena: Arena) -> None:
    """SIGSTOP until its session is over: the worker wakes up as one who was replaced"""
    arena.workers.start("w2")
    _await_members(arena, 2)
    process = arena.workers.running["w1"]
    process.send_signal(signal.SIGSTOP)
    arena.struck()
    arena.hold(14)
    process.send_signal(signal.SIGCONT)
    time.sleep(2)
    arena.workers.ensure("w1")
    arena.workers.terminate("w2")
    arena.healed()


def _await_members(arena: Arena, count: int) -> None:
    def joined() -> bool:
        found = arena.observer.members()
        return len(found) == count and all(found)

    arena.until(joined, f"{count} members of the group")


FAULTS = (
    Fault("worker killed at each step", kill_at_every_step, short=True),
    Fault("worker killed at random", kill_at_random),
    Fault("worker terminated", terminate),
    Fault("worker frozen", freeze),
    Fault("workers scaled 1, 3, 1", scale),
)
