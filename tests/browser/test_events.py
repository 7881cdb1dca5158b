"""The page of events: found, filtered, live, selected, exported, deleted."""

import csv
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from playwright.sync_api import Page, expect

from tests.browser import scene
from tests.browser.conftest import counted
from tests.end_to_end.http import Gateway
from tests.end_to_end.system import until


def show(page: Page, gateway: Gateway, **params: Any) -> None:
    query = urlencode({"useCase": scene.PARTS.id} | params, doseq=True)
    page.goto(f"{gateway.url}/dashboard/events?{query}")
    expect(page.get_by_role("heading", name=scene.PARTS.name)).to_be_visible()


def test_all_events_are_reached_by_scrolling(page: Page, gateway: Gateway, parts: int) -> None:
    show(page, gateway)
    cards = page.locator(".event-card")
    expect(cards).to_have_count(FIRST)

    def ended() -> bool:
        page.keyboard.press("End")
        return page.get_by_text("That is all.").is_visible()

    until(ended, bool)
    assert cards.count() >= parts
    times = page.locator(".event-card time").evaluate_all("all => all.map((time) => time.dateTime)")
    assert times == sorted(times, reverse=True)


FIRST = 24
"""Events of the first page."""

LINE: dict[str, Any] = {"field": "line_id", "value": "L1"}
WARM: dict[str, Any] = {"field": "temperature", "operator": "gte", "value": 40}
DARK: dict[str, Any] = {"field": "exposure", "operator": "lt", "value": 3}
FAILED: dict[str, Any] = {"column": "result", "value": "fail"}


FILTERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "device": ({"device": "cam-1"}, {"deviceId": "cam-1"}),
    "another device": ({"device": "!cam-1"}, {"deviceId": {"operator": "neq", "value": "cam-1"}}),
    "class and confidence": (
        {"class": "scratch", "conf": "0.8"},
        {"detectionClass": {"value": "scratch", "minConfidence": 0.8}},
    ),
    "result": (
        {"data": '["result","eq","fail"]', "device": "cam-0"},
        {"deviceId": "cam-0", "eventFieldFilters": [FAILED]},
    ),
    "two keys": (
        {"meta": ['["line_id","eq","L1"]', '["temperature","gte",40]']},
        {"customMetadataFilters": [LINE, WARM]},
    ),
    "truth value": (
        {"meta": '["rework","eq",true]'},
        {"customMetadataFilters": [{"field": "rework", "value": True}]},
    ),
    "image": ({"image": '["exposure","lt",3]'}, {"imageMetadataFilters": [DARK]}),
    "none": ({"class": "nothing like this"}, {"detectionClass": "nothing like this"}),
}


def test_filters_of_the_address_are_those_of_the_api(page: Page, gateway: Gateway, api: httpx.Client) -> None:
    show(page, gateway)
    for name, (params, filters) in FILTERS.items():
        expected = counted(api, eventTypes=["quality_check", "inventory_count", "safety_alert", "custom"], **filters)
        # As a click would: the page is there already.
        query = "?" + urlencode({"useCase": scene.PARTS.id} | params, doseq=True)
        page.evaluate("query => { history.pushState(null, '', query); dispatchEvent(new Event('popstate')); }", query)
        expect(page.locator(".counts"), name).to_have_text(re.compile(rf"^\s*{expected} events? of the last"))
        expect(page.locator(".event-card"), name).to_have_count(min(expected, FIRST))
    page.get_by_role("button", name="Remove the filters").click()
    expect(page.locator(".event-card")).to_have_count(FIRST)


def test_times_of_day_are_those_of_the_chosen_zone(page: Page, gateway: Gateway, api: httpx.Client) -> None:
    berlin = {"start": "00:00", "end": "12:00", "timeZone": "Europe/Berlin"}
    expected = counted(api, timeOfDay=berlin, startTime=(datetime.now(UTC) - timedelta(hours=8)).isoformat())
    show(page, gateway, last="8h", tod="00:00-12:00")
    expect(page.get_by_text(f"{expected} event", exact=False).first).to_be_visible()


