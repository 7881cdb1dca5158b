"""Rules as documents, conditions over one event, and candidates."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline.cli import make_app
from pipeline.core.alerts.candidates import compile_rules, find_candidates
from pipeline.core.alerts.conditions import compile_condition, in_polygon
from pipeline.core.documents import parse_document
from pipeline.core.record import row_version
from pipeline.errors import ConfigurationError
from schemas.rule import AlertRule, EventCondition
from schemas.use_case import UseCase
from schemas.vision_event import VisionEvent

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
SQUARE = {"points": [[0, 0], [10, 0], [10, 10], [0, 10]]}


def event(**changes: Any) -> dict[str, Any]:
    return {"event_id": "e1", "event_type": "quality_check", "timestamp": NOW, "device_id": "cam-1"} | changes


def box(name: str = "scratch", confidence: float | None = 0.9, **place: float) -> dict[str, Any]:
    return {"class": name, "confidence": confidence, "x": 5, "y": 5, "width": 4, "height": 4} | place


def detected(*boxes: dict[str, Any]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for item in boxes:
        counts[item["class"]] = counts.get(item["class"], 0) + 1
    return event(object_detections=list(boxes), class_counts=counts)


def seen(**one: Any) -> dict[str, Any]:
    return {"any_of": [{"class": "scratch"} | one]}


@pytest.mark.parametrize(
    ("condition", "subject", "expected"),
    [
        ({}, event(), True),
        ({"result": "fail"}, event(event_data={"result": "fail"}), True),
        ({"result": "fail"}, event(event_data={"result": "pass"}), False),
        ({"result": "fail"}, event(), False),
        ({"feedback": "incorrect"}, event(event_data={"feedback": "incorrect"}), True),
        ({"event_type": "custom"}, event(), False),
        ({"device_ids": ["cam-2", "cam-1"]}, event(), True),
        ({"metadata": {"line_id": ["L1", "L2"]}}, event(custom_metadata={"line_id": "L2"}), True),
        ({"metadata": {"line_id": "L1"}}, event(custom_metadata={"line_id": "L2"}), False),
        ({"metadata": {"rush": True}}, event(custom_metadata={"rush": 1}), False),
        ({"metadata": {"rush": True}}, event(custom_metadata={"rush": True}), True),
        ({"event_data": {"alert_type": "fall"}}, event(event_data={"alert_type": "fall"}), True),
        (seen(), detected(box()), True),
        (seen(), detected(box("dent")), False),
        (seen(), event(), False),
        (seen(), event(classifications=[{"class": "scratch", "confidence": 0.1}]), True),
        (seen(min_confidence=0.9), detected(box(confidence=0.89)), False),
        (seen(min_confidence=0.9), detected(box(confidence=None)), True),
        (seen(min_count=2), detected(box()), False),
        (seen(min_count=2), detected(box(), box("dent"), box()), True),
        (seen(zone=SQUARE), detected(box()), True),
        (seen(zone=SQUARE), detected(box(x=11)), False),
        (seen(zone=SQUARE | {"anchor": "bottom"}), detected(box(y=9)), False),
        (seen(zone=SQUARE | {"anchor": "bottom"}), detected(box(y=-1)), True),
        (seen(zone=SQUARE), event(classifications=[{"class": "scratch", "confidence": 1}]), False),
        (
            seen(zone={"points": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]], "units": "fraction"}),
            detected(box()) | {"frame_width": 12, "frame_height": 12},
            True,
        ),
        (seen(zone={"points": [[0, 0], [0.5, 0], [0.5, 1]], "units": "fraction"}), detected(box()), False),
        ({"result": "fail"} | seen(), detected(box()) | {"event_data": {"result": "pass"}}, False),
    ],
)
def test_a_condition_over_one_event(condition: dict[str, Any], subject: dict[str, Any], expected: bool) -> None:
    assert compile_condition(EventCondition.model_validate(condition))(subject) is expected


@given(st.floats(-20, 20), st.floats(-20, 20))
def test_a_rectangle_as_a_polygon(x: float, y: float) -> None:
    assert in_polygon(x, y, ((-5, -3), (5, -3), (5, 3), (-5, 3))) == (-5 <= x <= 5 and -3 <= y <= 3)


def rule(**fields: Any) -> dict[str, Any]:
    return {"name": "burst", "window": {"count": 2, "within": "1m"}} | fields


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": {"count": 2}}, "rule 'burst', field window.within: Field required"),
        ({"window": {"count": 0, "within": "1m"}}, "rule 'burst', field window.count: "),
        ({"window": {"within": "1m"}}, "rule 'burst', field window: Value error, give exactly one of"),
        ({"window": {"count": 1, "within": "soon"}}, "field window.within: Value error, 'soon' is not a duration"),
        ({"window": None}, "rule 'burst': Value error, give either window or absence"),
        ({"window": None, "absence": "5m"}, "absence needs group_by"),
        ({"group_by": ["line"]}, "rule 'burst', field group_by.0: "),
        ({"group_by": ["device_id", "custom_metadata.device_id"]}, "the label device_id is taken"),
        ({"annotations": {"summary": "{{nothing}}"}}, "the template of summary has an unknown field 'nothing'"),
        ({"labels": {"severity": "x"}}, "labels: severity is set by the system"),
        ({"when": {"any_of": [{"clas": "a"}]}}, "rule 'burst', field when.any_of.0."),
        ({"when": {"any_of": [{"class": "a", "zone": {"points": [[0, 0]]}}]}}, "field when.any_of.0.zone.points: "),
        ({"inhibited_by": ["other"]}, "rule 'burst', field inhibited_by: no other rule 'other'"),
        ({"foo": 1}, "rule 'burst', field foo: "),
    ],
)
def test_an_error_names_the_rule_and_the_field(changes: dict[str, Any], message: str) -> None:
    text = yaml.safe_dump({"id": "u", "name": "U", "alerts": [rule(**changes)]})
    with pytest.raises(ConfigurationError) as caught:
        parse_document(text, UseCase, "file.yaml")
    assert str(caught.value).startswith("file.yaml: ")
    assert message in str(caught.value)


def compiled(**fields: Any) -> Any:
    return compile_rules(UseCase.model_validate({"id": "u", "name": "U", "alerts": [rule(**fields)]}))


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def test_a_candidate_is_keyed_by_its_group_and_carries_what_the_alert_shows() -> None:
    rules = compiled(group_by=["custom_metadata.line_id"], annotations={"summary": "{{custom_metadata.part}}"})
    images = [{"source_id": "a" * 64}, {"input_source_id": "b" * 64}]
    subject = detected(box()) | {
        "custom_metadata": {"line_id": "L3", "part": 7},
        "images": images,
        "display_image_position": 1,
    }
    (found,) = find_candidates(rules, subject, milliseconds(NOW) + 2_000)
    document = orjson.loads(found.value)
    assert orjson.loads(found.key) == ["default", "u", [["line_id", "L3"]]]
    assert (document["time"], document["hit"], document["group"]) == (milliseconds(NOW), True, {"line_id": "L3"})
    assert document["sample"] == {
        "custom_metadata.part": "7",
        "device_id": "cam-1",
        "classes": "scratch",
        "image_id": "b" * 64,
    }


def test_late_events_make_no_candidate_and_a_fast_clock_no_future() -> None:
    rules = compiled(lateness="5s")
    arrived = milliseconds(NOW)
    assert find_candidates(rules, event(timestamp=NOW - timedelta(seconds=6)), arrived) == []
    assert len(find_candidates(rules, event(timestamp=NOW - timedelta(seconds=5)), arrived)) == 1
    (found,) = find_candidates(rules, event(timestamp=NOW + timedelta(hours=2)), arrived)
    assert orjson.loads(found.value)["time"] == arrived


def test_a_ratio_also_counts_what_it_is_a_share_of() -> None:
    rules = compiled(when={"result": "fail"}, window={"ratio": 0.5, "within": "1m", "of": {"metadata": {"line": "L1"}}})
    subjects = [
        event(event_data={"result": result}, custom_metadata={"line": line})
        for result, line in (("fail", "L1"), ("pass", "L1"), ("pass", "L2"))
    ]
    found = [[orjson.loads(item.value)["hit"] for item in find_candidates(rules, each, 0)] for each in subjects]
    assert found == [[True], [False], []]


def test_disabled_rules_and_archived_use_cases_look_at_nothing() -> None:
    assert not len(compiled(enabled=False))
    document = {"id": "u", "name": "U", "status": "inactive", "alerts": [rule()]}
    assert not len(compile_rules(UseCase.model_validate(document)))


def test_rules_that_need_a_class_are_tried_on_events_that_have_it() -> None:
    names = ("scratch", "dent")
    alerts = [rule(name=name, when={"any_of": [{"class": name}, {"class": "hole"}]}) for name in names]
    alerts.append(rule(name="any"))
    rules = compile_rules(UseCase.model_validate({"id": "u", "name": "U", "alerts": alerts}))

    def found(*classes: str, **more: Any) -> list[str]:
        subject = detected(*map(box, classes)) | more
        return sorted(orjson.loads(item.value)["rule"] for item in find_candidates(rules, subject, 0))

    assert found() == ["any"]
    assert found("dent", "rust") == ["any", "dent"]
    assert found("hole", "dent") == ["any", "dent", "scratch"]
    assert found(classifications=[{"class": "scratch", "confidence": None}]) == ["any", "scratch"]


def test_a_text_does_not_change_what_a_rule_counts() -> None:
    (first,), (second,), (third,) = (
        compiled(),
        compiled(severity="high", cooldown="1m"),
        compiled(when={"result": "fail"}),
    )
    assert first.revision == second.revision != third.revision
    assert AlertRule.model_validate(first.rule.model_dump(by_alias=True)) == first.rule


def test_rules_are_tried_on_recorded_events(tmp_path: Path) -> None:
    document = {"id": "u", "name": "U", "alerts": [rule(group_by=["device_id"], resolve_after="30s")]}
    (tmp_path / "u.yaml").write_text(yaml.safe_dump(document))
    # Raw results, and one event as it lies on vision.events, which tells that it came a minute late.
    raw = [
        {"timestamp": (NOW + timedelta(seconds=second)).isoformat(), "source": {"device_id": "cam-7"}, "result": {}}
        for second in (0, 20, 200)
    ]
    late = VisionEvent(
        workspace_id="default",
        use_case_id="u",
        event_id="late",
        event_type="custom",
        timestamp=NOW,
        device_id="cam-7",
        retention_days=1,
        topic="t",
        partition=0,
        offset=0,
        version=row_version(milliseconds(NOW) + 60_000, 0),
    )
    lines = [*map(orjson.dumps, raw), late.model_dump_json().encode()]
    (tmp_path / "events.ndjson").write_bytes(b"\n".join(lines))
    arguments = ["rules", "test", str(tmp_path / "u.yaml"), "--events", str(tmp_path / "events.ndjson")]
    done = CliRunner().invoke(make_app(["rules"]), [*arguments, "--json"], catch_exceptions=False)
    alerts = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert [(alert["status"], alert["fired_at"], alert["ends_at"], alert["group"]) for alert in alerts] == [
        ("firing", "2026-11-24T10:00:20Z", None, {"device_id": "cam-7"}),
        ("resolved", "2026-11-24T10:00:20Z", "2026-11-24T10:01:30Z", {"device_id": "cam-7"}),
    ]
    shown = CliRunner().invoke(make_app(["rules"]), arguments)
    assert "4 events, 1 alerts fired, 0 still firing" in shown.stdout
    assert "1 left out as later than 10 s" in shown.stderr
