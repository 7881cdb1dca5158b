"""Figures of the filtered events: what they say, brushing, links to filters, and the SQL that stands alone."""

import re

import httpx
import orjson
from playwright.sync_api import Locator, Page, expect

from pipeline.edges.clickhouse import connect
from tests.browser import scene
from tests.browser.conftest import counted
from tests.end_to_end.http import Gateway
from tests.end_to_end.system import System

FAILED = [{"column": "result", "operator": "eq", "value": "fail"}]
LINE_1 = [{"field": "line_id", "operator": "eq", "value": "L1"}]


def tile(page: Page, name: str) -> str:
    return page.locator(".tiles div").filter(has_text=name).locator("dd").inner_text()


def test_charts_are_of_the_filtered_events(page: Page, gateway: Gateway, api: httpx.Client) -> None:
    total, failed = counted(api), counted(api, eventFieldFilters=FAILED)
    page.goto(f"{gateway.url}/dashboard/analysis?useCase={scene.PARTS.id}")
    expect(page.locator(".tiles")).to_contain_text(f"{100 * failed / total:.1f} %")
    assert (tile(page, "Events"), tile(page, "Failed")) == (str(total), str(failed))
    classes = page.get_by_role("region", name="Top classes")
    expect(classes.get_by_role("listitem").filter(has_text="scratch")).to_contain_text(str(failed))
    expect(page.get_by_role("region", name="By line_id and device").get_by_role("row")).to_have_count(3)
    page.get_by_role("region", name="By line_id", exact=True).get_by_role("combobox").select_option("meta:line_id")
    page.get_by_role("region", name="By line_id", exact=True).get_by_role("link", name="L1").click()
    expect(page.locator(".chip")).to_contain_text("line_id is L1")
    expect(page.locator(".tiles")).to_contain_text(str(counted(api, customMetadataFilters=LINE_1)))
    classes.get_by_role("link", name="scratch").click()
    expect(page.get_by_role("region", name="Confidence of scratch")).to_be_visible()
    expect(page.get_by_role("region", name="By line_id", exact=True).get_by_role("listitem")).to_have_count(1)
    page.get_by_role("link", name="These events").click()
    expect(page.locator(".event-card").first).to_be_visible()
    assert "class=scratch" in page.url
    page.go_back()
    page.go_back()
    page.go_back()
    expect(page.locator(".chip")).to_have_count(0)


def test_dragging_zooms_and_compares(page: Page, gateway: Gateway, api: httpx.Client) -> None:
    total = str(counted(api))
    page.goto(f"{gateway.url}/dashboard/analysis?useCase={scene.PARTS.id}")
    over = page.locator(".plot.selects .u-over").first
    drag(page, over, 0.5, 1)
    expect(page).to_have_url(re.compile("from=.*to="))
    expect(page.get_by_role("button", name="Zoom out")).to_be_visible()
    expect(page.locator(".tiles dd").first).not_to_have_text(total)
    assert 0 < int(tile(page, "Events")) < int(total)
    page.get_by_role("button", name="Zoom out").click()
    expect(page.locator(".tiles dd").first).to_have_text(total)
    brushes = page.get_by_role("group", name="Dragging over the chart")
    brushes.get_by_role("button", name="Before").click()
    drag(page, over, 0.02, 0.3)
    expect(page).to_have_url(re.compile("a=.*b="))
    drag(page, over, 0.6, 0.98)  # after "before" comes "after"
    compared = page.get_by_role("region", name="Before and after")
    expect(compared.get_by_role("row").filter(has_text="Fail rate")).to_contain_text("%")
    expect(compared.locator(".verdict")).to_contain_text("fail rate")


def drag(page: Page, element: Locator, begin: float, end: float) -> None:
    box = element.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * begin, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (begin + end) / 2, box["y"] + 60)
    page.mouse.move(box["x"] + box["width"] * end - 1, box["y"] + 60)
    page.mouse.up()


def test_the_sql_of_every_chart_runs_as_it_stands(page: Page, gateway: Gateway, system: System) -> None:
    filters = f"useCase={scene.PARTS.id}&class=scratch&conf=0.5&feedback=none&tod=00:00-23:59"
    page.goto(f"{gateway.url}/dashboard/analysis?{filters}")
    expect(page.locator(".comparison td").first).to_be_visible()
    analyst = connect(system.settings, analyst=True)
    buttons = page.get_by_role("button", name="Show the SQL of")
    expect(buttons).to_have_count(6)
    for button in buttons.all():
        button.click()
        dialog = page.get_by_role("dialog")
        sql = dialog.get_by_label("SQL", exact=True).inner_text()
        answer = analyst.raw_query(f"{sql}\nFORMAT JSONCompactEachRow")
        dialog.get_by_text("rows that it gave").click()
        shown = dialog.get_by_role("row")
        assert shown.count() - 1 == len(answer.splitlines()) > 0
        first = [str(value) for value in orjson.loads(answer.splitlines()[0])]
        assert first[0] == shown.nth(1).get_by_role("cell").first.inner_text()
        dialog.get_by_label("Close").click()
