"""Brokers that die and come back, alone or in a cluster, and connections to them that are cut."""

from tests.faults.arena import Arena
from tests.faults.cases.base import Fault
from tests.faults.cluster import NODES


def killed(arena: Arena) -> None:
    """kill -9 of the only broker, started again at once"""
    for _ in range(arena.pace.times):
        arena.struck()
        arena.services.crash("kafka")
        arena.hold(arena.pace.hold_s)
    arena.healed()
    arena.still_running()


def one_of_three(arena: Arena) -> None:
    """kill -9 of one broker of three, away for a while"""
    for _ in range(arena.pace.times):
        _away(arena, arena.random.choice(NODES))
    arena.healed()
    arena.still_running()


def busiest_leader(arena: Arena) -> None:
    """kill -9 of the leader of the partition with most records"""
    for _ in range(arena.pace.times):
        ends = arena.observer.ends()
        busiest = max(ends, key=lambda partition: ends[partition] - arena.base.get(partition, 0))
        _away(arena, arena.observer.leaders()[busiest])
    arena.healed()
    arena.still_running()


def two_of_three(arena: Arena) -> None:
    """kill -9 of two brokers of three: nothing is acknowledged until they are back"""
    nodes = arena.random.sample(NODES, 2)
    arena.brokers.kill(*nodes)
    arena.struck()
    arena.hold(arena.pace.hold_s)
    arena.brokers.start(*nodes)
    arena.healed()
    arena.still_running()


def connections_cut(arena: Arena) -> None:
    """all connections to the brokers cut, again and again, at times in the middle of a record"""
    for _ in range(arena.pace.times):
        for proxy in arena.brokers.proxies.values():
            before = proxy.hits
            proxy.cut()
            arena.struck(proxy.hits - before)
        arena.hold(arena.pace.hold_s / 2)
        for proxy in arena.brokers.proxies.values():
            before = proxy.hits
            with proxy.cutting_after(arena.random.randrange(20_000, 200_000)):
                arena.hold(arena.pace.hold_s / 4)
            arena.struck(proxy.hits - before)
    arena.healed()
    arena.still_running()


def _away(arena: Arena, node: int) -> None:
    arena.brokers.kill(node)
    arena.struck()
    arena.hold(arena.pace.hold_s * 2)
    arena.brokers.start(node)
    arena.until_handled(200)


FAULTS = (
    Fault("broker killed", killed),
    Fault("one broker of three killed", one_of_three, ground="three brokers"),
    Fault("leader of the busiest partition killed", busiest_leader, ground="three brokers"),
    Fault("two brokers of three killed", two_of_three, ground="three brokers"),
    Fault("connections to brokers cut", connections_cut, ground="three brokers"),
)
