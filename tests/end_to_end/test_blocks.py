"""Requests of the shape that workflow blocks send, at the central gateway; and what an edge box forwards to it."""

import base64
import hashlib
import io
import json
import tarfile
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from PIL import Image

from pipeline.edges.registry import apply_entries
from schemas.device import Device
from schemas.use_case import UseCase
from tests.end_to_end.http import Gateway
from tests.end_to_end.system import System, until
from tests.end_to_end.test_edge import EdgeBox


@pytest.fixture
def use_case(system: System) -> str:
    name = f"blocks-{uuid.uuid4().hex[:8]}"
    system.apply(UseCase(id=name, name=name))
    return name


def jpeg(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


DETECTION = {"class": "scratch", "x": 10.5, "y": 20.0, "width": 3.0, "height": 4.0, "confidence": 0.5}


def local_event(use_case: str | None, **changes: Any) -> dict[str, Any]:
    """What the vision events block sends in local mode; without a use case, what the event writer block sends."""
    images = {"base64Image": jpeg("red"), "inputBase64Image": jpeg("green")}
    body = {
        "inference_timestamp": "2026-11-24T10:00:00.123456+00:00",
        "event_schema": "quality_check",
        "event_data": {"result": "fail", "externalId": "batch-1"},
        "images": [
            {name: base64.b64encode(image).decode() for name, image in images.items()}
            | {"label": "workflow", "objectDetections": [DETECTION], "keypoints": [DETECTION]}
        ],
        "custom_metadata": {"line_id": "L3"},
        "displayImagePosition": 0,
    } | changes
    return body if use_case is None else body | {"solution": use_case}


@pytest.fixture(scope="module", autouse=True)
def _worker(system: System) -> Iterator[None]:
    with system.worker():
        yield


def stored(system: System, event_id: str) -> dict[str, Any]:
    system.drained()
    names = ("use_case_id", "event_type", "device_id", "factory_id", "frame_width", "object_detections.class")
    names = (*names, "images.source_id", "images.input_source_id", "images.label", "warnings.code")
    row = system.sql.query(
        f"SELECT {', '.join(names)}, toJSONString(event_data) FROM vision_events WHERE event_id = {{id:String}}",
        parameters={"id": event_id},
    ).result_rows[0]
    return dict(zip(names, row[:-1], strict=True)) | {"event_data": orjson.loads(row[-1])}


def sender(gateway: Gateway, key: str | None = None) -> httpx.Client:
    key = key or gateway.client().headers["authorization"].removeprefix("Bearer ")
    return httpx.Client(base_url=gateway.url, headers={"X-API-Key": key}, timeout=30)


def test_an_event_of_a_block_in_cloud_mode(system: System, gateway: Gateway, use_case: str) -> None:
    """Two uploads, then the event; success is what raise_for_status takes for it."""
    authorized = {"Authorization": gateway.client().headers["authorization"]}
    base = f"{gateway.url}/vision-events"
    sources = []
    for colour in ("red", "green"):
        answer = httpx.post(
            f"{base}/upload", headers=authorized, files={"file": ("image.jpg", jpeg(colour), "image/jpeg")}, timeout=30
        )
        sources.append(answer.raise_for_status().json()["sourceId"])
    payload = {
        "eventId": str(uuid.uuid4()),
        "eventType": "inventory_count",
        "useCaseId": use_case,
        "timestamp": datetime.now(UTC).isoformat(),
        "images": [
            {
                "sourceId": sources[0],
                "inputSourceId": sources[1],
                "label": "workflow",
                "instanceSegmentations": [DETECTION | {"points": [[1.0, 2.0], [3.0, 2.0], [3.0, 4.0]]}],
                "keypoints": [DETECTION | {"keypoints": [{"id": 0, "x": 1.0, "y": 2.0}]}, DETECTION],
                "classifications": [{"class": "ok", "confidence": 0.0}],
            }
        ],
        "displayImagePosition": 0,
    }
    headers = authorized | {"Content-Type": "application/json"}
    httpx.post(base, headers=headers, content=orjson.dumps(payload), timeout=30).raise_for_status()
    row = stored(system, payload["eventId"])
    assert (row["images.source_id"], row["images.input_source_id"]) == ([sources[0]], [sources[1]])
    assert (row["event_type"], row["warnings.code"]) == ("inventory_count", [])


def test_a_response_that_the_kafka_block_publishes_in_our_envelope(system: System, use_case: str) -> None:
    response = {
        "inference_id": "7f0c",
        "time": 0.012,
        "image": {"width": 1280, "height": 720},
        "predictions": [
            *[{"x": 356.5, "y": 151.0, "width": 92.0, "height": 58.0, "confidence": 0.91, "class": "scratch"}],
            *[{"x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0, "confidence": 0.5, "class": "dent", "class_id": 2}],
        ],
    }
    event_id = str(uuid.uuid4())
    envelope = {"event_id": event_id, "use_case_id": use_case, "result": response}
    # The block encodes with the standard library, and its key is the camera's id.
    system.publish([json.dumps(envelope).encode()], key=b"cam-9")
    row = stored(system, event_id)
    assert (row["device_id"], row["frame_width"]) == ("cam-9", 1280)
    assert row["object_detections.class"] == ["scratch", "dent"]


def test_an_event_of_a_block_in_local_mode(system: System, gateway: Gateway, use_case: str) -> None:
    with sender(gateway) as http:
        answer = http.post("/v2/events", json=local_event(use_case))
    assert answer.status_code == 201, answer.text
    row = stored(system, answer.json()["id"])
    assert (row["use_case_id"], row["event_type"]) == (use_case, "quality_check")
    assert row["event_data"] == {"result": "fail", "external_id": "batch-1"}
    assert row["object_detections.class"] == ["scratch"]
    assert row["images.source_id"] == [hashlib.sha256(jpeg("red")).hexdigest()]
    assert row["images.input_source_id"] == [hashlib.sha256(jpeg("green")).hexdigest()]
    assert row["images.label"] == ["workflow"]


def test_the_event_writer_block_and_the_device_registry(system: System, gateway: Gateway, use_case: str) -> None:
    device = f"box-{use_case}"
    with sender(gateway) as http:
        refused = http.post("/v2/events", json=local_event(None, device_id=device))
        assert refused.status_code == 400
        assert "use_case_id" in refused.json()["detail"]
        apply_entries(system.sql, [Device(id=device, use_case_id=use_case)])
        until(lambda: http.post("/v2/events", json=local_event(None, device_id=device)).status_code, (201).__eq__)


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"event_data": {"result": "perhaps"}}, 400, "event_data.result"),
        ({"solution": "nobody-made-this"}, 404, "use case"),
        ({"inference_timestamp": "2001-01-01T00:00:00Z"}, 400, "timestamp"),
        ({"images": [{"base64Image": "AAAA"}]}, 400, "images.0.data"),
    ],
)
def test_errors_of_the_local_call_are_details(
    gateway: Gateway, use_case: str, changes: dict[str, Any], status: int, said: str
) -> None:
    with sender(gateway) as http:
        answer = http.post("/v2/events", json=local_event(use_case) | changes)
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])
    assert said in answer.json()["detail"]


