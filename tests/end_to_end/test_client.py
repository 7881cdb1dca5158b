"""The client library on the running system: the same event by every way gives the same row and the same image."""

import asyncio
import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.client import AsyncClient, Client, Event, Image, Progress, RefusedError, Transport, gateway, kafka
from pipeline.client.kafka import KafkaTransport
from schemas.use_case import UseCase
from tests.end_to_end.http import Gateway
from tests.end_to_end.system import System
from tests.end_to_end.test_blocks import jpeg

BOX = {"class": "scratch", "confidence": 0.5, "x": 1.0, "y": 2.0, "width": 3.0, "height": 4.0}


@pytest.fixture
def use_case(system: System) -> str:
    name = f"client-{uuid.uuid4().hex[:8]}"
    system.apply(UseCase(id=name, name=name))
    return name


@pytest.fixture(scope="module", autouse=True)
def _worker(system: System) -> Iterator[None]:
    with system.worker():
        yield


def ways(system: System, server: Gateway) -> dict[str, Transport]:
    key = server.client().headers["authorization"].removeprefix("Bearer ")
    return {
        "kafka": KafkaTransport(system.settings),
        "kafka, images in S3": KafkaTransport(system.settings, "store"),
        "gateway": gateway(server.url, key),
    }


def made(use_case: str, number: int, **changes: Any) -> Event:
    return Event(
        **(
            {
                "use_case_id": use_case,
                "event_type": "custom",
                "event_data": {"value": number},
                "device_id": "cam-1",
                "factory_id": "f-12",
                "predictions": {"object_detections": [BOX]},
                "images": [
                    Image(content=jpeg("red"), role="original", label="top"),
                    Image(content=jpeg("green"), label="top"),
                ],
                "custom_metadata": {"line_id": "L3"},
            }
            | changes
        )
    )


def test_every_way_stores_the_same(system: System, gateway: Gateway, use_case: str) -> None:
    sent: dict[str, str] = {}
    for name, transport in ways(system, gateway).items():
        with Client(transport) as client:
            sent[name] = client.send(made(use_case, 1))
    counts = system.drained()
    assert counts.unaccounted == 0
    rows = system.sql.query(
        "SELECT event_id, device_id, factory_id, toJSONString(custom_metadata), toJSONString(event_data),"
        " object_detections.class, images.label, images.source_id, images.input_source_id, warnings.code"
        " FROM vision_events WHERE use_case_id = {case:String}",
        parameters={"case": use_case},
    ).result_rows
    assert {row[0] for row in rows} == set(sent.values())
    assert len(rows) == 3
    green, red = (hashlib.sha256(jpeg(colour)).hexdigest() for colour in ("green", "red"))
    for row in rows:
        assert row[1:] == (
            *("cam-1", "f-12", '{"line_id":"L3"}', '{"value":1}'),
            *(["scratch"], ["top"], [green], [red], []),
        )


async def test_many_events_with_one_refused_and_all_sent_again(system: System, gateway: Gateway, use_case: str) -> None:
    events = [made(use_case, number, images=()) for number in range(250)]
    events[120] = made("nobody-made-this-either", 120)
    progress: list[Progress] = []
    async with AsyncClient(ways(system, gateway)["gateway"]) as client:
        for _ in range(2):
            sent = await client.send_many(events, progress.append)
            assert [item.event_id for item in sent] == [event.event_id for event in events]
            (wrong,) = [number for number, item in enumerate(sent) if item.error is not None]
            assert wrong == 120
            assert isinstance(sent[120].error, RefusedError)
            assert "404" in str(sent[120].error)
    assert progress[-1] == Progress(249, 1)
    await asyncio.to_thread(system.drained)
    query = "SELECT count() FROM vision_events WHERE use_case_id = {case:String}"
    assert system.value(query, case=use_case) == 249


def test_settings_lead_the_client_to_kafka(
    system: System, use_case: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "frame.jpg").write_bytes(jpeg("blue"))
    for name, value in system.environment.items():
        if name.startswith("VISION_EVENTS_"):
            monkeypatch.setenv(name, value)
    with Client(kafka(images="store")) as client:
        sent = client.send_many(
            [made(use_case, number, images=[Image.of_file(tmp_path / "frame.jpg")]) for number in range(50)]
        )
    assert all(item.error is None for item in sent)
    system.drained()
    query = "SELECT count(), uniqExact(images.source_id[1]) FROM vision_events WHERE use_case_id = {case:String}"
    assert system.sql.query(query, parameters={"case": use_case}).result_rows == [(50, 1)]
