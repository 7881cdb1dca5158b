"""The unmodified public SDK and its command line against our gateway: only their base URL is changed."""

import hashlib
import subprocess
import uuid
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.end_to_end.http import Gateway
from tests.end_to_end.system import System
from tests.end_to_end.test_blocks import jpeg
from tests.support.sdk import sdk_python

CALLS = Path(__file__).parents[1] / "support" / "sdk_calls.py"


class Sdk:
    """The SDK as its user has it: two environment variables and a home without configuration."""

    def __init__(self, gateway: Gateway, home: Path) -> None:
        self.python = sdk_python()
        key = gateway.client().headers["authorization"].removeprefix("Bearer ")
        self.environment = {"API_URL": gateway.url, "ROBOFLOW_API_KEY": key, "HOME": str(home), "PATH": "/usr/bin:/bin"}

    def run(self, *command: str) -> Any:
        done = subprocess.run(
            [str(self.python), *command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return orjson.loads(done.stdout)

    def cli(self, *command: str) -> Any:
        return self.run("-m", "roboflow.roboflowpy", "--json", "vision-events", *command)


def test_every_call_of_the_sdk(system: System, gateway: Gateway, tmp_path: Path) -> None:
    sdk = Sdk(gateway, tmp_path)
    name = f"sdk {uuid.uuid4().hex[:8]}"
    image = tmp_path / "frame.jpg"
    image.write_bytes(jpeg("purple"))

    said = sdk.run(str(CALLS), "write", str(image), name)
    use_case = said["created"]["id"]
    assert (said["workspace"], said["url"]) == ("default", "default")
    assert said["created"] == {"id": use_case, "name": name}
    assert "error" in orjson.loads(said["taken"])
    assert said["renamed"] == {"id": use_case, "name": f"{name} renamed"}
    assert said["archived"] == said["unarchived"] == {"success": True}
    assert use_case in [item["id"] for item in said["inactive"]["useCases"]]
    (listed,) = [item for item in said["listed"]["useCases"] if item["id"] == use_case]
    assert listed == {"id": use_case, "name": f"{name} renamed", "status": "active", "eventCount": 0}
    assert said["uploaded"]["sourceId"] == said["uploaded again"]["sourceId"]
    assert httpx.get(said["uploaded"]["url"]).content == image.read_bytes()
    assert said["written"] == {"eventId": said["first"], "created": True}
    assert said["batch"]["created"] == len(set(said["batch"]["eventIds"])) == 39
    assert "party" in orjson.loads(said["wrong"])["error"]
    assert "error" in orjson.loads(said["wrong key"])

    with system.worker():
        system.drained()
    read = sdk.run(str(CALLS), "read", use_case)
    ids = [event_id for page in read["pages"] for event_id in page]
    assert list(map(len, read["pages"])) == [15, 15, 10]
    assert set(ids) == {said["first"], *said["batch"]["eventIds"]}
    assert (read["page"]["hasMore"], len(read["page"]["events"])) == (True, 15)
    assert read["page"]["lookbackDays"] >= 1
    times = [event["timestamp"] for event in read["page"]["events"]]
    assert times == sorted(times, reverse=True)
    assert read["filtered"] == [{"line_id": "L7", "number": 7}]
    assert read["schema"]["fields"]["line_id"]["types"] == ["string"]
    assert read["schema"]["fields"]["number"]["types"] == ["number"]
    source = system.value(
        "SELECT images.source_id[1] FROM vision_events WHERE event_id = {id:String}", id=said["first"]
    )
    assert source == hashlib.sha256(image.read_bytes()).hexdigest()

    # The command line, which asks for the key's workspace before each call.
    event = {"eventId": str(uuid.uuid4()), "eventType": "custom", "useCaseId": use_case, "timestamp": times[0]}
    assert sdk.cli("write", orjson.dumps(event).decode()) == {"eventId": event["eventId"], "created": True}
    found = sdk.cli("query", use_case, "--event-type", "quality_check", "--limit", "2")
    assert len(found["events"]) == 2
    assert found["nextCursor"]
    assert use_case in [item["id"] for item in sdk.cli("use-cases")["useCases"]]
    assert sdk.cli("upload-image", str(image))["sourceId"] == source


def test_a_key_of_nobody(gateway: Gateway) -> None:
    for path in ("/", "/default"):
        method = "POST" if path == "/" else "GET"
        answer = httpx.request(method, gateway.url + path, params={"api_key": "not-a-key-of-anybody"})
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
    mine = gateway.client("elsewhere").headers["authorization"].removeprefix("Bearer ")
    assert httpx.get(f"{gateway.url}/default", params={"api_key": mine}).status_code == 404
    assert httpx.get(f"{gateway.url}/elsewhere", params={"api_key": mine}).status_code == 200
    assert httpx.get(f"{gateway.url}/elsewhere").status_code == 404
