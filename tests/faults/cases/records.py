"""Records that are hard to take: poison, the largest there may be, wrong clocks, gaps in the log."""

import asyncio
from datetime import timedelta

from pipeline.edges.kafka import producer
from schemas.topics import INFERENCES
from tests.faults.arena import Arena
from tests.faults.cases.base import Fault
from tests.faults.mix import SERIAL, Sent

MIB = 1024 * 1024


def poison(arena: Arena) -> None:
    """records made to break a decoder: deep, huge, not text"""
    deep = 200_000
    values = [
        (b"[" * deep + b"]" * deep, "not_json"),
        (b'{"a":' * deep + b"1" + b"}" * deep, "not_json"),
        (b'{"use_case_id": "\\ud800"}', "not_json"),
        (b'{"timestamp": 1e999}', "not_json"),
        (b"\x00" * 1000, "not_json"),
        (b"9" * 100_000, "not_json"),
        (b"", "not_json"),
        (b"null", "unknown_format"),
        (b'{"result": {"object_detections": ' + b"[{}," * 50_000 + b"{}" + b"]" * 50_000 + b"}}", "not_json"),
    ]
    arena.load.send(*(Sent(value, b"cam-x", reason=reason) for value, reason in values))
    arena.struck(len(values))
    arena.healed()


def largest(arena: Arena) -> None:
    """records of 7.9 MiB among the others"""
    for _ in range(arena.pace.times):
        arena.load.send(arena.mix.large(int(7.9 * MIB)))
        arena.struck()
    arena.healed()


def clock(arena: Arena) -> None:
    """a producer whose clock jumps: two hours, three days, two years, ten years back"""
    for skew in (
        timedelta(hours=2),
        timedelta(days=3),
        timedelta(days=730),
        timedelta(days=-3650),
        timedelta(hours=-2),
    ):
        arena.mix.skew = skew
        arena.hold(arena.pace.hold_s / 2)
        arena.struck()
    arena.mix.skew = timedelta()
    arena.healed()


def aborted_transactions(arena: Arena) -> None:
    """aborted and committed transactions between the other records"""

    async def work() -> None:
        client = producer(arena.settings, transactional_id=f"faults-{arena.random.getrandbits(64)}")
        await client.start()
        try:
            for _ in range(arena.pace.times * 3):
                for abort in (True, False):
                    await client.begin_transaction()
                    for _ in range(20):
                        await _send(client, arena, keep=not abort)
                    await (client.abort_transaction() if abort else client.commit_transaction())
                    arena.outcome.injected += 1
        finally:
            await client.stop()

    arena.gaps = True
    asyncio.run(work())
    arena.healed()


async def _send(client: object, arena: Arena, *, keep: bool) -> None:
    record = arena.mix.next()
    serial = len(arena.load.sent)
    arena.load.sent.append(record)
    await client.send(  # type: ignore[attr-defined]
        INFERENCES.name, record.value, key=record.key, headers=[(SERIAL, str(serial).encode())]
    )


FAULTS = (
    Fault("poison records", poison, short=True),
    Fault("records of 7.9 MiB", largest),
    Fault("clock of a producer jumps", clock),
    Fault("transactions", aborted_transactions),
)
