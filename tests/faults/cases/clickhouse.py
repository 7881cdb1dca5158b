"""ClickHouse that is away, slow, overloaded or cut off."""

from tests.faults.answers import clickhouse_error, is_insert
from tests.faults.arena import Arena
from tests.faults.cases.base import Fault
from tests.faults.proxy import Action, CutRequest, CutResponse, Delay


def away(arena: Arena) -> None:
    """nobody listens at ClickHouse's address (60 s in the full form)"""
    with arena.clickhouse.away():
        arena.hold(arena.pace.long_s)
        arena.struck()
    arena.healed()


def killed(arena: Arena) -> None:
    """kill -9 of ClickHouse, started again at once"""
    for _ in range(arena.pace.times):
        arena.services.crash("clickhouse")
        arena.outcome.injected += 1
        arena.hold(arena.pace.hold_s)
    arena.healed()


def slow(arena: Arena) -> None:
    """each insert takes 10 s"""
    _inserts(arena, Delay(10), 30)


def too_many_parts(arena: Arena) -> None:
    """inserts answered with code 252 (too many parts)"""
    _inserts(arena, clickhouse_error(252))


def memory_limit(arena: Arena) -> None:
    """inserts answered with code 241 (memory limit)"""
    _inserts(arena, clickhouse_error(241))


def cut_request(arena: Arena) -> None:
    """connections cut in the middle of inserts"""
    _inserts(arena, CutRequest())


def cut_answer(arena: Arena) -> None:
    """inserts done, but the answer is cut: the worker cannot know"""
    _inserts(arena, CutResponse())


def unknown_table(arena: Arena) -> None:
    """inserts answered with code 60 (unknown table): the worker stops and commits nothing"""
    with arena.clickhouse.acting(clickhouse_error(60), is_insert):
        code = arena.workers.await_end("w1")
        arena.struck()
    if code != 2 or "vision-events migrate" not in arena.workers.end_of_log("w1"):
        arena.problem(f"a missing table ended the worker with code {code}: {arena.workers.end_of_log('w1')[-300:]}")
    arena.look()
    arena.workers.start("w1")
    arena.healed()


def removed_table(arena: Arena) -> None:
    """the table of events really taken away: the worker stops and commits nothing"""
    arena.sql.command("DETACH TABLE stored_events")
    try:
        code = arena.workers.await_end("w1")
        arena.outcome.injected += 1
    finally:
        arena.sql.command("ATTACH TABLE stored_events")
    if code != 2 or "vision-events migrate" not in arena.workers.end_of_log("w1"):
        arena.problem(f"a missing table ended the worker with code {code}: {arena.workers.end_of_log('w1')[-300:]}")
    arena.look()
    arena.struck(0)
    arena.workers.start("w1")
    arena.healed()


def away_while_scaling(arena: Arena) -> None:
    """ClickHouse away while workers come and go: waiting must not hold up the group"""
    with arena.clickhouse.acting(clickhouse_error(252), is_insert):
        arena.workers.start("w2")
        arena.until(lambda: len(arena.observer.members()) == 2, "two members")
        arena.struck()
        arena.workers.kill("w2")
        arena.hold(arena.pace.hold_s)
    arena.healed()


def _inserts(arena: Arena, action: Action, seconds: float | None = None) -> None:
    before = arena.clickhouse.hits
    with arena.clickhouse.acting(action, is_insert):
        arena.until(lambda: arena.clickhouse.hits > before, "the fault strikes")
        arena.hold(seconds or arena.pace.hold_s)
        arena.struck(arena.clickhouse.hits - before)
    arena.healed()
    arena.still_running()


FAULTS = (
    Fault("ClickHouse away", away),
    Fault("ClickHouse killed", killed),
    Fault("ClickHouse slow", slow),
    Fault("ClickHouse code 252", too_many_parts, short=True),
    Fault("ClickHouse code 241", memory_limit),
    Fault("ClickHouse code 60", unknown_table, short=True),
    Fault("ClickHouse table removed", removed_table),
    Fault("ClickHouse requests cut", cut_request),
    Fault("ClickHouse answers cut", cut_answer, short=True),
    Fault("ClickHouse away while scaling", away_while_scaling),
)
