"""All groups of one partition of candidates: what candidates and passing time make of them. No I/O, no clock."""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from typing import Any, Final

import orjson

from pipeline.core.alerts.candidates import CompiledRule, event_hash
from pipeline.core.alerts.states import GroupState, Transition, add_all, advance, is_empty, next_due
from pipeline.core.alerts.windows import FOREVER, Entry
from schemas.alert import Alert, Silence
from schemas.rule import fill

_NAMESPACE: Final = uuid.UUID("0b6e2f0a-51c9-5d39-8c36-0f2a6a1d5a11")

RuleKey = tuple[str, str]
"""Use case and rule."""
Rules = Mapping[RuleKey, CompiledRule]


@dataclass(slots=True)
class Group:
    """One group under one rule: its state, what an alert would show, and alerts that may not have been told yet."""

    rule: RuleKey
    labels: dict[str, str]
    state: GroupState = field(default_factory=GroupState)
    sample: dict[str, str] = field(default_factory=dict)
    open: dict[str, Any] | None = None
    outbox: list[dict[str, Any]] = field(default_factory=list)

    def dump(self) -> bytes:
        """As it is kept in the table."""
        return orjson.dumps(
            {
                "rule": self.rule,
                "labels": self.labels,
                "state": self.state.as_dict(),
                "sample": self.sample,
                "open": self.open,
                "outbox": self.outbox,
            }
        )

    @classmethod
    def load(cls, content: bytes) -> "Group":
        """The group that `dump` wrote."""
        document = orjson.loads(content)
        use_case_id, rule = document.pop("rule")
        return cls((use_case_id, rule), **document | {"state": GroupState.from_dict(document["state"])})


@dataclass(slots=True)
class Changes:
    """What a step changed: groups by key (None: forgotten), and alerts to be told, in order."""

    groups: dict[str, Group | None] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    outdated: int = 0
    """Candidates of a rule that is no longer there in that form."""


class Engine:
    """The groups of one partition. `arrived` is the time (ms) up to which all records that arrived have been seen."""

    def __init__(self, slack_ms: int = 0) -> None:
        self.groups: dict[str, Group] = {}
        self.silences: Sequence[Silence] = ()
        self.arrived = -1
        self._slack_ms = slack_ms
        self._due: dict[str, int] = {}
        """For each group, the arrived time at which something may happen without another event."""
        self._queue: list[tuple[int, str]] = []
        """The same in order; entries that `_due` no longer has are passed over."""
        self._rules: Rules | None = None

    def restore(self, groups: Mapping[str, Group], arrived: int) -> None:
        """Take over what the table holds."""
        self.groups, self.arrived = dict(groups), arrived
        self._due = dict.fromkeys(groups, -1)
        self._queue = [(-1, key) for key in groups]
        heapify(self._queue)

    def candidates(self, rules: Rules, documents: Iterable[dict[str, Any]], now: datetime) -> Changes:
        """Take in candidates, as parsed from their records. `now` goes into the alerts as the time of detection."""
        changes = Changes()
        by_group: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for document in documents:
            compiled = rules.get((document["use_case_id"], document["rule"]))
            if compiled is None or compiled.revision != document["revision"]:
                changes.outdated += 1
            else:
                by_group[_key(document)].append(document)
        for key, items in by_group.items():
            compiled = rules[items[0]["use_case_id"], items[0]["rule"]]
            group = self.groups.get(key)
            if group is None:
                group = Group((items[0]["use_case_id"], items[0]["rule"]), items[0]["group"])
                group.state.settled = self._settled(compiled)
            _follow(group, compiled)
            entries = [
                Entry(item["time"], event_hash(item["event_id"]), int(item["hit"]), 1, item.get("value", ""))
                for item in items
            ]
            if not add_all(group.state, entries):
                continue  # all were counted before
            if hit := next((item for item in reversed(items) if item["hit"]), None):
                group.sample = hit["sample"] | {"event_id": hit["event_id"]}
            self._advance(key, group, compiled, changes, now)
        return changes

    def time_passed(self, rules: Rules, arrived: int, now: datetime) -> Changes:
        """All records that arrived up to `arrived` (ms) have been seen: do what is due by then."""
        self.arrived = max(self.arrived, arrived)
        changes = Changes()
        due = []
        while self._queue and self._queue[0][0] <= self.arrived - self._slack_ms:
            at, key = heappop(self._queue)
            if self._due.get(key) == at:
                due.append(key)
        if rules is not self._rules:  # what a rule counts may have changed, or the rule is gone
            self._rules = rules
            due = list(self.groups)
        for key in due:
            group = self.groups[key]
            compiled = rules.get(group.rule)
            if compiled is None:
                self._close(key, group, changes, now)
            else:
                _follow(group, compiled)
                self._advance(key, group, compiled, changes, now)
        return changes

    def told(self, keys: Iterable[str]) -> dict[str, Group]:
        """Alerts of these groups have been told: empty their outboxes. Returns the groups that changed."""
        changed = {key: self.groups[key] for key in keys if key in self.groups and self.groups[key].outbox}
        for group in changed.values():
            group.outbox = []
        return changed

    def untold(self) -> dict[str, list[Alert]]:
        """Alerts that may not have been told, by group, after the table was taken over."""
        return {
            key: [Alert.model_validate(alert) for alert in group.outbox]
            for key, group in self.groups.items()
            if group.outbox
        }

    def firing(self) -> list[Alert]:
        """The alerts that are open."""
        return [Alert.model_validate(group.open) for group in self.groups.values() if group.open]

    def _settled(self, compiled: CompiledRule) -> int:
        return self.arrived - compiled.lateness_ms - self._slack_ms if self.arrived >= 0 else -1

    def _advance(self, key: str, group: Group, compiled: CompiledRule, changes: Changes, now: datetime) -> None:
        group.state, transitions = advance(compiled.rule, group.state, self._settled(compiled))
        for transition in transitions:
            alert = _alert(group, compiled, transition, now)
            if alert.status == "firing":
                why = self._inhibitor(group, compiled) or silenced_by(alert, self.silences, now)
                alert = alert.model_copy(update={"suppressed_by": why})
            self._tell(group, alert, changes)
        if is_empty(compiled.rule, group.state) and not group.outbox:
            self.groups.pop(key, None)
            self._due.pop(key, None)
            changes.groups[key] = None
            return
        self.groups[key] = group
        self._wake(key, next_due(compiled.rule, group.state) + compiled.lateness_ms)
        changes.groups[key] = group

    def _wake(self, key: str, at: int) -> None:
        if self._due.get(key) != at:
            self._due[key] = at
            if at < FOREVER:
                heappush(self._queue, (at, key))

    def _tell(self, group: Group, alert: Alert, changes: Changes) -> None:
        document = orjson.loads(alert.model_dump_json())
        group.open = document if alert.status == "firing" else None
        group.outbox.append(document)
        changes.alerts.append(alert)

    def _inhibitor(self, group: Group, compiled: CompiledRule) -> str:
        for name in compiled.rule.inhibited_by:
            other = self.groups.get(_key_of(group.rule[0], name, group.labels))
            if other is not None and other.state.fired is not None:
                return f"rule {name}"
        return ""

    def _close(self, key: str, group: Group, changes: Changes, now: datetime) -> None:
        """The rule is gone: what it had open ends, and the group is forgotten."""
        if group.open is not None:
            ended = max(group.state.settled, group.state.fired or 0)
            resolved = Alert.model_validate(group.open).model_copy(
                update={"status": "resolved", "ends_at": _moment(ended), "detected_at": now}
            )
            group.state.fired = None
            self._tell(group, resolved, changes)
            changes.groups[key] = group
            self._wake(key, -1)
        elif not group.outbox:
            del self.groups[key]
            self._due.pop(key, None)
            changes.groups[key] = None