def test_a_filter_is_added_changed_and_removed_in_place(page: Page, gateway: Gateway) -> None:
    show(page, gateway)
    page.get_by_label("Add a filter").click()
    page.get_by_role("button", name="Metadata", exact=True).click()
    page.get_by_label("Field").select_option("line_id")
    page.get_by_role("button", name="L1").click()
    chip = page.get_by_label("Change: line_id is L1")
    expect(chip).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["meta"] == ['["line_id","eq","L1"]']
    chip.click()
    page.get_by_label("Comparison").select_option("neq")
    page.get_by_role("button", name="L0").click()
    expect(page.get_by_label("Change: line_id is not L0")).to_be_visible()
    page.get_by_label("Remove: line_id is not L0").click()
    expect(page.locator(".chip")).to_have_count(0)
    page.go_back()
    expect(page.get_by_label("Change: line_id is not L0")).to_be_visible()


def test_any_value_leads_to_the_events_that_have_it(page: Page, gateway: Gateway) -> None:
    show(page, gateway)
    page.locator(".event-card").filter(has_text="cam-1").first.get_by_role("link", name="L1").click()
    expect(page.locator(".chip")).to_have_count(1)
    page.locator(".event-card").get_by_role("link", name="cam-1").first.click()
    expect(page.locator(".chip")).to_have_count(2)


def test_new_events_show_while_live_and_not_while_paused(page: Page, gateway: Gateway, api: httpx.Client) -> None:
    device = f"live-{uuid.uuid4().hex[:6]}"
    source = scene.upload(api)

    def add() -> None:
        fresh = scene.part(0, source, datetime.now(UTC), eventId=str(uuid.uuid4()), deviceId=device)
        scene.send(api, [fresh])

    show(page, gateway, device=device, live="1")
    expect(page.get_by_role("button", name="Live", exact=True)).to_have_attribute("aria-pressed", "true")
    add()
    expect(page.locator(".event-card")).to_have_count(1)
    page.get_by_role("button", name="Live", exact=True).click()
    add()
    until(lambda: counted(api, deviceId=device), lambda number: number == 2)
    expect(page.locator(".event-card")).to_have_count(1)
    page.get_by_role("button", name="Live", exact=True).click()
    expect(page.locator(".event-card")).to_have_count(2)


def test_selected_events_are_exported_and_deleted(
    page: Page, gateway: Gateway, api: httpx.Client, tmp_path: Path
) -> None:
    device, source = f"gone-{uuid.uuid4().hex[:6]}", scene.upload(api)
    now, own = datetime.now(UTC), {"deviceId": device, "customMetadata": {"note": "=1+1"}}
    scene.send(api, [scene.part(n, source, now, eventId=str(uuid.uuid4()), **own) for n in range(4)])
    until(lambda: counted(api, deviceId=device), lambda number: number == 4)
    show(page, gateway, device=device)
    expect(page.locator(".event-card")).to_have_count(4)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.locator(".pick").nth(2).click(modifiers=["Shift"])
    expect(page.get_by_text("3 events selected")).to_be_visible()
    with page.expect_download() as lines:
        page.get_by_role("button", name="JSON lines").click()
    saved = Path(lines.value.path()).read_text().splitlines()
    assert [json.loads(line)["deviceId"] for line in saved] == [device] * 3
    with page.expect_download() as table:
        page.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(Path(table.value.path()).read_text().splitlines()))
    assert [row["note"] for row in rows] == ["'=1+1"] * 3
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Deleted 3 events")).to_be_visible()
    expect(page.locator(".event-card")).to_have_count(1)
    assert counted(api, deviceId=device) == 1


def test_a_view_is_saved_for_everybody(page: Page, gateway: Gateway) -> None:
    name = f"Night {uuid.uuid4().hex[:6]}"
    show(page, gateway, device="cam-2", view="table")
    address = page.url
    page.get_by_label("Saved views").click()
    page.get_by_role("button", name="Save what is shown").click()
    page.get_by_role("dialog").get_by_label("Name").fill(name)
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    show(page, gateway)
    page.get_by_label("Saved views").click()
    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("region", name="Events").locator("tbody tr").first).to_be_visible()
    assert parse_qs(urlsplit(page.url).query) == parse_qs(urlsplit(address).query)
    page.get_by_label("Saved views").click()
    page.get_by_label(f"Delete the view {name}").click()
    expect(page.get_by_role("link", name=name)).to_have_count(0)
