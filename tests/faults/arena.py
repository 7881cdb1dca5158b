"""Where a round takes place: the services, proxies before them, workers behind these, and the load."""

import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from pipeline.edges.clickhouse import connect
from pipeline.edges.registry import apply_entries
from pipeline.edges.s3 import ImageStore
from pipeline.errors import DependencyError
from pipeline.settings import Settings
from schemas.topics import INFERENCES
from schemas.use_case import UseCase
from tests.faults.checks import EVERY_EVENT, Checker, Findings, begin_span
from tests.faults.cluster import Cluster
from tests.faults.load import Load
from tests.faults.mix import Mix
from tests.faults.observe import Observer, Offsets, Watch
from tests.faults.proxy import Background, HttpProxy
from tests.faults.workers import Workers, environment_of


class Services(Protocol):
    """What faults may do to the services themselves."""

    def crash(self, name: str) -> None:
        """Kill a service (`kafka`, `s3`, `clickhouse`) as a power cut would; it comes back by itself."""


@dataclass(slots=True)
class Outcome:
    """What a fault tells of itself: how often it struck, what waited then, and when all was well again."""

    injected: int = 0
    in_flight: int = 0
    healed_at: float = 0.0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a fault lasts and how often it strikes: short within `make test`, long in `make faults`."""

    rate: float
    hold_s: float
    long_s: float
    times: int


SHORT = Pace(rate=150, hold_s=1.0, long_s=2.0, times=1)
FULL = Pace(rate=250, hold_s=3.0, long_s=60.0, times=2)


class Arena:
    """One prepared system. `settings` lead past the proxies; workers are led through them."""

    def __init__(self, settings: Settings, services: Services, folder: Path, pace: Pace) -> None:
        self.settings = settings
        self.services = services
        self.pace = pace
        self.folder = folder
        self.background = Background()
        self.clickhouse = _proxy(self.background, settings.clickhouse_url)
        self.s3 = _proxy(self.background, settings.s3_endpoint)
        self.sql = connect(settings)
        self.images = ImageStore(settings)
        self.observer = Observer(self.background, settings, self.sql)
        addresses = _plain(settings) | {
            "clickhouse_url": f"http://127.0.0.1:{self.clickhouse.port}",
            "s3_endpoint": f"http://127.0.0.1:{self.s3.port}",
            "insert_timeout_s": "20",
        }
        self.workers = Workers(environment_of(addresses, folder), folder)
        self.load = Load(self.background, settings)
        self.random = random.Random()
        self.mix = Mix("", [("default", "")])
        self.outcome = Outcome()
        self.base: Offsets = {}
        self.watch = Watch({})
        self.cluster: Cluster | None = None
        self.disks: dict[str, Path] = {}
        """File systems of services that can be filled."""
        self.gaps = False
        """The log has offsets without a record: transactions, compaction. Said by the faults that make them."""
        self.compacted: list[Any] | None = None
        """Acknowledged records may go from the log, as its configuration says; these had been handled before."""

    def run(self, name: str, seed: str, inject: Any) -> tuple[Outcome, Findings, float]:
        """One round: load, the fault, the end of the load, all handled, the checks. Also the time to recover."""
        self.random = random.Random(seed)
        self.outcome = Outcome()
        cases = [
            UseCase(id=f"fault-{uuid.uuid4().hex[:10]}", name=f"{name} {w}", workspace_id=w, alerts=(EVERY_EVENT,))
            for w in ("a", "b")
        ]
        apply_entries(self.sql, cases)
        self.mix = Mix(seed, [(case.workspace_id, case.id) for case in cases])
        span = begin_span(self.observer, tuple(case.id for case in cases))
        self.base, self.watch, self.gaps = span.base, Watch(span.base), False
        self.compacted = None
        self.load.sent.clear()
        self.load.acknowledged.clear()
        try:
            self.workers.ensure()
            self.load.start(self.mix, self.pace.rate)
            self.until_handled(20)
            inject(self)
            recovered = self._recovery()
            self.load.stop()
            self.settle()
        except BaseException:
            self.give_up()
            raise
        acknowledged = self.load.acknowledged
        if self.compacted is not None:
            left = [*self.compacted, *self.observer.log(INFERENCES.name, self.base)]
            kept = {(record.partition, record.offset) for record in left}
            acknowledged = {serial: place for serial, place in acknowledged.items() if place in kept}
        findings = Checker(self.settings, self.observer, self.sql, self.images, span).check(
            self.load.sent, acknowledged, self.watch, self.compacted or ()
        )
        findings.problems += tuple(self.outcome.problems)
        return self.outcome, findings, recovered

    # -- what faults use

    def hold(self, seconds: float) -> None:
        """Let the load go on for so long, and look at the commits meanwhile."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.look()
            time.sleep(min(0.5, max(0.0, left)))

    def struck(self, times: int = 1) -> None:
        """A fault struck: note what was on its way."""
        self.outcome.injected += times
        with _while_away():
            self.outcome.in_flight = max(self.outcome.in_flight, self.waiting())

    def healed(self) -> None:
        """From here on nothing is in the way; recovery is measured from now."""
        self.outcome.healed_at = time.monotonic()

    def waiting(self) -> int:
        """Records in the raw topic that are neither stored nor rejected."""
        return self.left(self.observer.ends())

    def look(self) -> None:
        """Compare what is committed with what is handled, unless a service is away just now."""
        with _while_away():
            self.observer.sample(self.watch)

    def until_handled(self, count: int) -> None:
        """Wait until so many more records of the round were handled."""
        begun = self._handled()
        self.until(lambda: self._handled() >= begun + count, f"{count} more records handled")

    def settle(self, timeout: float = 180) -> None:
        """Wait until everything produced is handled and committed."""
        self.until(lambda: self._settled(), "everything handled and committed", timeout)

    def until(self, holds: Any, what: str, timeout: float = 120) -> None:
        """Wait until `holds` returns true."""
        deadline = time.monotonic() + timeout
        while True:
            away = None
            try:
                if holds():
                    return
            except DependencyError as error:
                away = error
            if time.monotonic() > deadline:
                logs = "\n".join(f"{n}: {self.workers.end_of_log(n)}" for n in self.workers.running)
                left = "unknown" if away else self.waiting()
                raise AssertionError(
                    f"after {timeout:.0f} s still not: {what} ({away or 'all answer'}, {left} records left)\n{logs}"
                )
            time.sleep(0.1)

    def still_running(self, name: str = "w1") -> None:
        """A fault that is to be waited out must not end the worker; where it did, that is told and it is started."""
        if (code := self.workers.running[name].poll()) is not None:
            self.problem(f"the worker ended with code {code}: {self.workers.end_of_log(name)[-400:]}")
            self.workers.ensure(name)

    @property
    def brokers(self) -> Cluster:
        """The cluster, on the ground that has one."""
        assert self.cluster is not None
        return self.cluster

    def problem(self, text: str) -> None:
        """The fault itself saw something that must not be."""
        self.outcome.problems.append(text)

    def give_up(self) -> None:
        """Leave a round that failed: end its load and its workers, so that the next one starts afresh."""
        self.load.stop()
        for name in list(self.workers.running):
            self.workers.kill(name)

    def close(self) -> None:
        self.workers.stop()
        self.load.close()
        self.observer.close()
        self.clickhouse.close()
        self.s3.close()
        self.background.close()

    # -- inside

    def _handled(self) -> int:
        return self.observer.count_handled(self.base, self.observer.ends())

    def _recovery(self) -> float:
        """Seconds from the end of the fault until all that was in the topic then is handled."""
        healed = self.outcome.healed_at or time.monotonic()
        end: Offsets = {}

        def all_handled() -> bool:
            if not end:
                end.update(self.observer.ends())
            return not self.left(end)

        self.until(all_handled, "recovered", 240)
        return time.monotonic() - healed

    def left(self, end: Offsets) -> int:
        """Records of the round before these offsets that are neither stored nor rejected; of these partitions only."""
        if self.gaps:
            stored, rejected = self.observer.handled(self.base)
            log = [r for r in self.observer.log(INFERENCES.name, self.base) if r.offset < end.get(r.partition, 0)]
            return sum(r.offset not in stored[r.partition] and r.offset not in rejected[r.partition] for r in log)
        span = sum(last - self.base.get(partition, 0) for partition, last in end.items())
        return span - self.observer.count_handled(self.base, end)

    def _settled(self) -> bool:
        end, committed = self.observer.ends(), self.observer.committed()
        self.look()
        return all(committed.get(p, 0) >= last for p, last in end.items() if last) and not self.left(end)


def _proxy(background: Background, url: str) -> HttpProxy:
    parts = urlsplit(url)
    return HttpProxy(background, str(parts.hostname), int(parts.port or 80))


def _plain(settings: Settings) -> dict[str, str]:
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in settings
        if name != "data_dir" and value != Settings.model_fields[name].default
    }


@contextmanager
def _while_away() -> Iterator[None]:
    """A service that is away just now is no answer; the caller asks again."""
    try:
        yield
    except DependencyError:
        time.sleep(0.2)
