"""Logging in, what a key's scopes offer, and what other sites cannot do."""

import json
import re
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from pipeline.edges.keys import SCOPES, create_key, revoke_key
from pipeline.gateway.sessions import CSRF_HEADER
from tests.browser import scene
from tests.browser.conftest import Watched, link
from tests.end_to_end.http import Gateway
from tests.end_to_end.system import System


def test_a_key_logs_in_and_its_address_is_kept(anyone: Watched, gateway: Gateway, system: System) -> None:
    _, key = create_key(system.sql, "default", "shift leader", SCOPES)
    page = anyone.page
    page.goto(f"{gateway.url}/dashboard/use-cases?archived=true")
    page.get_by_label("API key").fill("ve_not-a-key-that-anybody-has")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("not known")
    anyone.wrong.clear()  # the browser itself notes the 401 of the wrong key
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Use cases")).to_be_visible()
    assert page.url.endswith("?archived=true")
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert cookie["name"].endswith(f"_{urlsplit(gateway.url).port}")  # other systems of this host have their own
    assert key not in cookie["value"]
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    assert not page.context.cookies()


def test_a_log_in_link_works_once(anyone: Watched, gateway: Gateway, system: System) -> None:
    once = link(gateway, system)
    anyone.page.goto(once)
    expect(anyone.page.get_by_role("heading", name="Use cases")).to_be_visible()
    assert "login" not in anyone.page.url
    anyone.page.context.clear_cookies()
    anyone.page.goto("about:blank")
    anyone.page.goto(once)
    expect(anyone.page.get_by_role("alert")).to_contain_text("used before")
    anyone.wrong.clear()  # the 401 of the second use


def test_what_a_key_may_not_do_is_not_offered(anyone: Watched, gateway: Gateway, system: System) -> None:
    _, key = create_key(system.sql, "default", "screen in the hall", ("vision-events:read",))
    anyone.page.goto(f"{gateway.url}/dashboard/")
    anyone.page.get_by_label("API key").fill(key)
    anyone.page.get_by_role("button", name="Log in").click()
    expect(anyone.page.get_by_text("may only read")).to_be_visible()
    expect(anyone.page.get_by_role("link", name="Defect Detection")).to_be_visible()
    expect(anyone.page.get_by_role("button", name="New use case")).to_have_count(0)


def test_a_revoked_key_ends_its_sessions(gateway: Gateway, system: System) -> None:
    entry, key = create_key(system.sql, "default", "lost", SCOPES)
    with httpx.Client(base_url=gateway.url, headers={CSRF_HEADER: "1"}, timeout=30) as client:
        assert client.post("/dashboard/api/session", json={"key": key}).status_code == 201
        assert client.get("/dashboard/api/use-cases").status_code == 200
        revoke_key(system.sql, entry.id)
        # The gateway looks at the keys anew when it is asked for one that it does not know.
        assert client.post("/dashboard/api/session", json={"key": "ve_unknown-unknown-unknown"}).status_code == 401
        assert client.get("/dashboard/api/use-cases").status_code == 401
        assert client.get("/dashboard/api/session").json() is None


@pytest.mark.parametrize(
    "headers",
    [{}, {CSRF_HEADER: "1", "Origin": "https://elsewhere.example"}, {CSRF_HEADER: "1", "Origin": "null"}],
    ids=["a form", "another site", "a sandboxed frame"],
)
def test_another_site_cannot_use_a_session(gateway: Gateway, system: System, headers: dict[str, str]) -> None:
    _, key = create_key(system.sql, "default", "victim", SCOPES)
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        client.post("/dashboard/api/session", json={"key": key}, headers={CSRF_HEADER: "1"})
        answer = client.post("/vision-events/use-cases", json={"name": "forged"}, headers=headers)
        assert answer.status_code == 403
        logged_out = client.delete("/dashboard/api/session", headers=headers)
        assert logged_out.status_code == 403


