"""An object store that is away, slow, overloaded or cut off."""

from tests.faults.answers import is_put, s3_error
from tests.faults.arena import Arena
from tests.faults.cases.base import Fault
from tests.faults.proxy import Action, CutRequest, CutResponse, Delay


def away(arena: Arena) -> None:
    """nobody listens at the object store's address"""
    with arena.s3.away():
        arena.hold(arena.pace.hold_s * 2)
        arena.struck()
    arena.healed()


def killed(arena: Arena) -> None:
    """kill -9 of the object store, started again at once"""
    for _ in range(arena.pace.times):
        arena.services.crash("s3")
        arena.struck()
        arena.hold(arena.pace.hold_s)
    arena.healed()


def slow(arena: Arena) -> None:
    """each request takes 3 s"""
    _requests(arena, Delay(3))


def unavailable(arena: Arena) -> None:
    """writes answered with 503 SlowDown"""
    _requests(arena, s3_error(503, "SlowDown"))


def cut_request(arena: Arena) -> None:
    """connections cut in the middle of an image"""
    _requests(arena, CutRequest())


def cut_answer(arena: Arena) -> None:
    """images stored, but the answer is cut"""
    _requests(arena, CutResponse())


def no_bucket(arena: Arena) -> None:
    """writes answered with NoSuchBucket: the worker stops and commits nothing"""
    with arena.s3.acting(s3_error(404, "NoSuchBucket"), is_put):
        code = arena.workers.await_end("w1")
        arena.struck()
    if code != 2 or "NoSuchBucket" not in arena.workers.end_of_log("w1"):
        arena.problem(f"a missing bucket ended the worker with code {code}: {arena.workers.end_of_log('w1')[-300:]}")
    arena.look()
    arena.workers.start("w1")
    arena.healed()


def _requests(arena: Arena, action: Action) -> None:
    before = arena.s3.hits
    with arena.s3.acting(action, is_put):
        arena.until(lambda: arena.s3.hits > before, "the fault strikes")
        arena.hold(arena.pace.hold_s)
        arena.struck(arena.s3.hits - before)
    arena.healed()
    arena.still_running()


FAULTS = (
    Fault("S3 away", away),
    Fault("S3 killed", killed),
    Fault("S3 slow", slow),
    Fault("S3 503", unavailable, short=True),
    Fault("S3 requests cut", cut_request),
    Fault("S3 answers cut", cut_answer),
    Fault("S3 no bucket", no_bucket),
)
