"""Rounds as rows of a table, for the terminal, for people and for programs."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.arena import Arena
from tests.faults.cases.base import Fault


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: how often, what was on its way, and what became of everything produced around it."""

    fault: str
    description: str
    injected: int
    in_flight: int
    produced: int
    stored: int
    rejected: int
    lost: int
    doubled: int
    published_again: int
    recovery_s: float
    commit_samples: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run."""

    seed: str
    seconds: int
    rows: list[Row]
    left_out: list[str]
    """Faults that could not be made here, and why."""


def run(arena: Arena, fault: Fault, seed: str) -> Row:
    """One round; one that does not come to an end is a row with that problem."""
    begun = time.monotonic()
    try:
        outcome, found, recovery = arena.run(fault.name, seed, fault.inject)
    except Exception as error:  # the other faults are still worth their rounds
        problem = f"after {time.monotonic() - begun:.0f} s: {type(error).__name__}: {error}"
        return Row(fault.name, fault.description, *(0,) * 8, 0.0, 0, (problem,))
    return Row(
        fault.name,
        fault.description,
        outcome.injected,
        outcome.in_flight,
        found.produced,
        found.stored,
        found.rejected,
        found.lost,
        found.doubled,
        found.published_again,
        round(recovery, 1),
        found.samples,
        found.problems,
    )


def line(row: Row) -> str:
    """One line for the terminal while it runs."""
    state = "ok" if not row.problems else "; ".join(row.problems)
    return (
        f"{row.fault}: {row.injected} times, {row.in_flight} in flight, produced {row.produced} = stored {row.stored} "
        f"+ rejected {row.rejected}, lost {row.lost}, doubled {row.doubled}, recovered in {row.recovery_s} s: {state}"
    )


def table(report: Report) -> str:
    """The table of docs/reliability.md."""
    head = "fault | what is done | times | in flight | produced | stored | rejected | lost | doubled | published again"
    lines = [f"| {head} | recovery |", "| --- | --- " + "| ---: " * 9 + "|"]
    for row in report.rows:
        cells = (row.fault, row.description, row.injected, row.in_flight, row.produced, row.stored, row.rejected)
        cells += (row.lost, row.doubled, row.published_again)  # type: ignore[assignment]
        lines.append("| " + " | ".join(map(str, cells)) + f" | {row.recovery_s} s |")
    failed = [f"- not run: {reason}" for reason in report.left_out]
    failed += [f"- {row.fault}: {problem}" for row in report.rows for problem in row.problems]
    minutes, seconds = divmod(report.seconds, 60)
    tail = f"Seed `{report.seed}`, {minutes} min {seconds} s."
    return "\n".join([*lines, "", tail, *failed])


def write(report: Report, folder: Path) -> None:
    """faults.json for programs, faults.md for people."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faults.json").write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    (folder / "faults.md").write_text(
        "# The last full run of `make faults`\n\n" + table(report) + "\n", encoding="utf-8"
    )
