"""Records that are hard to take: poison, the largest there may be, wrong clocks, one noisy key, gaps in the log."""

import asyncio
import time
from datetime import timedelta

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from pipeline.edges.kafka import admin, producer
from schemas.topics import INFERENCES
from tests.faults.arena import Arena
from tests.faults.cases.base import Fault
from tests.faults.mix import SERIAL, Sent
from tests.faults.observe import Offsets

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


def noisy_key(arena: Arena) -> None:
    """one device sends 80 times as much as all others while the worker is down: the others must not wait for it"""
    arena.workers.terminate("w1")
    before = arena.observer.ends()
    flood = [arena.mix.next() for _ in range(arena.pace.times * 10_000)]
    for record in flood:
        record.key = b"noisy"
    for start in range(0, len(flood), 2_000):
        arena.load.send(*flood[start : start + 2_000])
    end = arena.observer.ends()
    noisy = max(end, key=lambda partition: end[partition] - before.get(partition, 0))
    arena.struck()
    arena.workers.start("w1", batch_max_rows="1000")  # many inserts, so that an order can be seen
    others = {partition: offset for partition, offset in end.items() if partition != noisy}
    arena.until(lambda: not arena.left(others), "the records of other partitions are handled")
    # The flood cannot be done by then, unless it was read first.
    if not arena.left({noisy: end[noisy]}):
        arena.problem("records of other keys waited until those of one noisy key were handled")
    arena.workers.terminate("w1")
    arena.workers.start("w1")
    arena.healed()


def compaction(arena: Arena) -> None:
    """the raw topic compacted while the worker is down: most offsets that it has yet to read are gone"""
    arena.workers.terminate("w1")
    before = arena.observer.ends()
    stored, rejected = arena.observer.handled(arena.base)
    log = arena.observer.log(INFERENCES.name, arena.base)
    arena.gaps, arena.compacted = True, [r for r in log if r.offset in stored[r.partition] | rejected[r.partition]]
    often = {"cleanup.policy": "compact", "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01"}
    _configure(arena, often | {"max.compaction.lag.ms": "2000"})

    def missing() -> int:
        end = arena.observer.ends()
        produced = sum(end[partition] - before.get(partition, 0) for partition in end)
        return produced - len(arena.observer.log(INFERENCES.name, before))

    try:
        arena.until(lambda: missing() > 100, "records are compacted away")
    finally:
        _configure(arena, {})
    _await_end_of_compaction(arena, before)
    arena.struck(missing())
    arena.workers.start("w1")
    arena.healed()


def _await_end_of_compaction(arena: Arena, before: Offsets) -> None:
    """Brokers hear of the new policy a moment later: what they remove after the worker has it looks like a surplus."""
    end = arena.observer.ends()

    def left() -> int:
        return sum(r.offset < end[r.partition] for r in arena.observer.log(INFERENCES.name, before))

    def at_rest() -> bool:
        first = left()
        time.sleep(3)
        return left() == first

    arena.until(at_rest, "the compaction has ended")


def _configure(arena: Arena, changes: dict[str, str]) -> None:
    """The raw topic as it is made, with these changes."""

    async def work() -> None:
        async with admin(arena.settings) as client:
            config = INFERENCES.config() | changes
            await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, INFERENCES.name, config)])

    asyncio.run(work())


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
    Fault("one noisy key", noisy_key),
    Fault("compaction", compaction),
    Fault("transactions", aborted_transactions),
)
