"""Metrics: documented, each query of dashboards and rules has its metric, and every process serves its own."""

import itertools
import json
import logging
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.__main__ import DASHBOARD, text
from deploy.grafana.panels import ROWS
from pipeline import metrics
from pipeline.logs import JsonFormatter, batch_id
from tests.support.tools import tool

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"

SERIES = {
    series: definition
    for definition in metrics.DEFINITIONS
    for series in (
        [definition.name + end for end in ("_bucket", "_sum", "_count")]
        if definition.kind == "histogram"
        else [definition.name]
    )
}
FOREIGN = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"}
TARGET_LABELS = {"job", "instance", "le"}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


QUERIES = {
    **{f"panel {p.title}, {name}": q for row in ROWS.values() for p in row for name, q in p.queries.items()},
    **{f"rule {rule['alert']}": rule["expr"] for rule in rules()},
}


def test_the_page_of_metrics_is_current() -> None:
    assert metrics.PAGE.read_text() == metrics.page(), "run `python -m pipeline.metrics`"


def test_the_dashboard_is_current_and_its_panels_do_not_overlap() -> None:
    assert DASHBOARD.read_text() == text(), "run `python -m deploy.grafana`"
    taken = set()
    for panel in json.loads(text())["panels"]:
        at = panel["gridPos"]
        cells = set(itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])))
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_metrics_and_labels_that_exist(name: str) -> None:
    query = QUERIES[name]
    asked = set(re.findall(r"\b(?:vision_events|process)_\w+|\bup\b", query))
    assert asked
    assert asked <= SERIES.keys() | FOREIGN
    known = TARGET_LABELS.union(*(SERIES[series].labels for series in asked - FOREIGN))
    used = set(re.findall(r"[{,]\s*(\w+)=", query))
    for group in re.findall(r"\bby \(([^)]*)\)", query):
        used |= {label.strip() for label in group.split(",")}
    assert used <= known


def test_every_metric_is_shown_by_some_panel() -> None:
    words = {word for query in QUERIES.values() for word in re.findall(r"\w+", query)}
    shown = {SERIES[series].name for series in SERIES.keys() & words}
    assert {definition.name for definition in metrics.DEFINITIONS} == shown


def test_every_rule_has_a_section_in_the_runbook() -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert [rule["alert"] for rule in rules()] == headings
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


@pytest.mark.parametrize(
    "arguments", [("check", "config", "prometheus.yml"), ("test", "rules", "rules_test.yml")], ids=lambda a: a[0]
)
def test_promtool_accepts_configuration_and_rules(arguments: tuple[str, ...]) -> None:
    promtool = tool("promtool", "Debian package prometheus")
    done = subprocess.run([promtool, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_process_tells_what_is_its_own() -> None:
    metrics.SPOOL_EVENTS.set(3)
    edge, worker = metrics.exposition("edge").decode(), metrics.exposition("worker").decode()
    assert "\nvision_events_spool_events 3.0\n" in edge
    assert "vision_events_spool" not in worker
    assert "\nvision_events_records_read_total " in worker
    assert "process_resident_memory_bytes" in worker


def test_a_partition_that_went_away_is_told_no_more() -> None:
    metrics.set_all(metrics.LAG, {("t", "0"): 5, ("t", "1"): 6})
    metrics.set_all(metrics.LAG, {("t", "1"): 7})
    lines = [line for line in metrics.exposition("worker").decode().splitlines() if "lag_records{" in line]
    assert lines == ['vision_events_consumer_lag_records{partition="1",topic="t"} 7.0']


def test_a_json_line_says_what_it_is_about() -> None:
    logged: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.append(self.format(record))

    handler = Kept()
    handler.setFormatter(JsonFormatter())
    log = logging.getLogger("test-json")
    log.addHandler(handler)
    log.error("refused %s", "t/0/5", extra={"event_id": "e-1"})
    token = batch_id.set("7")
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("line\nbreak")
    finally:
        batch_id.reset(token)
    first, second = map(json.loads, logged)
    assert first.items() >= {"level": "ERROR", "message": "refused t/0/5", "event_id": "e-1"}.items()
    assert "batch_id" not in first
    assert second["batch_id"] == "7"
    assert "ValueError: broken" in second["exception"]
    assert all("\n" not in line for line in logged)
