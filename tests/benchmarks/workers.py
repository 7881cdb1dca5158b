"""Two workers in one group against one, on a topic that was filled before."""

import statistics
from collections.abc import Callable
from typing import Any

from pipeline.settings import Settings
from schemas.topics import EVENTS, INFERENCES
from tests.benchmarks.contest import Competitor, Outcome, contest
from tests.benchmarks.records import start_time
from tests.benchmarks.topic import clear, fill, prepare_topics, run, timed_record


def workers(settings: Settings, count: int, runs: int, note: Callable[[str], None]) -> dict[str, Any]:
    """Rates of one and of two workers, and their ratio. Time starts when both have their partitions.

    What the first has stored before that is not counted. CPU seconds say what the ratio was bound by: on two cores
    Kafka and ClickHouse need their share of what a second worker could use.
    """
    competitor = Competitor("workers", "vision-events worker", settings={"publish_events": False})
    run(prepare_topics(settings))
    run(fill(settings, range(count), timed_record(start_time(count))))
    outcomes: dict[int, list[Outcome]] = {1: [], 2: []}
    for number in range(runs):
        for how_many, found in outcomes.items():
            found.append(contest(settings, competitor, range(count), workers=how_many))
            note(f"run {number + 1} of {runs}: {how_many} at once: {found[-1].rate:,.0f}/s")
    run(clear(settings, INFERENCES.name, EVENTS.name))
    rates = {how_many: statistics.median(each.rate for each in found) for how_many, found in outcomes.items()}
    rows = [
        {"workers": how_many, "rate": rates[how_many], "cores_used": _cores(found)}
        for how_many, found in outcomes.items()
    ]
    return {"rows": rows, "ratio": rates[2] / rates[1]}


def _cores(outcomes: list[Outcome]) -> dict[str, float]:
    """Cores kept busy by workers, ClickHouse and Kafka, on average."""
    return {
        name: statistics.median(getattr(each, f"{name}_cpu_s") / each.seconds for each in outcomes)
        for name in ("worker", "clickhouse", "kafka")
    }