def silenced_by(alert: Alert, silences: Iterable[Silence], now: datetime) -> str:
    """The silence that keeps an alert from the receivers at `now`, "" when none does."""
    for silence in silences:
        active = silence.workspace_id == alert.workspace_id and silence.starts_at <= now < silence.ends_at
        if active and all(alert.labels.get(matcher.label) == matcher.value for matcher in silence.matchers):
            return f"silence {silence.id}"
    return ""


def _follow(group: Group, compiled: CompiledRule) -> None:
    """After a change of what the rule counts, counting begins anew; a change fires nothing by itself."""
    state = group.state
    if state.revision != compiled.revision:
        if state.revision:
            state.entries, state.since = [], None
        state.revision = compiled.revision


def _key(document: Mapping[str, Any]) -> str:
    return _key_of(document["use_case_id"], document["rule"], document["group"])


def _key_of(use_case_id: str, rule: str, labels: Mapping[str, str]) -> str:
    return orjson.dumps([use_case_id, rule, list(labels.items())]).decode()


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def fingerprint_of(workspace_id: str, use_case_id: str, rule: str, labels: Mapping[str, str]) -> str:
    """Names a rule and one of its groups."""
    name = orjson.dumps([workspace_id, use_case_id, rule, sorted(labels.items())])
    return hashlib.blake2b(name, digest_size=8).hexdigest()


def _alert(group: Group, compiled: CompiledRule, transition: Transition, now: datetime) -> Alert:
    if transition.status == "resolved" and group.open is not None:
        update = {"status": "resolved", "ends_at": _moment(transition.at), "detected_at": now}
        return Alert.model_validate(group.open).model_copy(update=update)
    rule, sample = compiled.rule, group.sample
    fingerprint = fingerprint_of(compiled.workspace_id, compiled.use_case_id, rule.name, group.labels)
    values = {
        **sample,
        **{path: group.labels[label] for label, path in compiled.group},
        "rule": rule.name,
        "use_case_id": compiled.use_case_id,
        "severity": rule.severity,
        "value": f"{transition.value:g}",
    }
    labels = {
        "alertname": rule.name,
        "workspace": compiled.workspace_id,
        "use_case": compiled.use_case_id,
        "severity": rule.severity,
        **{label: value for label, value in group.labels.items() if value},
        **{name: text for name, template in rule.labels.items() if (text := fill(template, values))},
    }
    return Alert(
        alert_id=str(uuid.uuid5(_NAMESPACE, f"{fingerprint}/{transition.fired}")),
        fingerprint=fingerprint,
        status=transition.status,
        workspace_id=compiled.workspace_id,
        use_case_id=compiled.use_case_id,
        rule=rule.name,
        severity=rule.severity,
        group=group.labels,
        labels=labels,
        annotations={name: fill(template, values) for name, template in rule.annotations.items()},
        starts_at=_moment(transition.since),
        fired_at=_moment(transition.fired),
        value=transition.value,
        event_id=sample.get("event_id", ""),
        device_id=sample.get("device_id", ""),
        image_id=sample.get("image_id", ""),
        detected_at=now,
    )