def test_keys_of_the_local_call(gateway: Gateway, use_case: str) -> None:
    with sender(gateway, "not-a-key-of-anybody") as http:
        answer = http.post("/v2/events", json=local_event(use_case))
        assert (answer.status_code, list(answer.json())) == (401, ["detail"])
    other = gateway.client("elsewhere").headers["authorization"].removeprefix("Bearer ")
    with sender(gateway, other) as http:
        assert http.post("/v2/events", json=local_event(use_case)).status_code == 404
    with gateway.client() as http:
        assert http.post(f"{gateway.url}/v2/events", json=local_event(use_case)).status_code == 201


def bundle(event_id: str, **changes: Any) -> bytes:
    """As the bundle block writes it."""
    payload = {
        "bundleFormatVersion": 1,
        "eventId": event_id,
        "eventType": "quality_check",
        "timestamp": "2026-11-24T10:00:00.123456+00:00",
        "images": [
            {"file": "images/1.jpg", "inputFile": "images/2.jpg", "label": "workflow", "objectDetections": [DETECTION]}
        ],
        "eventData": {"result": "pass"},
        "displayImagePosition": 0,
    } | changes
    buffer = io.BytesIO()
    members = {"payload.json": orjson.dumps(payload), "images/1.jpg": jpeg("blue"), "images/2.jpg": jpeg("white")}
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_a_bundle_becomes_an_event_with_its_images(system: System, gateway: Gateway, use_case: str) -> None:
    event_id = str(uuid.uuid4())
    with gateway.client() as http:
        content = bundle(event_id, useCaseId="another-one")
        answer = http.post("/bundle", params={"useCaseId": use_case}, content=content)
        assert answer.status_code == 201, answer.text
        assert answer.json() == {"eventId": event_id, "created": True}
        assert http.post("/bundle", content=bundle(str(uuid.uuid4()), useCaseId=use_case)).status_code == 201
    row = stored(system, event_id)
    assert (row["use_case_id"], row["event_data"]) == (use_case, {"result": "pass"})
    assert row["images.source_id"] == [hashlib.sha256(jpeg("blue")).hexdigest()]
    assert row["images.input_source_id"] == [hashlib.sha256(jpeg("white")).hexdigest()]
    assert row["warnings.code"] == []


