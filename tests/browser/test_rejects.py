"""Rejects in the dashboard: read, replayed and discarded, each workspace its own."""

import uuid
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
from playwright.sync_api import Page, expect

from pipeline.edges.clickhouse import insert_rejects
from pipeline.edges.keys import SCOPES, create_key
from pipeline.gateway.sessions import CSRF_HEADER
from schemas.reject import Reject, RejectReason
from schemas.use_case import UseCase
from tests.browser.conftest import outside
from tests.end_to_end.http import Gateway
from tests.end_to_end.system import System

HOSTILE = "<img src=x onerror=alert(1)>"


def test_a_reject_is_read_replayed_and_discarded(page: Page, gateway: Gateway, system: System) -> None:
    late, device = f"late-{uuid.uuid4().hex[:8]}", f"cam-{uuid.uuid4().hex[:8]}"
    good = {"use_case_id": late, "source": {"device_id": device}, "custom_metadata": {"note": HOSTILE}}
    bad = good | {"timestamp": "2026-11-23T10:00:00"}
    outside(lambda: system.publish([orjson.dumps(good)] * 3 + [orjson.dumps(bad)]))
    outside(system.drained)
    page.goto(f"{gateway.url}/dashboard/rejects?device={device}")
    page.get_by_role("link", name="Unknown use case").first.click()
    expect(page.get_by_role("row").filter(has_text=late)).to_have_count(3)
    page.get_by_role("row").filter(has_text=late).get_by_role("link", name="Unknown use case").first.click()
    record = page.get_by_label("Record", exact=True)
    expect(record.get_by_role("listitem").filter(has_text=f'"use_case_id": "{late}"')).to_have_class("bad")
    expect(record).to_contain_text(HOSTILE)
    record.get_by_label("Close").click()

    system.apply(UseCase(id=late, name=late))
    page.get_by_role("button", name="Replay 3").click()
    page.get_by_role("dialog").get_by_role("button", name="Replay").click()
    expect(page.locator(".outcome")).to_contain_text("3 stored")
    expect(page.get_by_role("link", name="Unknown use case")).to_have_count(0)
    page.goto(f"{gateway.url}/dashboard/rejects?device={device}")
    page.get_by_label("Choose all that are listed").check()
    page.get_by_role("button", name="Discard 1").or_(page.get_by_role("button", name="Discard it")).click()
    page.get_by_label("Why are they not wanted?").fill("old clock")
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Nothing waits here")).to_be_visible()
    page.get_by_role("button", name="discarded", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="old clock")).to_contain_text("Invalid time")
    assert system.value("SELECT count() FROM vision_events WHERE use_case_id = {u:String}", u=late) == 3


def test_rejects_that_come_while_somebody_looks_are_shown(page: Page, gateway: Gateway, system: System) -> None:
    device = f"cam-{uuid.uuid4().hex[:8]}"
    page.clock.install()
    page.goto(f"{gateway.url}/dashboard/rejects?device={device}")
    expect(page.get_by_text("Nothing waits here")).to_be_visible()
    late = {"use_case_id": f"late-{device}", "source": {"device_id": device}}
    outside(lambda: system.publish([orjson.dumps(late)]))
    outside(system.drained)
    page.clock.fast_forward(10_000)
    expect(page.get_by_role("link", name="Unknown use case use_case_id")).to_be_visible()


def reject(offset: int, use_case: str, **changes: Any) -> Reject:
    return Reject(
        topic="elsewhere",  # of the raw topic every record is counted
        partition=0,
        offset=offset,
        timestamp=datetime.now(UTC),
        reason=RejectReason.UNKNOWN_USE_CASE,
        message="no use case",
        field="use_case_id",
        use_case_id=use_case,
        value=b'{"a": [1, 2]}',
        **changes,
    )


def test_a_workspace_sees_the_rejects_of_its_own_use_cases(gateway: Gateway, system: System) -> None:
    mark = uuid.uuid4().hex[:8]
    theirs, nobodys = f"theirs-{mark}", f"nobody-{mark}"
    system.apply(UseCase(id=theirs, name=theirs, workspace_id="theirs"))
    for number, (workspace, seen) in enumerate({"default": {nobodys}, "theirs": {theirs}, "others": set()}.items()):
        device, offset = f"{mark}-{number}", int(mark[:7], 16) + 10 * number
        found = [reject(offset, theirs, device_id=device), reject(offset + 1, nobodys, device_id=device)]
        insert_rejects(system.sql, found)
        _, key = create_key(system.sql, workspace, "test", SCOPES)
        with httpx.Client(base_url=f"{gateway.url}/dashboard/api", headers={CSRF_HEADER: "1"}, timeout=30) as client:
            client.post("/session", json={"key": key})
            listed = client.get("/rejects", params={"device": device}).json()
            assert {item["useCaseId"] for item in listed["rejects"]} == seen, workspace
            assert sum(item["rejects"] for item in listed["counts"]) == len(seen)
            for place, use_case in ((offset, theirs), (offset + 1, nobodys)):
                name = f"elsewhere/0/{place}"
                status = client.get("/rejects/record", params={"id": name}).status_code
                assert status == (200 if use_case in seen else 404)
                gone = client.post("/rejects/discard", json={"ids": [name], "note": "x"}).json()["discarded"]
                assert gone == int(use_case in seen)
            assert client.post("/rejects/discard", json={"note": "all of them"}).status_code == 400
            assert client.get("/rejects/record", params={"id": "no-place"}).status_code == 400
            nothing = client.post("/rejects/replay", json={"ids": [f"elsewhere/0/{offset + 5}"]}).json()
            assert nothing["replayed"] == 0
