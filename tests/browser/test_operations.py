"""Alerts, devices and the pipeline in the dashboard: what they show, silences, and who may see what."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from pipeline.edges.alerts import Delivery, insert_alerts, insert_deliveries
from pipeline.edges.keys import SCOPES, create_key
from pipeline.edges.registry import apply_entries
from pipeline.gateway.sessions import CSRF_HEADER
from schemas.alert import Alert, AlertEvent
from schemas.device import Device
from tests.browser import scene
from tests.browser.conftest import Watched, outside
from tests.end_to_end.http import Gateway
from tests.end_to_end.system import System

HOSTILE = "<img src=x onerror=alert(1)>"


def alert(line: str, **changes: Any) -> Alert:
    now = datetime.now(UTC).replace(microsecond=0)
    return Alert.model_validate(
        {
            "alert_id": f"alert-{line}",
            "fingerprint": line,
            "status": "firing",
            "workspace_id": "default",
            "use_case_id": scene.PARTS.id,
            "rule": "scratch_burst",
            "severity": "high",
            "group": {"line_id": line},
            "labels": {"alertname": "scratch_burst", "severity": "high", "line_id": line},
            "annotations": {"summary": f"Line {line}: {HOSTILE}"},
            "starts_at": now - timedelta(minutes=5),
            "fired_at": now - timedelta(minutes=4),
            "value": 7,
            "detected_at": now,
        }
        | changes
    )


@pytest.fixture
def line(system: System, api: httpx.Client) -> Iterator[str]:
    """The line of an alert that fires during a test."""
    name = f"L{uuid.uuid4().hex[:6]}"
    (event,) = api.post("/query", json={"useCaseId": scene.PARTS.id, "eventType": "quality_check", "limit": 1}).json()[
        "events"
    ]
    firing = alert(name, event_id=event["eventId"])
    insert_alerts(system.sql, [firing])
    yield name
    insert_alerts(system.sql, [firing.model_copy(update={"status": "resolved", "ends_at": datetime.now(UTC)})])


def test_an_alert_leads_to_its_event_and_is_silenced(page: Page, gateway: Gateway, system: System, line: str) -> None:
    page.goto(f"{gateway.url}/dashboard/alerts")
    card = page.get_by_role("article").filter(has_text=line)
    expect(card).to_contain_text(f"Line {line}: {HOSTILE}")
    expect(card).to_contain_text("for 4 min")
    card.get_by_role("button", name="Silence").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label(f"line_id {line}")).to_be_checked()
    expect(dialog.get_by_label("severity high")).not_to_be_checked()
    dialog.get_by_label("Why").fill("tool change")
    dialog.get_by_role("button", name="Silence").click()
    page.get_by_role("button", name="Silences").click()
    row = page.get_by_role("row").filter(has_text=line)
    expect(row).to_contain_text("tool change")
    row.get_by_role("button", name="End").click()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Firing").click()
    card.get_by_role("link", name="Events of the group").click()
    expect(page.locator(".chip")).to_contain_text(f"line_id is {line}")
    page.go_back()
    card.get_by_role("link", name="The event behind").last.click()
    expect(page.get_by_role("heading", name="Kafka")).to_be_visible()


def test_the_history_says_how_long_and_who_was_told(page: Page, gateway: Gateway, system: System, line: str) -> None:
    over = alert(line, status="resolved", ends_at=datetime.now(UTC) - timedelta(minutes=1))
    event = AlertEvent(
        id=f"alert-{line}-firing",
        source="s",
        type="visionevents.alert.firing",
        subject="s",
        time=over.fired_at,
        data=over,
    )
    insert_alerts(system.sql, [over])
    insert_deliveries(system.sql, [Delivery(event, "pager", "dead", 9, "HTTP 503", datetime.now(UTC))])
    page.goto(f"{gateway.url}/dashboard/alerts?show=history")
    row = page.get_by_role("row").filter(has_text=line)
    expect(row).to_contain_text("3 min")
    expect(row.get_by_text("pager not reached")).to_have_attribute("title", "pager: HTTP 503")


def test_devices_are_seen_with_their_rate_and_quiet_ones_first(page: Page, gateway: Gateway, system: System) -> None:
    name = f"cam-new-{uuid.uuid4().hex[:6]}"
    apply_entries(system.sql, [Device(id=name, name=HOSTILE, factory_id="koeln")])
    page.goto(f"{gateway.url}/dashboard/devices?text=cam-")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="cam-1", exact=True))
    expect(row).to_contain_text("not registered")
    expect(row).to_contain_text("as usual")
    fresh = page.get_by_role("row").filter(has_text=name)
    expect(fresh).to_contain_text("never heard of")
    expect(fresh).to_contain_text(HOSTILE)
    page.get_by_label("Find").fill(name)
    expect(page.get_by_role("row")).to_have_count(2)
    assert name in page.url
    page.get_by_label("Find").fill("cam-1")
    row.get_by_role("link", name="cam-1").click()
    expect(page.locator(".chip")).to_contain_text("device cam-1")


def test_the_pipeline_accounts_for_every_record(page: Page, gateway: Gateway, system: System) -> None:
    outside(system.drained)
    page.goto(f"{gateway.url}/dashboard/pipeline")
    expect(page.locator(".state-note")).to_contain_text("everything produced is stored or rejected")
    balance = page.get_by_label("Produced is stored and rejected")
    produced, stored, rejected, waiting = (
        int(balance.locator("div").filter(has_text=name).locator("dd").first.inner_text().replace(",", ""))
        for name in ("produced", "stored", "rejected", "under way")
    )
    assert produced == stored + rejected > 0
    assert waiting == 0
    expect(page.get_by_label("Services")).to_contain_text("answers")
    shown = page.locator(".page-header .badge")
    before = shown.inner_text()
    expect(shown).not_to_have_text(before)  # it goes on by itself
    outside(lambda: system.publish([b"not json"]))
    expect(balance.locator("div").filter(has_text="rejected").locator("dd").first).to_have_text(f"{rejected + 1:,}")


def test_other_workspaces_see_nothing_of_it(anyone: Watched, gateway: Gateway, system: System, line: str) -> None:
    _, key = create_key(system.sql, "elsewhere", "test", SCOPES)
    with httpx.Client(base_url=f"{gateway.url}/dashboard/api", headers={CSRF_HEADER: "1"}, timeout=30) as client:
        client.post("/session", json={"key": key})
        assert client.get("/system").status_code == 403
        assert client.get("/devices").json()["devices"] == []
        assert line not in client.get("/alert-deliveries").text
        question = {"chart": "classes", "filters": {"useCaseId": scene.PARTS.id}}
        assert client.post("/analysis", json=question).status_code == 404
    page = anyone.page
    page.goto(f"{gateway.url}/dashboard/pipeline")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("For those who run the system")).to_be_visible()
    expect(page.get_by_role("link", name="Pipeline")).to_have_count(0)
    page.get_by_role("link", name="Alerts").click()
    expect(page.get_by_text(re.compile("Nothing fires"))).to_have_count(2)
