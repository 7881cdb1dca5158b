"""What `status` says of counts: well, catching up, or what is wrong."""

import pytest

from pipeline.core.verdict import Level, Waiting, judge

OK = {"clickhouse": "ok", "kafka": "ok", "s3": "ok"}
FRESH = Waiting("t/0", 900, None, 1)
STUCK = Waiting("t/1", 40, 55, 61)


@pytest.mark.parametrize(
    ("workers", "waiting", "unaccounted", "level", "words"),
    [
        (2, [], 0, Level.WELL, "everything produced is stored or rejected"),
        (0, [], 0, Level.IDLE, "no worker is running"),
        (2, [FRESH], 900, Level.CATCHING_UP, "catching up: 900 records wait"),
        (2, [Waiting("t/0", 1, 0, 0)], 1, Level.CATCHING_UP, "catching up: 1 record waits"),
        (2, [FRESH, Waiting("t/1", 100, 12, 40)], 1000, Level.CATCHING_UP, "1,000 records wait, the oldest for 12 s"),
        (0, [FRESH], 900, Level.WRONG, "no worker is running: 900 records wait"),
        (2, [FRESH, STUCK], 940, Level.WRONG, "40 records of t/1 wait, the oldest for 55 s; none was handled for 61 s"),
        (2, [], 3, Level.WRONG, "3 records are acknowledged, but neither stored nor rejected"),
        (2, [FRESH], None, Level.CATCHING_UP, "900"),
    ],
)
def test_the_state_in_words(
    workers: int, waiting: list[Waiting], unaccounted: int | None, level: Level, words: str
) -> None:
    verdict = judge(OK, workers, waiting, unaccounted, 30)
    assert verdict.level is level
    assert words in str(verdict)


def test_a_service_that_is_away_comes_first() -> None:
    verdict = judge(OK | {"s3": "S3: no bucket 'x'"}, None, [STUCK], None, 30)
    assert (verdict.level, str(verdict)) == (Level.AWAY, "s3: S3: no bucket 'x'")
