"""What rules would have made of recorded events: the same conditions and states as in the workers, in one loop."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import orjson

from pipeline.core.alerts.candidates import compile_rules, find_candidates
from pipeline.core.alerts.conditions import Event
from pipeline.core.alerts.engine import Engine
from schemas.alert import Alert
from schemas.use_case import UseCase


@dataclass(slots=True)
class Replay:
    """What came of it. `late` counts, by rule, events that arrived too late to be looked at."""

    alerts: list[Alert] = field(default_factory=list)
    events: int = 0
    candidates: dict[str, int] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)


def replay(use_case: UseCase, events: Iterable[tuple[Event, int]]) -> Replay:
    """Run events, each with the time in ms at which it arrived, in order of arrival. Time ends with the last."""
    rules = compile_rules(use_case)
    by_key = {(rule.use_case_id, rule.rule.name): rule for rule in rules}
    engine, result, end = Engine(), Replay(), 0
    for event, arrived in sorted(events, key=lambda item: item[1]):
        result.events, end = result.events + 1, arrived
        late = arrived - int(event["timestamp"].timestamp() * 1000)
        for rule in rules:
            if late > rule.lateness_ms:
                result.late[rule.rule.name] = result.late.get(rule.rule.name, 0) + 1
        found = [orjson.loads(item.value) for item in find_candidates(rules, event, arrived)]
        for item in found:
            result.candidates[item["rule"]] = result.candidates.get(item["rule"], 0) + 1
        now = datetime.fromtimestamp(arrived / 1000, UTC)
        result.alerts += engine.time_passed(by_key, arrived - 1, now).alerts
        result.alerts += engine.candidates(by_key, found, now).alerts
    # Nothing more is on its way: what waits for that is decided now.
    patient = {key: replace(rule, lateness_ms=0) for key, rule in by_key.items()}
    result.alerts += engine.time_passed(patient, end, datetime.fromtimestamp(end / 1000, UTC)).alerts
    result.alerts.sort(key=lambda alert: alert.ends_at or alert.fired_at)
    return result
