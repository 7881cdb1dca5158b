"""The edge's endpoint, on a real spool, with the requests that existing senders make."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from PIL import Image

from pipeline.core.decode import decode
from pipeline.core.record import Record
from pipeline.spool.app import make_app
from pipeline.spool.state import read_state
from pipeline.spool.store import Limits, SpoolStore
from pipeline.spool.writer import SpoolWriter
from schemas.topics import MAX_RAW_RECORD_BYTES

KEY = {"X-API-Key": "an-edge-key"}


def picture() -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 24), "red").save(buffer, "JPEG")
    return base64.b64encode(buffer.getvalue()).decode()


def edge_event(**changes: Any) -> dict[str, Any]:
    """What the vision events block sends in local mode."""
    return {
        "inference_timestamp": "2026-11-24T10:00:00.123456+00:00",
        "solution": "defect-detection",
        "event_schema": "quality_check",
        "event_data": {"result": "fail"},
        "images": [
            {
                "base64Image": picture(),
                "inputBase64Image": picture(),
                "label": "workflow",
                "objectDetections": [
                    {"class": "scratch", "x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0, "confidence": 0.5}
                ],
            }
        ],
        "custom_metadata": {"line_id": "L3"},
        "displayImagePosition": 0,
    } | changes


class Edge:
    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder = folder
        self.store = SpoolStore.open(folder, limits)
        app = make_app(self.store, SpoolWriter(self.store), "an-edge-key", "box-9", "fallback-case")
        transport = httpx.ASGITransport(app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://edge", headers=KEY)

    def queued(self) -> list[dict[str, Any]]:
        return [orjson.loads(queued.event.value) for queued in self.store.oldest(100, 100_000_000)]


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Edge]:
    edge = Edge(tmp_path / "edge", Limits(1_000_000, 5))
    async with edge.http:
        yield edge
    edge.store.close()


async def test_an_event_is_taken_and_kept_in_canonical_form(edge: Edge) -> None:
    response = await edge.http.post("/v2/events", json=edge_event())
    assert response.status_code == 201
    (kept,) = edge.queued()
    assert response.json() == {"id": kept["event_id"]}
    raw = decode(Record(orjson.dumps(kept)), {})
    assert (raw.use_case_id, raw.event_type, raw.event_data) == (
        "defect-detection",
        "quality_check",
        {"result": "fail"},
    )
    assert raw.source == {"device_id": "box-9"}
    assert [(image.role, image.label) for image in raw.images] == [("output", "workflow"), ("original", "workflow")]
    assert raw.images[0].result is not None
    assert raw.images[0].result["object_detections"][0]["class"] == "scratch"


async def test_the_event_writer_block_names_no_use_case(edge: Edge) -> None:
    body = edge_event(custom_metadata={})
    del body["solution"]
    assert (await edge.http.post("/v2/events", json=body)).status_code == 201
    assert edge.queued()[0]["use_case_id"] == "fallback-case"


async def test_an_id_of_the_sender_makes_a_resend_replace(edge: Edge) -> None:
    for _ in range(2):
        response = await edge.http.post("/v2/events", json=edge_event(event_id="mine", device_id="cam-1"))
        assert response.json() == {"id": "mine"}
    (kept,) = edge.queued()
    assert kept["source"] == {"device_id": "cam-1"}


async def test_any_known_format_is_taken(edge: Edge) -> None:
    body = {"use_case_id": "ppe", "result": {"classifications": [{"class": "ok", "confidence": None}]}}
    assert (await edge.http.post("/v2/events", json=body)).status_code == 201
    (kept,) = edge.queued()
    assert kept["result"] == body["result"]
    assert kept["timestamp"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b"", "no value"),
        (edge_event(event_data={"result": "perhaps"}), "event_data.result"),
        (edge_event(images=[{"base64Image": "AAAA", "label": "x"}]), "images.0.data"),
        (edge_event(inference_timestamp="yesterday"), "timestamp"),
        (edge_event(sollution="x"), "sollution"),
        (edge_event(custom_metadata={"a": {"b": 1}}), "custom_metadata.a"),
    ],
)
async def test_what_is_not_an_event_is_refused_with_the_field(edge: Edge, body: Any, said: str) -> None:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    response = await edge.http.post("/v2/events", content=content)
    assert response.status_code == 400
    assert said in response.json()["detail"]
    assert edge.queued() == []


async def test_only_senders_with_the_key(edge: Edge) -> None:
    for headers in ({"X-API-Key": "wrong"}, {"X-API-Key": ""}):
        response = await edge.http.post("/v2/events", json=edge_event(), headers=headers)
        assert (response.status_code, "X-API-Key" in response.json()["detail"]) == (401, True)
    assert edge.queued() == []


async def test_a_full_spool_says_so(edge: Edge) -> None:
    answers = await asyncio.gather(*(edge.http.post("/v2/events", json=edge_event()) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [529] * 3
    assert all("full" in answer.json()["detail"] for answer in answers if answer.status_code == 529)
    assert read_state(edge.folder).accepted == 5
    assert (await edge.http.get("/readyz")).status_code == 503
    edge.store.settle([queued.seq for queued in edge.store.oldest(1, 1)], {}, 0)
    assert (await edge.http.get("/readyz")).status_code == 200
    assert (await edge.http.post("/v2/events", json=edge_event())).status_code == 201


async def test_a_body_that_is_too_large_is_cut_off(edge: Edge) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_RAW_RECORD_BYTES // 1_000_000 + 2):
            yield b"x" * 1_000_000

    response = await edge.http.post("/v2/events", content=endless())
    assert (response.status_code, list(response.json())) == (413, ["detail"])
    assert (await edge.http.get("/nowhere")).json() == {"detail": "Not Found"}
    assert (await edge.http.get("/livez")).json() == {"alive": True}
