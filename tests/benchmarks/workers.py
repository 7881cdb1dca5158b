"""Two workers in one group against one, on a topic that was filled before."""

import statistics
from collections.abc import Callable
from typing import Any, Final

from pipeline.settings import Settings
from schemas.topics import EVENTS, INFERENCES
from tests.benchmarks.contest import Competitor, Outcome, contest
from tests.benchmarks.quota import cpu_quota
from tests.benchmarks.records import start_time
from tests.benchmarks.topic import clear, fill, prepare_topics, run, timed_record

LIMIT: Final = 0.25
"""Cores that each worker may use in the second comparison: little enough that services and two workers have room."""


def workers(settings: Settings, count: int, runs: int, note: Callable[[str], None]) -> dict[str, Any]:
    """Rates of one and of two workers, and their ratio: as they are, and each limited to a part of a core.

    Time starts when both have their partitions; what the first has stored before that is not counted. On two cores
    Kafka and ClickHouse need their share of what a second worker could use, so the first ratio says what this machine
    allows; the second what the system does where a worker has cores of its own. A system without control groups
    leaves the second out.
    """
    run(prepare_topics(settings))
    with cpu_quota("probe", LIMIT) as possible:
        limits = [None, LIMIT] if possible else [None]
    rows = [
        row for cores in limits for row in _rows(settings, count if cores is None else count // 4, runs, cores, note)
    ]
    ratios = {row["limit"]: row["rate"] / before["rate"] for before, row in zip(rows[::2], rows[1::2], strict=True)}
    return {"rows": rows, "ratio": ratios[None], "ratio_limited": ratios.get(LIMIT)}


def _rows(
    settings: Settings, count: int, runs: int, cores: float | None, note: Callable[[str], None]
) -> list[dict[str, Any]]:
    """One and two workers in alternating runs over a topic of `count` records."""
    competitor = Competitor("workers", "vision-events worker", settings={"publish_events": False})
    run(fill(settings, range(count), timed_record(start_time(count))))
    outcomes: dict[int, list[Outcome]] = {1: [], 2: []}
    for number in range(runs):
        for how_many, found in outcomes.items():
            found.append(contest(settings, competitor, range(count), workers=how_many, cores=cores))
            limited = f", each limited to {cores} cores" if cores else ""
            note(f"run {number + 1} of {runs}: {how_many} at once{limited}: {found[-1].rate:,.0f}/s")
    run(clear(settings, INFERENCES.name, EVENTS.name))
    return [
        {
            "workers": how_many,
            "limit": cores,
            "rate": statistics.median(each.rate for each in found),
            "cores_used": _cores(found),
        }
        for how_many, found in outcomes.items()
    ]


def _cores(outcomes: list[Outcome]) -> dict[str, float]:
    """Cores kept busy by workers, ClickHouse and Kafka, on average."""
    return {
        name: statistics.median(getattr(each, f"{name}_cpu_s") / each.seconds for each in outcomes)
        for name in ("worker", "clickhouse", "kafka")
    }
