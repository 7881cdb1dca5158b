"""Nothing on a page keeps anybody out: axe finds nothing serious, in light and dark, wide and narrow."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser import scene
from tests.end_to_end.http import Gateway

PAGES = {
    "use-cases": ".use-case .figures",
    "use-case/defect-detection": ".editor-text",
    f"events?useCase={scene.PARTS.id}": ".event-card",
    f"events?useCase={scene.PARTS.id}&view=table&device=cam-1&class=scratch&conf=0.5": "table.events",
    f"events?useCase={scene.PARTS.id}&class=none+like+this": ".empty",
    f"analysis?useCase={scene.PARTS.id}": ".heat td",
    "rejects": ".reject-list tbody tr, .empty",
    "alerts": ".alert-card, .empty",
    "alerts?show=history": ".alert-history td, .empty",
    "devices": ".device-table td",
    "pipeline": ".balance dd",
    "no-such-page": ".empty",
}


# Light and dark differ in colours only, and so do narrow pages in their width: not all is looked for three times.
RULES = {
    "light": None,
    "dark": {"runOnly": ["color-contrast"]},
    "narrow": {"runOnly": ["target-size", "scrollable-region-focusable"]},
}


def serious(page: Page, form: str) -> list[str]:
    found = Axe().run(page, options=RULES[form]).response["violations"]
    return [
        f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("form", ["light", "dark", "narrow"])
def test_no_serious_finding(page: Page, gateway: Gateway, form: str) -> None:
    page.set_viewport_size({"width": 390 if form == "narrow" else 1280, "height": 844})
    page.emulate_media(color_scheme="dark" if form == "dark" else "light", reduced_motion="reduce")
    wrong = {}
    for address, ready in PAGES.items():
        page.goto(f"{gateway.url}/dashboard/{address}")
        page.locator(ready).first.wait_for()
        wrong[address] = serious(page, form)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{address} is too wide"
    page.goto(f"{gateway.url}/dashboard/events?useCase={scene.PARTS.id}&class=scratch")
    page.locator(".picture").first.click()
    page.get_by_role("heading", name="Kafka").wait_for()
    wrong["event"] = serious(page, form)
    assert not {address: found for address, found in wrong.items() if found}
