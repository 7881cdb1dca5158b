"""Who takes part in the comparison, and the comparison itself: alternating runs, medians and ratios."""

import shutil
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.settings import Settings
from schemas.topics import EVENTS, INFERENCES
from tests.benchmarks import packages
from tests.benchmarks.contest import Competitor, Outcome, contest
from tests.benchmarks.processes import BenchmarkError
from tests.benchmarks.records import start_time
from tests.benchmarks.topic import clear, fill, prepare_topics, run, timed_record

OURS = "ours"
LIMIT = "aiokafka"
_CONNECT = "redpanda-connect"
_CONNECT_FILE = Path(__file__).with_name("competitors") / "redpanda_connect.yaml"

_FIGURES = ("rate", "start_up_s", "worker_cpu_s", "clickhouse_cpu_s", "kafka_cpu_s", "peak_mb")


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
        Competitor("redpanda-connect", "Redpanda Connect (Go)", (_CONNECT, "run", str(_CONNECT_FILE))),
    ]


def available(competitor: Competitor) -> str:
    """Empty when a competitor can run, else what is missing."""
    if competitor.packages is not None and not packages.installed(competitor.packages.name):
        return f"its libraries are not installed: python -m tests.benchmarks install {competitor.packages.name}"
    if not shutil.which(competitor.command[0]):
        return f"no {competitor.command[0]} on the PATH"
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
            try:
                outcome = contest(settings, competitor, range(count))
            except BenchmarkError as error:
                if competitor.name.startswith(OURS):
                    raise
                note(f"run {number + 1} of {runs}: {competitor.title} does not count: {error}")
                continue
            outcomes[competitor.name].append(outcome)
            note(f"run {number + 1} of {runs}: {competitor.title}: {outcome.rate:,.0f}/s")
            run(clear(settings, EVENTS.name))
    run(clear(settings, INFERENCES.name))
    rows = [summary(each, outcomes[each.name]) for each in chosen if outcomes[each.name]]
    ours = next((row["rate"] for row in rows if row["name"] == OURS), None)
    return [row | {"ours_over": ours / row["rate"] if ours else None} for row in rows]


def summary(competitor: Competitor, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Medians over the runs, and the single rates, so that their spread can be seen."""
    medians = {name: statistics.median(getattr(outcome, name) for outcome in outcomes) for name in _FIGURES}
    return {
        "name": competitor.name,
        "title": competitor.title,
        **medians,
        "uncommitted": max(outcome.uncommitted for outcome in outcomes),
        "rates": [outcome.rate for outcome in outcomes],
        "records": outcomes[0].records,
    }
