"""All groups of a partition: restarts, repetitions, changed rules, silences and inhibition."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.alerts.candidates import compile_rules, find_candidates
from pipeline.core.alerts.engine import Changes, Engine, Group, Rules
from pipeline.core.alerts.messages import cloud_event
from schemas.alert import Alert, Matcher, Silence
from schemas.use_case import UseCase
from tests.unit.alerts_reference import Seen, timeline

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
BASE = int(NOW.timestamp() * 1000)


def rules_of(*rules: dict[str, Any]) -> tuple[UseCase, Rules]:
    use_case = UseCase.model_validate({"id": "u", "name": "U", "alerts": rules})
    return use_case, {("u", rule.rule.name): rule for rule in compile_rules(use_case)}


def burst(**fields: Any) -> dict[str, Any]:
    return {
        "name": "burst",
        "window": {"count": 2, "within": 5},
        "group_by": ["device_id"],
        "resolve_after": 2,
        "lateness": 2,
    } | fields


class Line:
    """One partition: what is published to it, and the engine that a worker makes of it."""

    def __init__(self, *rules: dict[str, Any]) -> None:
        self.engine = Engine()
        self.table: dict[str, bytes] = {}
        self.alerts: list[Alert] = []
        self.change(*rules)

    def change(self, *rules: dict[str, Any]) -> None:
        self.use_case, self.rules = rules_of(*rules)

    def candidates(self, *seen: tuple[int, str], device: str = "cam-1") -> list[dict[str, Any]]:
        found = []
        for second, event_id in seen:
            moment = NOW + timedelta(seconds=second)
            event = {"event_id": event_id, "event_type": "custom", "timestamp": moment, "device_id": device}
            compiled = compile_rules(self.use_case)
            found += find_candidates(compiled, event, BASE + second * 1000)
        return [orjson.loads(item.value) for item in found]

    def take(self, documents: list[dict[str, Any]]) -> Changes:
        return self._keep(self.engine.candidates(self.rules, documents, NOW))

    def wait(self, second: int) -> Changes:
        """Everything that arrived up to a second was seen."""
        return self._keep(self.engine.time_passed(self.rules, BASE + second * 1000, NOW))

    def _keep(self, changes: Changes) -> Changes:
        for key, group in changes.groups.items():
            if group is None:
                self.table.pop(key, None)
            else:
                self.table[key] = group.dump()
        self.alerts += changes.alerts
        for key, group in self.engine.told(changes.groups).items():
            self.table[key] = group.dump()
        return changes

    def restart(self) -> None:
        """Another worker takes over what the table holds."""
        arrived, self.engine = self.engine.arrived, Engine()
        self.engine.restore({key: Group.load(value) for key, value in self.table.items()}, arrived)

    def told(self) -> list[tuple[str, int]]:
        return [(alert.status, seconds(alert.ends_at or alert.fired_at)) for alert in self.alerts]


def seconds(moment: datetime) -> int:
    return round((moment - NOW).total_seconds())


@given(st.data())
def test_restarts_and_redelivery_anywhere_change_nothing(data: st.DataObject) -> None:
    rule = burst(**{"for": data.draw(st.integers(0, 4)), "cooldown": data.draw(st.integers(0, 6))})
    moments = sorted(data.draw(st.lists(st.integers(0, 30), max_size=15)))
    line = Line(rule)
    published = [line.candidates((second, str(number))) for number, second in enumerate(moments)]
    for number, documents in enumerate(published):
        again = data.draw(st.integers(0, number))
        line.take([item for part in published[again:number] for item in part])  # not committed, so it comes again
        line.take(documents)
        if data.draw(st.booleans()):
            line.restart()
        line.wait(moments[number] - 1)
    line.wait(100)
    line.restart()
    line.take([item for documents in published for item in documents])  # everything once more, long after
    line.wait(200)
    expected = timeline(line.use_case.alerts[0], [Seen(at, str(n)) for n, at in enumerate(moments)], 100)
    assert line.told() == expected
    assert len({cloud_event(alert).id for alert in line.alerts}) == len(line.alerts)
    assert line.table == {}
    assert line.engine.groups == {}


def test_an_alert_that_was_not_told_is_in_the_outbox() -> None:
    line = Line(burst())
    changes = line.engine.candidates(line.rules, line.candidates((0, "a"), (1, "b")), NOW)
    (alert,) = changes.alerts
    (key,) = changes.groups
    restored = Engine()
    restored.restore({key: Group.load(changes.groups[key].dump())}, -1)  # type: ignore[union-attr]
    assert restored.untold() == {key: [alert]}
    restored.told([key])
    assert restored.untold() == {}
    assert restored.firing() == [alert]


def test_a_changed_rule_fires_nothing_and_begins_anew() -> None:
    line = Line(burst())
    line.take(line.candidates((0, "a")))
    old = line.candidates((1, "b"))
    line.change(burst(window={"count": 1, "within": 5}))
    assert line.take(old).outdated == 1
    line.wait(4)
    assert line.told() == []
    line.take(line.candidates((5, "c")))
    assert line.told() == [("firing", 5)]


def test_a_rule_that_is_gone_ends_its_alert() -> None:
    line = Line(burst())
    line.take(line.candidates((0, "a"), (1, "b")))
    line.change()
    line.wait(10)
    assert [status for status, _ in line.told()] == ["firing", "resolved"]
    line.wait(11)
    assert line.engine.groups == {}


def test_texts_may_change_while_an_alert_is_open() -> None:
    line = Line(burst())
    line.take(line.candidates((0, "a"), (1, "b")))
    line.change(burst(severity="high", labels={"team": "x"}))
    line.wait(30)
    first, last = line.alerts
    assert first.labels == last.labels
    assert first.fingerprint == last.fingerprint


def test_silenced_from_beginning_to_end() -> None:
    line = Line(burst())
    hour = timedelta(hours=1)
    matcher = Matcher(label="device_id", value="cam-1")
    line.engine.silences = (Silence(id="s1", matchers=(matcher,), starts_at=NOW, ends_at=NOW + hour),)
    line.take(line.candidates((0, "a"), (1, "b")))
    line.take(line.candidates((0, "c"), (1, "d"), device="cam-2"))
    line.engine.silences = ()
    line.wait(30)
    told = sorted((alert.group["device_id"], alert.status, alert.suppressed_by) for alert in line.alerts)
    assert told == [
        ("cam-1", "firing", "silence s1"),
        ("cam-1", "resolved", "silence s1"),
        ("cam-2", "firing", ""),
        ("cam-2", "resolved", ""),
    ]


def test_inhibited_by_another_rule_of_the_same_group() -> None:
    quiet = burst(name="quiet", window={"count": 3, "within": 5}, inhibited_by=["burst"])
    line = Line(burst(), quiet)
    line.take(line.candidates((0, "a"), (1, "b")))
    line.take(line.candidates((2, "c")))
    assert [(alert.rule, alert.suppressed_by) for alert in line.alerts] == [("burst", ""), ("quiet", "rule burst")]
