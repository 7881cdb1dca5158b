"""One run: start a worker on a filled topic and an empty table, wait until all is queryable, check all of it."""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.edges.clickhouse import connect
from pipeline.settings import Settings
from tests.benchmarks import store, usage
from tests.benchmarks.processes import OWN_COMMAND, BenchmarkError, Running, running
from tests.benchmarks.quota import cpu_quota
from tests.benchmarks.topic import lag, run, wait_for_members

_STALLED_S = 60.0


@dataclass(frozen=True)
class Competitor:
    """Who takes part. `packages` is the folder of libraries that only this one needs (None: none)."""

    name: str
    title: str
    command: tuple[str, ...] = OWN_COMMAND
    packages: Path | None = None
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class Outcome:
    """What one run took.

    `seconds` begins when the broker has assigned the partitions and ends when a query finds all rows. CPU seconds are
    those of this span. `uncommitted` are records that the group had not committed after an orderly stop.
    """

    name: str
    records: int
    seconds: float
    start_up_s: float
    worker_cpu_s: float
    clickhouse_cpu_s: float
    kafka_cpu_s: float
    peak_mb: float
    uncommitted: int
    differences: list[str]

    @property
    def rate(self) -> float:
        """Records per second."""
        return self.records / self.seconds

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"rate": self.rate}


def contest(
    settings: Settings, competitor: Competitor, numbers: range, *, workers: int = 1, cores: float | None = None
) -> Outcome:
    """Run a competitor once over the filled topic; `cores` limits each worker.

    Raises BenchmarkError when it fails or loses something.
    """
    with store.fresh_database(settings.model_copy(update=competitor.settings)) as own, ExitStack() as stack:
        client = connect(own)
        limits = [stack.enter_context(cpu_quota(f"{os.getpid()}-{n}", cores)) for n in range(workers if cores else 0)]
        began = time.monotonic()
        started = [
            stack.enter_context(running(competitor.command, own, f"{competitor.name}-{n}", competitor.packages))
            for n in range(workers)
        ]
        for worker, limit in zip(started, limits, strict=False):
            if limit is None:
                raise BenchmarkError("this system has no control groups that would limit a worker's CPU time")
            limit(worker.process.pid)
        assigned = run(wait_for_members(own, own.ingest_group, workers, lambda: all(w.alive() for w in started)))
        before, cpu = store.count(client), _cpu(own, started)
        if before > len(numbers) / 2:
            raise BenchmarkError(
                f"{before} of {len(numbers)} records were stored before all workers had begun: use more"
            )
        wait_for_rows(client, len(numbers), started)
        ended = time.monotonic()
        spent = {name: value - cpu[name] for name, value in _cpu(own, started).items()}
        peak = sum(worker.peak_mb() for worker in started)
        for worker in started:
            worker.stop()
        outcome = Outcome(
            competitor.name,
            len(numbers) - before,
            ended - assigned,
            assigned - began,
            *(spent.get(name, 0.0) for name in ("worker", "clickhouse", "kafka")),
            peak,
            run(lag(own, own.ingest_group)),
            store.differences(store.content(client), store.expected(client, numbers)),
        )
    if outcome.differences:
        raise BenchmarkError(f"{competitor.name} did not store what it should: {'; '.join(outcome.differences)}")
    return outcome


def _cpu(settings: Settings, workers: Sequence[Running]) -> dict[str, float]:
    spent = {name: usage.cpu_seconds([process]) for name, process in usage.services(settings).items()}
    return spent | {"worker": usage.cpu_seconds(worker.process for worker in workers)}


def wait_for_rows(client: Any, wanted: int, workers: Sequence[Running]) -> None:
    """Return when a query finds so many rows. Raises BenchmarkError when a worker ends, or nothing comes any more."""
    rows, moved = 0, time.monotonic()
    while True:
        found, now = store.count(client), time.monotonic()
        if found >= wanted:
            return
        for worker in workers:
            worker.check()
        if found != rows:
            rows, moved = found, now
        elif now - moved > _STALLED_S:
            raise BenchmarkError(f"stopped at {found} of {wanted} rows:\n{workers[0].log_tail()}")
        # A question costs the server 2 ms: seldom asked, but often where it decides.
        time.sleep(0.2 if found < 0.95 * wanted else 0.03)
