"""Alerts from the raw topic to those who are told: once each, and as the plain evaluator says."""

import base64
import hashlib
import hmac
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from schemas.use_case import UseCase
from tests.end_to_end.system import System, until


class Receiver:
    """A web server that notes what it is told; `answers` are the status codes of the next requests, then 200."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.requests.append((self.path, headers, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [orjson.loads(body) for where, _, body in self.requests if where == path]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


def start_alert_worker(system: System, name: str, **settings: Any) -> subprocess.Popen[bytes]:
    with (system.folder / f"{name}.log").open("ab") as log:
        given = {f"VISION_EVENTS_{key.upper()}": str(value) for key, value in settings.items()}
        command = [sys.executable, "-m", "pipeline", "alert-worker"]
        named = system.environment | given | {"VISION_EVENTS_WORKER_ID": name}
        return subprocess.Popen(command, env=named, stdout=log, stderr=log)


def test_from_an_event_to_a_webhook(system: System, receiver: Receiver, tmp_path: Path) -> None:
    name = f"alert-{uuid.uuid4().hex[:8]}"
    rule = {
        "name": "burst",
        "when": {"result": "fail"},
        "window": {"count": 3, "within": "5s"},
        "group_by": ["custom_metadata.line"],
        "lateness": 1,
        "severity": "high",
        "annotations": {"summary": "{{value}} on {{custom_metadata.line}}"},
    }
    system.apply(UseCase.model_validate({"id": name, "name": name, "event_type": "quality_check", "alerts": [rule]}))
    receivers = [{"name": "hook", "url": f"{receiver.url}/hook", "secret": "s3cret", "match": {"use_case": [name]}}]
    (tmp_path / "receivers.yaml").write_text(yaml.safe_dump({"receivers": receivers}))
    receiver.answers = [503]  # the first attempt fails
    worker = start_alert_worker(system, "a1", alert_group=f"alerts-{name}", alert_receivers=tmp_path / "receivers.yaml")
    try:
        with system.worker():
            now = datetime.now(UTC)
            system.publish(
                [
                    orjson.dumps(
                        {
                            "event_id": f"{name}-{number}",
                            "use_case_id": name,
                            "timestamp": (now + timedelta(milliseconds=number)).isoformat(),
                            "custom_metadata": {"line": "L3"},
                            "event_data": {"result": "fail"},
                            "result": {},
                        }
                    )
                    for number in range(3)
                ]
            )
            until(lambda: len(receiver.requests), lambda count: count >= 3, 60)
    finally:
        worker.terminate()
        assert worker.wait(30) == 0, (system.folder / "a1.log").read_text()[-4000:]
    failed, firing, resolved = receiver.requests
    assert failed[1]["webhook-id"] == firing[1]["webhook-id"] != resolved[1]["webhook-id"]
    headers, body = firing[1:]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"s3cret", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    first, last = orjson.loads(body), orjson.loads(resolved[2])
    assert (first["type"], last["type"]) == ("visionevents.alert.firing", "visionevents.alert.resolved")
    assert first["data"]["fingerprint"] == last["data"]["fingerprint"]
    assert first["data"]["annotations"] == {"summary": "3 on L3"}
    ends = datetime.fromisoformat(last["data"]["ends_at"])
    assert abs((ends - now).total_seconds() - 5) < 0.01, "the window's end, in event time"
    status, value = system.sql.query(
        "SELECT status, value FROM alerts WHERE use_case_id = {u:String}", parameters={"u": name}
    ).result_rows[0]
    assert (status, value) == ("resolved", 3)