def test_bundles_that_are_refused(gateway: Gateway, use_case: str) -> None:
    with gateway.client() as http:
        for content, query, status, said in (
            (bundle("x"), {}, 400, "useCaseId"),
            (bundle("x"), {"useCaseId": "nobody-made-this"}, 404, "use case"),
            (bundle("x", bundleFormatVersion=2), {"useCaseId": use_case}, 400, "bundleFormatVersion"),
            (bundle("x", eventType="party"), {"useCaseId": use_case}, 400, "party"),
            (b"hello", {"useCaseId": use_case}, 400, "tar.gz"),
            (bytes(26 * 1024 * 1024), {"useCaseId": use_case}, 413, "26214400"),
        ):
            answer = http.post("/bundle", params=query, content=content)
            assert (answer.status_code, list(answer.json())) == (status, ["error"]), answer.text
            assert said in answer.json()["error"]


def test_an_edge_box_forwards_to_the_gateway(system: System, gateway: Gateway, use_case: str, tmp_path: Path) -> None:
    missing = f"missing-{uuid.uuid4().hex[:8]}"
    key = gateway.client().headers["authorization"].removeprefix("Bearer ")
    box = EdgeBox(system, tmp_path, use_case, gateway_url=gateway.url, gateway_api_key=key)
    try:
        record = {
            "event_type": "quality_check",
            "source": {"device_id": "cam-1", "factory_id": "f-12", "frame_id": 7},
            "image": {"width": 640, "height": 480},
            "images": [{"data": base64.b64encode(jpeg("red")).decode()}],
            "result": {"object_detections": [DETECTION]},
        }
        ids = [box.http.post("/v2/events", json=record).json()["id"] for _ in range(3)]
        lost = box.http.post("/v2/events", json=record | {"use_case_id": missing}).json()["id"]
        ids.append(box.http.post("/v2/events", json=local_event(None)).json()["id"])
        until(box.status, lambda state: state["waiting"] == 0)
        (refused,) = orjson.loads(box.command("refused", "list", "--json"))
        assert refused["event_id"] == lost
        assert "404" in refused["reason"]
        system.apply(UseCase(id=missing, name="now there is"))
        assert "1 events wait again" in box.command("refused", "retry", lost)
        state = until(box.status, lambda state: state["delivered"] == 5)
        assert (state["accepted"], state["refused"], state["waiting"]) == (5, 0, 0)
        box.stop()
    finally:
        if box.process.poll() is None:
            box.kill()
    row = stored(system, ids[0])
    assert (row["device_id"], row["factory_id"], row["frame_width"]) == ("cam-1", "f-12", 640)
    assert row["object_detections.class"] == ["scratch"]
    assert row["images.source_id"] == [hashlib.sha256(jpeg("red")).hexdigest()]
    count = system.value("SELECT count() FROM vision_events WHERE event_id IN {ids:Array(String)}", ids=[*ids, lost])
    assert count == 5
