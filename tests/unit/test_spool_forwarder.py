"""The forwarder on a real spool against receivers that fail in every way; the HTTP way against a scripted server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web

from pipeline.client.http import GatewayTransport
from pipeline.client.transport import KeyRefusedError, Outcome
from pipeline.core.outgoing import OutgoingEvent
from pipeline.errors import DependencyError, RefusedError
from pipeline.spool.forwarder import Forwarder
from pipeline.spool.state import list_refused, read_state
from pipeline.spool.store import Limits, SpoolStore
from pipeline.spool.writer import SpoolWriter
from tests.unit.test_client import Receiver
from tests.unit.test_spool_app import picture


def event(number: int, **changes: Any) -> OutgoingEvent:
    document = {
        "event_id": f"e{number}",
        "event_type": "custom",
        "use_case_id": "c",
        "timestamp": "2026-11-24T10:00:00Z",
        "event_data": {"value": number},
    }
    return OutgoingEvent(f"e{number}", "cam-1", orjson.dumps(document | changes))


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with SpoolStore.open(tmp_path / "edge", Limits(10_000_000, 1_000)) as store:
        yield store


async def test_it_forwards_what_arrives_and_outlives_failures(store: SpoolStore, tmp_path: Path) -> None:
    receiver = Receiver(["away"], ["no", "ok"])
    writer = SpoolWriter(store)
    running = asyncio.create_task(Forwarder(store, receiver, writer.arrived).run())
    await asyncio.gather(*(writer.accept(event(number)) for number in range(30)))
    async with asyncio.timeout(20):
        while read_state(tmp_path / "edge").waiting:
            await asyncio.sleep(0.01)
    running.cancel()
    state = read_state(tmp_path / "edge")
    assert (state.delivered, state.refused, state.failure) == (29, 1, "")
    assert {taken.event_id for taken in receiver.taken} == {f"e{number}" for number in range(1, 30)}


async def test_a_failure_is_remembered_until_the_next_delivery(store: SpoolStore, tmp_path: Path) -> None:
    receiver = Receiver(["away"])
    forwarder = Forwarder(store, receiver, asyncio.Event())
    store.append([event(1)], 0)
    with pytest.raises(DependencyError):
        await forwarder.step()
    assert read_state(tmp_path / "edge").failure == "away"
    assert await forwarder.step() == 1
    assert read_state(tmp_path / "edge").failure == ""
    assert await forwarder.step() == 0


async def test_an_event_that_breaks_the_transport_is_set_aside(store: SpoolStore, tmp_path: Path) -> None:
    class Breaking(Receiver):
        async def deliver(self, events: Sequence[OutgoingEvent]) -> list[Outcome]:
            if any(item.event_id == "e2" for item in events):
                raise KeyError("a defect")
            return await super().deliver(events)

    receiver = Breaking()
    store.append([event(number) for number in range(5)], 0)
    assert await Forwarder(store, receiver, asyncio.Event()).step() == 5
    (refused,) = list_refused(tmp_path / "edge", 5)
    assert (refused.event_id, "a defect" in refused.reason) == ("e2", True)
    assert [taken.event_id for taken in receiver.taken] == ["e0", "e1", "e3", "e4"]


class Server:
    """A gateway of which each answer is set by its path; keeps what was posted."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.posted: list[tuple[str, Any]] = []

    async def handle(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/vision-events")
        body = await request.read()
        document = orjson.loads(body) if request.content_type == "application/json" else None
        self.posted.append((path, document))
        chosen = self.answers.get(path, (201, {"sourceId": "s1"}))
        if callable(chosen):
            chosen = chosen(document)
        status, answer = chosen
        if isinstance(answer, str):
            return web.Response(status=status, text=answer)
        return web.json_response(answer, status=status)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    scripted = Server()
    app = web.Application()
    app.router.add_post("/{path:.*}", scripted.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    scripted.url = f"http://127.0.0.1:{port}"  # type: ignore[attr-defined]
    yield scripted
    await runner.cleanup()


@pytest.fixture
async def transport(server: Server) -> AsyncIterator[GatewayTransport]:
    transport = GatewayTransport(server.url, "key")  # type: ignore[attr-defined]
    yield transport
    await transport.close()


async def test_a_batch_is_one_call_with_images_uploaded_before(server: Server, transport: GatewayTransport) -> None:
    images = [{"data": picture(), "label": "top"}]
    assert await transport.deliver([event(1, images=images), event(2)]) == [None, None]
    assert [path for path, _ in server.posted] == ["/upload", "/batch"]
    (first, second) = server.posted[1][1]["events"]
    assert first["images"] == [{"label": "top", "sourceId": "s1"}]
    assert (second["eventId"], second["eventData"]) == ("e2", {"value": 2})


async def test_of_a_batch_that_is_refused_the_one_is_found(server: Server, transport: GatewayTransport) -> None:
    def answer(document: Any) -> tuple[int, Any]:
        return (400, {"error": "eventData: no"}) if document["eventId"] == "e2" else (201, {})

    server.answers = {"/batch": (400, {"error": "events.1: no"}), "": answer}  # type: ignore[dict-item]
    outcomes = await transport.deliver([event(1), event(2), event(3)])
    assert [type(outcome) for outcome in outcomes] == [type(None), RefusedError, type(None)]
    assert "400: eventData: no" in str(outcomes[1])


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "timestamp: old"}, RefusedError),
        (404, {"error": "useCaseId: no use case"}, RefusedError),
        (413, {"error": "too large"}, RefusedError),
        (404, {"error": "no such call: POST /x"}, DependencyError),
        (404, "<html>", DependencyError),
        (200, "<html>a captive portal</html>", DependencyError),
        (302, "", DependencyError),
        (401, {"error": "unknown key"}, KeyRefusedError),
        (403, {"error": "scope"}, KeyRefusedError),
        (429, {"error": "slow down"}, DependencyError),
        (500, {"error": "x"}, DependencyError),
        (503, {"error": "x"}, DependencyError),
        (529, {"detail": "full"}, DependencyError),
        (201, "not JSON", DependencyError),
    ],
)
async def test_what_an_answer_means_for_an_event(
    server: Server, transport: GatewayTransport, status: int, body: Any, kind: type
) -> None:
    server.answers = {"": (status, body)}
    (outcome,) = await transport.deliver([event(1)])
    assert type(outcome) is kind, outcome
    assert str(status) in str(outcome) or status == 201


async def test_images_that_cannot_be_uploaded(server: Server, transport: GatewayTransport) -> None:
    pictured = event(1, images=[{"data": picture()}])
    for answer, kind in (
        ((503, {"error": "away"}), DependencyError),
        ((201, {"other": 1}), DependencyError),
        ((400, {"error": "no image"}), RefusedError),
    ):
        server.answers = {"/upload": answer}
        (outcome, other) = await transport.deliver([pictured, event(2)])
        assert type(outcome) is kind
        assert other is None, "an event with an image that fails holds no other back"
    assert isinstance((await transport.deliver([event(3, images=[{"data": "AAAA"}])]))[0], RefusedError)


async def test_nobody_listens() -> None:
    transport = GatewayTransport("http://127.0.0.1:9", "key")
    outcomes = await transport.deliver([event(1), event(2)])
    assert [type(outcome) for outcome in outcomes] == [DependencyError, DependencyError]
    await transport.close()