def test_calls_of_the_page_see_only_the_workspace_of_the_key(
    gateway: Gateway, system: System, parts: int, api: httpx.Client
) -> None:
    one = api.post("/query", json={"useCaseId": scene.PARTS.id, "limit": 1}).json()["events"][0]
    filters = {"useCaseId": scene.PARTS.id}
    calls: list[tuple[str, str, object]] = [
        ("GET", f"events/{scene.PARTS.id}/{one['eventId']}", None),
        ("POST", "events/neighbours", {"eventId": one["eventId"], "timestamp": one["timestamp"], "filters": filters}),
        ("POST", "feedback", {"useCaseId": scene.PARTS.id, "eventIds": [one["eventId"]]}),
        ("GET", f"suggestions/{scene.PARTS.id}?field=custom:line_id", None),
        ("GET", f"use-cases/{scene.PARTS.id}/document", None),
        ("PUT", f"use-cases/{scene.PARTS.id}/document", {"text": "id: x"}),
        ("GET", f"live?{urlencode({'filters': json.dumps(filters)})}", None),
    ]
    with gateway.client("elsewhere") as other:
        for method, path, body in calls:
            address = f"{gateway.url}/dashboard/api/{path}"
            assert other.request(method, address, json=body).status_code == 404, path
            assert httpx.request(method, address, json=body).status_code == 401, path
        assert one["eventId"] not in other.get(f"{gateway.url}/dashboard/api/use-cases/activity").text
        saved = {"name": "mine", "query": "useCase=x"}
        assert other.post(f"{gateway.url}/dashboard/api/views", json=saved).status_code == 201
    assert "mine" not in api.get(f"{gateway.url}/dashboard/api/views").text
    with gateway.client("default", ("vision-events:read",)) as reader:
        assert reader.post(f"{gateway.url}/dashboard/api/views", json=saved).status_code == 403
        document = f"{gateway.url}/dashboard/api/use-cases/{scene.PARTS.id}/document"
        assert reader.put(document, json={"text": ""}).status_code == 403


def test_values_to_choose_from(gateway: Gateway, parts: int, api: httpx.Client) -> None:
    def values(field: str, text: str = "") -> dict[str, int]:
        address = f"{gateway.url}/dashboard/api/suggestions/{scene.PARTS.id}"
        answer = api.get(address, params={"field": field, "text": text})
        assert answer.status_code == 200, answer.text
        return {each["value"]: each["count"] for each in answer.json()["values"]}

    assert {"L0", "L1"} <= values("custom:line_id").keys()
    assert values("custom:line_id", "l1").keys() == {"L1"}
    assert {"cam-0", "cam-1", "cam-2", "cam-3"} <= values("device", "CAM-").keys()
    assert values("class").keys() == {"scratch", "ok"}
    assert values("image:exposure").keys() == {str(number) for number in range(7)}
    assert len(values("custom:temperature")) == 20
    assert values("custom:no such key") == {}
    for field in ("event_id", "custom:a`) --", "custom:", "nothing"):
        answer = api.get(f"{gateway.url}/dashboard/api/suggestions/{scene.PARTS.id}", params={"field": field})
        assert answer.status_code == 400


def test_a_session_cannot_be_made_up(gateway: Gateway, page: Page) -> None:
    (cookie,) = page.context.cookies()
    key_id, expires, nonce, signature = cookie["value"].split(".")
    for value in (
        f"{key_id}.{int(expires) + 1}.{nonce}.{signature}",
        f"other.{expires}.{nonce}.{signature}",
        "x",
        "...",
    ):
        answer = httpx.get(f"{gateway.url}/dashboard/api/use-cases", cookies={cookie["name"]: value})
        assert answer.status_code == 401


def test_the_reference_of_the_api_is_there_without_a_network(anyone: Watched, gateway: Gateway) -> None:
    page = anyone.page
    page.goto(f"{gateway.url}/docs")
    page.locator("#operations-query-query_events_vision_events_query_post").get_by_role("button").first.click()
    expect(page.get_by_text("All filters hold together")).to_be_visible()
    for path in ("/docs/core.py", "/docs/redoc.standalone.js"):
        assert httpx.get(gateway.url + path).status_code == 404


def test_only_files_of_the_page_are_served_and_with_a_strict_policy(gateway: Gateway) -> None:
    for path in ("/dashboard/main.js", "/dashboard/", "/dashboard/events?useCase=x"):
        answer = httpx.get(gateway.url + path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
    assert httpx.get(f"{gateway.url}/dashboard/no-such.js").status_code == 404
    page = httpx.get(f"{gateway.url}/dashboard/")
    assert page.headers["cache-control"] == "no-cache"
    named = httpx.get(f"{gateway.url}/dashboard/events").text
    assert ("pages/events.js" in named, "pages/analysis.js" in named) == (True, False)
    (script,) = re.findall(r'script type="module" src="([^"]+)"', page.text)
    kept = httpx.get(gateway.url + script)
    assert (kept.status_code, "immutable" in kept.headers["cache-control"]) == (200, True)
    older = httpx.get(gateway.url + re.sub("@[0-9a-f]+", "@0123", script))
    assert (older.status_code, older.headers["cache-control"]) == (200, "no-cache")
    # What is no file of the page is a place within it, never a file of the disk.
    for path in ("/dashboard/__init__.py", "/dashboard/%2e%2e/errors.py", "/dashboard/vendor/../../settings.py"):
        assert "<div id=" in httpx.get(gateway.url + path).text or httpx.get(gateway.url + path).status_code == 404
    assert httpx.get(f"{gateway.url}/", follow_redirects=False).headers["location"] == "/dashboard/"
