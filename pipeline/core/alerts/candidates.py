"""From an event to candidates: what each rule of its use case makes of it, keyed by the rule's group."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from pipeline.core.alerts.conditions import Event, Predicate, compile_condition, text_of, value_at
from schemas.annotations import ANNOTATION_KINDS
from schemas.rule import AlertRule, label_of, placeholders
from schemas.use_case import UseCase

log = logging.getLogger(__name__)

_MAX_TEXT: Final = 256


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule ready to be applied. `revision` changes with everything that decides what the rule counts."""

    workspace_id: str
    use_case_id: str
    rule: AlertRule
    revision: str
    matches: Predicate
    belongs: Predicate | None
    """What a ratio is a share of; None: only events that match matter."""
    group: tuple[tuple[str, str], ...]
    """Label and field, for each part of the group."""
    sampled: tuple[str, ...]
    """Fields that the templates name."""
    lateness_ms: int


class RuleSet:
    """The rules of a use case. Rules that need one of some classes are found by the classes that an event has."""

    def __init__(self, rules: Sequence[CompiledRule] = ()) -> None:
        self.rules = tuple(rules)
        self._always: list[CompiledRule] = []
        self._by_class: dict[str, list[CompiledRule]] = {}
        for rule in self.rules:
            seen = rule.rule.when.any_of
            if not seen or rule.belongs is not None:
                self._always.append(rule)
                continue
            for name in {item.class_ for item in seen}:
                self._by_class.setdefault(name, []).append(rule)

    def __len__(self) -> int:
        return len(self.rules)

    def __iter__(self) -> Iterator[CompiledRule]:
        return iter(self.rules)

    def worth_trying(self, event: Event) -> Sequence[CompiledRule]:
        """The rules that may make something of an event, each once."""
        if not self._by_class:
            return self._always
        names = set(event.get("class_counts", ()))
        names.update(item["class"] for item in event.get("classifications", ()))
        found = [rule for name in names for rule in self._by_class.get(name, ())]
        if len(names) > 1:
            found = list({rule.rule.name: rule for rule in found}.values())
        return [*self._always, *found] if self._always else found


@dataclass(slots=True)
class Candidate:
    """One event as one rule sees it. `key`, `value` and `headers` are those of the Kafka record."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]] | None = None


def compile_rules(use_case: UseCase) -> RuleSet:
    """The rules of a use case that are enabled; none of an archived one."""
    if use_case.status != "active":
        return RuleSet()
    return RuleSet([_compile(use_case, rule) for rule in use_case.alerts if rule.enabled])


def find_candidates(rules: RuleSet, event: Event, arrived_ms: int) -> list[Candidate]:
    """What the rules make of an event that arrived (broker's clock) at `arrived_ms`.

    An event has its own time, but none after its arrival: a clock that is ahead must not fire alerts of the future.
    One that arrived later than the rule's lateness allows makes no candidate. Both depend on the record alone, so
    a redelivery gives the same candidates.
    """
    time_ms = min(int(event["timestamp"].timestamp() * 1000), arrived_ms)
    late_ms = arrived_ms - time_ms
    found = []
    for compiled in rules.worth_trying(event):
        if late_ms > compiled.lateness_ms:
            continue
        try:
            hit = compiled.matches(event)
            if hit or (compiled.belongs is not None and compiled.belongs(event)):
                found.append(_candidate(compiled, event, time_ms, hit))
        except Exception:  # our defect: it must cost neither the event nor the other rules
            log.exception(
                "rule %s of %s failed on event %s", compiled.rule.name, compiled.use_case_id, event["event_id"]
            )
    return found


def event_hash(event_id: str) -> str:
    """A short name of an event id, as states keep it."""
    return hashlib.blake2b(event_id.encode("utf-8", "replace"), digest_size=8).hexdigest()


def revision_of(rule: AlertRule) -> str:
    """Names what the rule counts; texts, labels and receivers may change without it."""
    counted = rule.model_dump_json(by_alias=True, include={"when", "window", "absence", "group_by", "for_"})
    return hashlib.blake2b(counted.encode(), digest_size=6).hexdigest()


def _compile(use_case: UseCase, rule: AlertRule) -> CompiledRule:
    ratio_of = None
    if rule.window is not None and rule.window.ratio is not None:
        ratio_of = compile_condition(rule.window.of) if rule.window.of is not None else lambda event: True
    templates = [*rule.labels.values(), *rule.annotations.values()]
    return CompiledRule(
        use_case.workspace_id,
        use_case.id,
        rule,
        revision_of(rule),
        compile_condition(rule.when),
        ratio_of,
        tuple((label_of(path), path) for path in rule.group_by),
        tuple(sorted({path for text in templates for path in placeholders(text)})),
        rule.lateness * 1000,
    )


def _candidate(compiled: CompiledRule, event: Event, time_ms: int, hit: bool) -> Candidate:
    group = [(label, text_of(value_at(event, path))[:_MAX_TEXT]) for label, path in compiled.group]
    document: dict[str, Any] = {
        "workspace_id": compiled.workspace_id,
        "use_case_id": compiled.use_case_id,
        "rule": compiled.rule.name,
        "revision": compiled.revision,
        "group": dict(group),
        "time": time_ms,
        "event_id": event["event_id"],
        "hit": hit,
    }
    window = compiled.rule.window
    if window is not None and window.field is not None:
        document["value"] = text_of(value_at(event, window.field))[:_MAX_TEXT]
    if hit:
        document["sample"] = _sample(compiled, event)
    # All rules of a use case that group alike share a partition, so that one can inhibit another.
    key = orjson.dumps([compiled.workspace_id, compiled.use_case_id, group])
    return Candidate(key, orjson.dumps(document))


def _sample(compiled: CompiledRule, event: Event) -> dict[str, str]:
    """What an alert tells of the event that set it off."""
    sample = {
        path: text
        for path in compiled.sampled
        if "." in path or path in ("device_id", "stream_id", "workflow_id", "factory_id", "event_type")
        if (text := text_of(value_at(event, path))[:_MAX_TEXT])
    }
    sample["device_id"] = text_of(event.get("device_id"))
    sample["classes"] = ", ".join(sorted({item["class"] for kind in ANNOTATION_KINDS for item in event.get(kind, ())}))[
        :_MAX_TEXT
    ]
    images = event.get("images")
    if images:
        shown = images[min(event.get("display_image_position", 0), len(images) - 1)]
        if image_id := shown.get("source_id") or shown.get("input_source_id"):
            sample["image_id"] = image_id
    return sample
