"""Images over HTTP: uploaded, referred to by events, and opened by links that stand in for a key."""

import io
import uuid
from typing import Any

import httpx
import orjson
import pytest
from PIL import Image

from schemas.use_case import ImagePolicy, UseCase
from tests.end_to_end.http import Gateway, event
from tests.end_to_end.system import System


def picture(kind: str = "PNG", size: tuple[int, int] = (20, 10)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, tuple(uuid.uuid4().bytes[:3])).save(buffer, kind)  # type: ignore[arg-type]
    return buffer.getvalue()


def upload(client: httpx.Client, content: bytes, **data: str) -> httpx.Response:
    return client.post("/upload", files={"file": ("a.bin", content, "text/html")}, data=data)


def test_an_uploaded_image_is_part_of_its_event(system: System, gateway: Gateway) -> None:
    name = f"images-{uuid.uuid4().hex[:8]}"
    system.apply(UseCase(id=name, name=name))
    client = gateway.client()
    shown = upload(client, picture(), name="top", metadata='{"exposure": 7, "lens": "50 mm"}')
    assert shown.status_code == 201
    images = [{"sourceId": shown.json()["sourceId"], "inputSourceId": "0" * 64, "metadata": {"lens": "35 mm"}}]
    sent = event(name, images=images)
    answer = client.post("/", json=sent)
    assert [(w["code"], w["field"]) for w in answer.json()["warnings"]] == [("image_missing", "images.0.inputSourceId")]
    with system.worker():
        system.drained()
    row = system.sql.query(
        "SELECT images[1].source_id, images[1].width, images[1].metadata, warnings.code FROM vision_events "
        "WHERE event_id = {id:String}",
        parameters={"id": sent["eventId"]},
    ).result_rows[0]
    assert row[:2] == (shown.json()["sourceId"], 20)
    assert orjson.loads(row[2]) == {"exposure": 7, "lens": "35 mm"}
    assert row[3] == ["image_missing"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_link_opens_in_a_browser(gateway: Gateway, kind: str) -> None:
    content = picture(kind)
    url = upload(gateway.client(), content).json()["url"]
    assert url.startswith(gateway.url)
    answer = httpx.get(url)
    assert answer.content == content
    assert answer.headers["content-type"] == f"image/{kind.lower()}"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in answer.headers["cache-control"]
    again = httpx.get(url, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_parts_of_an_image(gateway: Gateway) -> None:
    content = picture()
    url = upload(gateway.client(), content).json()["url"]
    part = httpx.get(url, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(content)}"
    assert httpx.get(url, headers={"Range": "bytes=-5"}).content == content[-5:]
    assert httpx.get(url, headers={"Range": "bytes=10-19", "If-Range": '"other"'}).content == content
    beyond = httpx.get(url, headers={"Range": f"bytes={len(content)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(content)}")


def test_a_link_opens_no_other_workspace(gateway: Gateway) -> None:
    ours, theirs = gateway.client(), gateway.client(workspace="elsewhere")
    mine, own = upload(ours, picture()).json(), upload(theirs, picture()).json()
    for changed in (
        mine["url"].replace("/default/", "/elsewhere/"),
        mine["url"].replace(mine["sourceId"], own["sourceId"]),
        mine["url"][:-1],
        mine["url"].partition("&")[0],
    ):
        answer = httpx.get(changed)
        assert answer.status_code in (400, 403)
        assert set(answer.json()) == {"error"}


@pytest.mark.parametrize(
    ("content", "data", "status", "field"),
    [
        (b"<html><script>", {}, 400, "file"),
        (b"", {}, 400, "file"),
        (b"\x89PNG" + bytes(9 * 2**20), {}, 413, ""),
        (None, {"metadata": '{"a": {"b": 1}}'}, 400, "metadata.a"),
        (None, {"metadata": "nonsense"}, 400, "metadata"),
        (None, {"metadata": '{"a": "' + "x" * 1000 + '", "b": "' + "y" * 900 + '"}'}, 400, "metadata"),
        (None, {"name": "n" * 300}, 400, "name"),
    ],
)
def test_what_is_no_upload_is_refused(
    gateway: Gateway, content: bytes | None, data: dict[str, Any], status: int, field: str
) -> None:
    answer = upload(gateway.client(), picture() if content is None else content, **data)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"].startswith(field)


def test_a_form_is_asked_for(gateway: Gateway) -> None:
    client = gateway.client()
    assert "multipart" in client.post("/upload", json={}).json()["error"]
    assert client.post("/upload", data={"name": "x"}, files={"other": b"x"}).status_code == 400
    broken = client.post("/upload", content=b"nothing", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert broken.status_code == 400


def test_the_policy_of_the_use_case_holds_for_references(system: System, gateway: Gateway) -> None:
    name = f"images-{uuid.uuid4().hex[:8]}"
    system.apply(UseCase(id=name, name=name, images=ImagePolicy(required=True)))
    answer = gateway.client().post("/", json=event(name))
    assert (answer.status_code, answer.json()["error"]) == (400, "images: the use case requires an image")
