"""The running system as Prometheus sees it: counts that are right, and an answer to every query of the dashboard."""

import base64
import io
import json
import math
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from deploy.embedded.ports import free_port
from pipeline import metrics
from schemas.use_case import UseCase
from tests.end_to_end.alert_support import AlertWorkers, WebhookServer
from tests.end_to_end.http import Gateway, event
from tests.end_to_end.system import System, until
from tests.end_to_end.test_edge import EdgeBox
from tests.end_to_end.test_edge import event as edge_event
from tests.support.tools import tool
from tests.unit.test_metrics import QUERIES

RULE = {"name": "fail", "when": {"result": "fail"}, "window": {"count": 1, "within": "5s"}, "lateness": 5}


def scrape(port: int) -> Counter[str]:
    """What a process tells, summed over the labels; nothing while it does not listen."""
    found: Counter[str] = Counter()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert answer.headers["Content-Type"] == metrics.CONTENT_TYPE
            text = answer.read().decode()
    except OSError:
        return found
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if "le" not in sample.labels:
                found[sample.name] += sample.value
    return found


@contextmanager
def prometheus(program: str, ports: dict[str, int], folder: Path) -> Iterator[str]:
    """A real Prometheus that scrapes every second. Yields its URL."""
    scrapes = [{"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for job, port in ports.items()]
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": scrapes}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    at = f"127.0.0.1:{free_port()}"
    arguments = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    with (folder / "prometheus.log").open("ab") as log:
        process = subprocess.Popen([program, *arguments, f"--web.listen-address={at}"], stdout=log, stderr=log)
    try:
        yield f"http://{at}"
    finally:
        process.terminate()
        process.wait(30)


def answer(url: str, query: str) -> list[Any]:
    """What a query gives now; nothing while Prometheus does not answer."""
    try:
        asked = f"{url}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        with urllib.request.urlopen(asked, timeout=10) as response:
            found = json.loads(response.read())
    except urllib.error.HTTPError as error:
        if error.code == 503:  # it is still starting
            return []
        pytest.fail(f"{query}: {error.read().decode()}")
    except OSError:
        return []
    assert found["status"] == "success"
    return list(found["data"]["result"])


def shown(found: list[Any]) -> bool:
    """Whether a panel shows something: a quantile of nothing is not a number."""
    return any(not math.isnan(float(series["value"][1])) for series in found)


def picture() -> str:
    content = io.BytesIO()
    Image.new("RGB", (32, 24), "blue").save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


@pytest.fixture
def running(system: System, tmp_path: Path) -> Iterator[tuple[dict[str, int], Gateway, EdgeBox]]:
    """One process of each kind; their health ports by job."""
    ports = {job: free_port() for job in ("worker", "alert-worker", "gateway", "edge")}
    health = {job: {"health_port": str(port)} for job, port in ports.items()}
    name = f"metrics-{uuid.uuid4().hex[:8]}"
    system.apply(UseCase.model_validate({"id": name, "name": name, "event_type": "quality_check", "alerts": [RULE]}))
    with ExitStack() as stack:
        hook = WebhookServer()
        stack.callback(hook.close)
        receivers = [{"name": "hook", "url": f"{hook.url}/", "match": {"use_case": [name]}}]
        alerts = stack.enter_context(AlertWorkers(system, f"alerts-{name}", receivers, tmp_path))
        alerts.environment["VISION_EVENTS_HEALTH_PORT"] = str(ports["alert-worker"])
        alerts.start("a1")
        gateway = stack.enter_context(
            Gateway(system, {"health_port": str(ports["gateway"]), "alert_group": f"alerts-{name}"})
        )
        edge = EdgeBox(system, tmp_path, name, **health["edge"])
        stack.callback(edge.stop)
        stack.enter_context(system.worker(**health["worker"]))
        yield ports, gateway, edge


def test_a_running_system_answers_every_query_of_the_dashboard(
    running: tuple[dict[str, int], Gateway, EdgeBox], system: System, tmp_path: Path
) -> None:
    ports, gateway, edge = running
    name = edge.environment["VISION_EVENTS_EDGE_USE_CASE"]

    def feed(number: int) -> None:
        failed = {"use_case_id": name, "event_data": {"result": "fail"}, "result": {}}
        failed |= {"timestamp": datetime.now(UTC).isoformat(), "images": [{"data": picture()}]}
        system.publish([orjson.dumps(failed), b"not JSON"])
        assert edge.http.post("/v2/events", json=edge_event(1, number)).is_success
        with gateway.client() as client:
            assert client.post("", json=event(name)).status_code == 201

    until(system.counts, lambda counts: counts.lag == counts.unaccounted == 0)
    before = scrape(ports["worker"])  # of records that other tests left
    feed(0)
    read = before["vision_events_records_read_total"] + 4
    told = until(lambda: scrape(ports["worker"]), lambda told: told["vision_events_batch_rows_sum"] >= read)
    told.subtract(before)
    assert told["vision_events_records_read_total"] == told["vision_events_batch_rows_sum"] == 4
    assert told["vision_events_events_stored_total"] == 3
    assert told["vision_events_rejects_total"] == 1
    assert told["vision_events_image_puts_total"] == 1
    until(lambda: scrape(ports["worker"])["vision_events_dependency_up"], lambda up: up == 3)
    until(lambda: scrape(ports["edge"]), lambda told: told["vision_events_spool_delivered_total"] == 1)
    assert scrape(ports["gateway"])["vision_events_events_accepted_total"] == 1
    until(lambda: scrape(ports["alert-worker"]), lambda told: told["vision_events_alert_deliveries_total"] >= 1)
    assert scrape(ports["alert-worker"])["vision_events_alert_transitions_total"] >= 1
    until(lambda: scrape(ports["gateway"]), lambda told: told["vision_events_topic_end_offset"] >= 4)

    program = tool("prometheus", "Debian package prometheus")
    with prometheus(program, ports, tmp_path) as url:
        until(lambda: answer(url, "sum(up)"), lambda found: bool(found) and found[0]["value"][1] == "4")
        feed(1)
        for query_name, query in QUERIES.items():
            if query_name.startswith("rule "):
                answer(url, query)  # it is valid; that it is true would be bad news
            else:
                until(lambda query=query: answer(url, query), shown, 90)
