"""Who takes part in the comparison, and the comparison itself: alternating runs, medians and ratios."""

import shutil
import statistics
import sys
from collections.abc import Callable, Sequence
from typing import Any

from pipeline.settings import Settings
from schemas.topics import EVENTS, INFERENCES
from tests.benchmarks import packages
from tests.benchmarks.contest import Competitor, Outcome, contest
from tests.benchmarks.records import start_time
from tests.benchmarks.topic import clear, fill, prepare_topics, run, timed_record

OURS = "ours"
LIMIT = "aiokafka"

FIGURES = ("rate", "steady_rate", "start_up_s", "worker_cpu_s", "clickhouse_cpu_s", "kafka_cpu_s", "peak_mb")


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"tests.benchmarks.competitors.{name}", *arguments)


def competitors() -> list[Competitor]:
    """Everyone, in the order of the table. Libraries and binaries may be missing: see `available`."""
    quix, arroyo = packages.folder("quixstreams"), packages.folder("arroyo")
    return [
        Competitor(OURS, "vision-events worker, not publishing", settings={"publish_events": False}),
        Competitor("ours-publishing", "vision-events worker, as shipped (publishing)"),
        Competitor(LIMIT, "hand-written aiokafka loop", _module("aiokafka_loop")),
        Competitor("arroyo-tuned", "sentry-arroyo, tuned", _module("arroyo_steps", "--tuned"), arroyo),
        Competitor("arroyo", "sentry-arroyo, as shipped", _module("arroyo_steps"), arroyo),
        Competitor("quixstreams-tuned", "quixstreams, tuned", _module("quix", "--tuned"), quix),
        Competitor("quixstreams", "quixstreams, as shipped", _module("quix"), quix),
        Competitor("naive", "naive loop, inserts of 1,000", _module("naive")),
        Competitor("faust", "Faust agent with take, stock", _module("faust_take")),
        Competitor("redpanda-connect", "Redpanda Connect (Go)", _module("redpanda_connect")),
    ]


def available(competitor: Competitor) -> str:
    """Empty when a competitor can run, else what is missing."""
    if competitor.packages is not None and not packages.installed(competitor.packages.name):
        return f"its libraries are not installed: python -m tests.benchmarks install {competitor.packages.name}"
    if competitor.name == "redpanda-connect" and not shutil.which("redpanda-connect"):
        return "no redpanda-connect on the PATH"
    return ""


def throughput(
    settings: Settings, chosen: Sequence[Competitor], count: int, runs: int, note: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Median figures of each competitor over alternating runs on one filled topic, with the ratio to our worker."""
    run(prepare_topics(settings))
    run(fill(settings, range(count), timed_record(start_time(count))))
    note(f"{count:,} records are on the topic")
    outcomes: dict[str, list[Outcome]] = {competitor.name: [] for competitor in chosen}
    for number in range(runs):
        for competitor in chosen:
            outcome = contest(settings, competitor, range(count))
            outcomes[competitor.name].append(outcome)
            note(f"run {number + 1} of {runs}: {competitor.title}: {outcome.rate:,.0f}/s")
            run(clear(settings, EVENTS.name))
    run(clear(settings, INFERENCES.name))
    rows = [summary(competitor, outcomes[competitor.name]) for competitor in chosen]
    ours = next((row["rate"] for row in rows if row["name"] == OURS), None)
    return [row | {"ours_over": ours / row["rate"] if ours else None} for row in rows]


def summary(competitor: Competitor, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Medians over the runs, and the single rates, so that their spread can be seen."""
    names = (
        "rate",
        "steady_rate",
        "start_up_s",
        "worker_cpu_s",
        "clickhouse_cpu_s",
        "kafka_cpu_s",
        "peak_mb",
        "uncommitted",
    )
    medians = {name: statistics.median(getattr(outcome, name) for outcome in outcomes) for name in names}
    return {
        "name": competitor.name,
        "title": competitor.title,
        **medians,
        "uncommitted": max(outcome.uncommitted for outcome in outcomes),
        "rates": [outcome.rate for outcome in outcomes],
        "records": outcomes[0].records,
    }
