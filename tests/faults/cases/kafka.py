"""A broker that dies and comes back."""

from tests.faults.arena import Arena
from tests.faults.cases.base import Fault


def killed(arena: Arena) -> None:
    """kill -9 of the only broker, started again at once"""
    for _ in range(arena.pace.times):
        arena.struck()
        arena.services.crash("kafka")
        arena.hold(arena.pace.hold_s)
    arena.healed()
    if (code := arena.workers.running["w1"].poll()) is not None:
        arena.problem(f"the worker ended with code {code}: {arena.workers.end_of_log('w1')[-300:]}")
        arena.workers.ensure()


FAULTS = (Fault("broker killed", killed),)
