"""Whether the system is well, in words: what the counts of Kafka and ClickHouse say together. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """How the system is."""

    WELL = "well"
    IDLE = "idle"
    """Nothing waits, and no worker runs."""
    CATCHING_UP = "catching up"
    WRONG = "wrong"
    AWAY = "away"
    """A service does not answer."""


class Verdict(NamedTuple):
    """The level, and a sentence for each thing that there is to say."""

    level: Level
    words: Sequence[str]

    def __str__(self) -> str:
        return "; ".join(self.words) or self.level.value


@dataclass(frozen=True, slots=True)
class Waiting:
    """Records of a partition that wait. Seconds: since the oldest arrived, and since any record of it was handled."""

    partition: str
    records: int
    oldest_s: float | None
    handled_s: float | None


def judge(
    health: Mapping[str, str],
    workers: int | None,
    waiting: Sequence[Waiting],
    unaccounted: int | None,
    stuck_after_s: float,
) -> Verdict:
    """The state of the whole.

    `health` maps each service to "ok" or to what is wrong, `workers` is the number in the group, `unaccounted` the
    records that are neither stored nor rejected (None: not known).
    """
    away = [f"{name}: {answer}" for name, answer in health.items() if answer != "ok"]
    if away:
        return Verdict(Level.AWAY, away)
    records = sum(item.records for item in waiting)
    wrong = []
    if not workers and records:
        wrong.append(f"no worker is running: {_wait(records)}")
    else:
        wrong += [_stuck(item) for item in waiting if _is_stuck(item, stuck_after_s)]
    if unaccounted is not None and unaccounted > records:
        wrong.append(
            f"{unaccounted - records:,} records are acknowledged, but neither stored nor rejected: they are lost, or "
            "offsets without a record (transactions, compaction)"
        )
    if wrong:
        return Verdict(Level.WRONG, wrong)
    if not workers:
        return Verdict(Level.IDLE, ["nothing waits; no worker is running"])
    if records:
        oldest = max((item.oldest_s for item in waiting if item.oldest_s is not None), default=None)
        since = f", the oldest for {oldest:.0f} s" if oldest else ""
        return Verdict(Level.CATCHING_UP, [f"catching up: {_wait(records)}{since}"])
    return Verdict(Level.WELL, ["well: everything produced is stored or rejected"])


def _wait(records: int) -> str:
    return "1 record waits" if records == 1 else f"{records:,} records wait"


def _is_stuck(item: Waiting, after_s: float) -> bool:
    silent = item.handled_s is None or item.handled_s >= after_s
    return bool(item.records) and silent and item.oldest_s is not None and item.oldest_s >= after_s


def _stuck(item: Waiting) -> str:
    handled = (
        "none was handled within an hour" if item.handled_s is None else f"none was handled for {item.handled_s:.0f} s"
    )
    return f"stuck: {item.records:,} records of {item.partition} wait, the oldest for {item.oldest_s:.0f} s; {handled}"
