"""Parts of the gateway that need no service: the rate limit, image links, the names of fields, the OpenAPI document."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import Request
from pydantic import TypeAdapter

from pipeline.gateway.app import make_app
from pipeline.gateway.errors import ApiError
from pipeline.gateway.links import ImageLinks
from pipeline.gateway.names import api_path
from pipeline.gateway.rate import RateLimit
from pipeline.settings import Settings
from schemas.api import ApiEvent

IMAGE = "ab" * 32


def test_a_key_may_burst_for_two_seconds_and_then_keeps_the_rate() -> None:
    now = 100.0
    rate = RateLimit(10, clock=lambda: now)
    assert [rate.wait_s("a") for _ in range(20)] == [0.0] * 20
    assert rate.wait_s("a") == pytest.approx(0.1)
    assert rate.wait_s("b") == 0.0
    now += 0.5
    assert [rate.wait_s("a") > 0 for _ in range(7)] == [False] * 5 + [True] * 2
    assert RateLimit(0).wait_s("a") == 0.0


def parts(url: str) -> tuple[str, str, int, str]:
    path, _, query = url.partition("?")
    values = dict(pair.split("=") for pair in query.split("&"))
    workspace, image_id = path.split("/")[-2:]
    return workspace, image_id, int(values["expires"]), values["signature"]


def test_a_link_is_good_for_its_image_its_workspace_and_its_time() -> None:
    links = ImageLinks(Settings(public_url="https://vision.example/"), b"secret")
    url = links.link(Request({"type": "http"}), "w", IMAGE)
    assert url.startswith(f"https://vision.example/vision-events/images/w/{IMAGE}?")
    workspace, image_id, expires, signature = parts(url)
    links.check(workspace, image_id, expires, signature)
    for changed in (
        ("x", image_id, expires, signature),
        (workspace, "cd" * 32, expires, signature),
        (workspace, image_id, expires + 1, signature),
        (workspace, image_id, expires, "0" * 64),
    ):
        with pytest.raises(ApiError, match="not valid"):
            links.check(*changed)
    with pytest.raises(ApiError, match="not valid"):
        ImageLinks(Settings(), b"other").check(workspace, image_id, expires, signature)


def test_an_old_link_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    links = ImageLinks(Settings(public_url="http://x", image_link_hours=1), b"secret")
    link = parts(links.link(Request({"type": "http"}), "w", IMAGE))
    monkeypatch.setattr("pipeline.gateway.links.time.time", lambda: link[2] + 1)
    with pytest.raises(ApiError, match="expired"):
        links.check(*link)


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ("custom_metadata.line_id", "customMetadata.line_id"),
        ("event_data.item_count", "eventData.itemCount"),
        ("use_case_id", "useCaseId"),
        ("source.device_id", "deviceId"),
        ("images.0.image_id", "images.0.sourceId"),
        ("images.1.image_id", "images.0.inputSourceId"),
        ("images.2.image_id", "images.1.inputSourceId"),
        ("images", "images"),
    ],
)
def test_fields_are_named_as_the_client_wrote_them(stored: str, sent: str) -> None:
    event = TypeAdapter[ApiEvent](ApiEvent).validate_python(
        {
            "eventId": "e",
            "eventType": "custom",
            "useCaseId": "u",
            "timestamp": datetime.now(UTC),
            "images": [{"sourceId": "a", "inputSourceId": "b"}, {"inputSourceId": "c"}],
        }
    )
    assert api_path(stored, event) == sent


def test_every_call_documents_its_errors_and_every_reference_resolves() -> None:
    document: dict[str, Any] = make_app(Settings()).openapi()
    text = json.dumps(document)
    assert "$defs" not in text
    for part in text.split('"$ref": "#/components/schemas/')[1:]:
        assert part.split('"')[0] in document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert "422" not in operation["responses"], path
            if "security" in operation:
                assert {"400", "401", "403", "429", "503"} <= set(operation["responses"]), path


async def test_without_its_services_the_gateway_lives_and_asks_to_wait() -> None:
    transport = httpx.ASGITransport(make_app(Settings()))  # without its lifespan: never connected
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        assert (await client.get("/livez")).json() == {"alive": True}
        answer = await client.post("/vision-events/", headers={"Authorization": "Bearer any"}, content=b"{}")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"].isdigit()
    assert set(answer.json()) == {"error"}
