"""Rounds as rows of a table, for the terminal, for people and for programs."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.faults.arena import FULL, Arena
from tests.faults.cases import EVERY
from tests.faults.cases.base import Fault


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: how often, what was on its way, and what became of everything produced around it."""

    fault: str
    form: str
    """`full`, or `short` as in `make test`."""
    seed: str
    date: str
    injected: int = 0
    in_flight: int = 0
    produced: int = 0
    stored: int = 0
    rejected: int = 0
    lost: int = 0
    doubled: int = 0
    published_again: int | None = None
    recovery_s: float = 0.0
    commit_samples: int = 0
    problems: tuple[str, ...] = ()
    seconds: int = 0
    """The whole round."""


def run(arena: Arena, fault: Fault, seed: str) -> Row:
    """One round; one that does not come to an end is a row with that problem."""
    begun = time.monotonic()
    about = (fault.name, "full" if arena.pace == FULL else "short", seed, f"{datetime.now(UTC):%Y-%m-%d}")
    try:
        outcome, found, recovery = arena.run(fault.name, seed, fault.inject)
    except Exception as error:  # the other faults are still worth their rounds
        return Row(*about, problems=(f"after {time.monotonic() - begun:.0f} s: {type(error).__name__}: {error}",))
    return Row(
        *about,
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
        round(time.monotonic() - begun),
    )


def line(row: Row) -> str:
    """One line for the terminal while it runs."""
    state = "ok" if not row.problems else "; ".join(row.problems)
    return (
        f"{row.fault}: {row.injected} times, {row.in_flight} in flight, produced {row.produced} = stored {row.stored} "
        f"+ rejected {row.rejected}, lost {row.lost}, doubled {row.doubled}, recovered in {row.recovery_s} s: {state}"
    )


def table(rows: Sequence[Row], left_out: Sequence[str] = ()) -> str:
    """The rounds as a table, what is wrong with them, and those that there are not, as Markdown."""
    what = {fault.name: fault.description for fault in EVERY}
    head = "fault | what is done | times | in flight | produced | stored | rejected | lost | doubled | published again"
    lines = [f"| {head} | recovery |", "| --- | --- " + "| ---: " * 9 + "|"]
    for row in rows:
        name = row.fault if row.form == "full" else f"{row.fault} (short form)"
        cells = [name, what.get(row.fault, ""), row.injected, row.in_flight, row.produced, row.stored, row.rejected]
        cells += [
            row.lost,
            row.doubled,
            "" if row.published_again is None else row.published_again,
            f"{row.recovery_s} s",
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    notes = [f"- {row.fault}: {problem}" for row in rows for problem in row.problems]
    notes += [f"- not run: {reason}" for reason in left_out]
    return "\n".join([*lines, "", *notes]).rstrip()


def write(rows: Sequence[Row], left_out: Sequence[str], folder: Path) -> None:
    """faults.json for programs, faults.md for people: these rounds, and the last of each fault that is not among them.

    So a part of the suite (`--only`) can be run again without the whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "faults.json"
    latest = {row.fault: row for row in (*_read(path), *rows)}
    kept = [latest[fault.name] for fault in EVERY if fault.name in latest]
    path.write_text(json.dumps({"rounds": [asdict(row) for row in kept]}, indent=1) + "\n", encoding="utf-8")
    missing = [fault.name for fault in EVERY if fault.name not in latest and not any(fault.name in x for x in left_out)]
    text = table(kept, [*left_out, *missing])
    sums = {name: f"{sum(getattr(row, name) for row in kept):,}" for name in _SUMMED}
    page = f"""# The last round of each fault

Written by `make faults`; a part of it: `python -m tests.faults --only NAME --out docs/reliability`, with `--short` in
the form of `make test`. Seeds, dates and lengths of the rounds are in faults.json beside it.

{sums["injected"]} faults in {len(kept)} rounds, {sums["produced"]} records produced = {sums["stored"]} stored
+ {sums["rejected"]} rejected, {sums["lost"]} lost, {sums["doubled"]} doubled.

{text}
"""
    (folder / "faults.md").write_text(page, encoding="utf-8")


_SUMMED = ("injected", "produced", "stored", "rejected", "lost", "doubled")


def _read(path: Path) -> list[Row]:
    if not path.is_file():
        return []
    known = {field.name for field in fields(Row)}
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    given = [{"date": document.get("date", "")} | item for item in document["rounds"]]
    return [Row(**{name: value for name, value in item.items() if name in known}) for item in given]
