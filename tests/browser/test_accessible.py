"""Nothing on a page keeps anybody out: axe finds nothing serious, in light and dark, wide and narrow."""

from collections.abc import Iterator

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser import scene
from tests.end_to_end.http import Gateway

PAGES = {
    "use-cases": ".use-case .figures",
    "use-case/defect-detection": ".editor-text",
    f"events?useCase={scene.PARTS.id}&class=scratch&conf=0.9": ".event-card",  # a few are as good as sixty
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
FORMS = {
    "light": (1280, {"resultTypes": ["violations"]}),
    "dark": (1280, {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}),
    "narrow": (390, {"resultTypes": ["violations"], "runOnly": ["target-size", "scrollable-region-focusable"]}),
}


def serious(page: Page) -> Iterator[str]:
    """What is wrong with the page that is shown, in each form."""
    for form, (width, options) in FORMS.items():
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme="dark" if form == "dark" else "light", reduced_motion="reduce")
        for each in Axe().run(page, options=options).response["violations"]:
            if each["impact"] in ("serious", "critical"):
                yield f"{form}: {each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}"
        if not page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
            yield f"{form}: wider than the window"


def test_no_serious_finding(page: Page, gateway: Gateway) -> None:
    wrong = {}
    for address, ready in PAGES.items():
        page.goto(f"{gateway.url}/dashboard/{address}")
        page.locator(ready).first.wait_for()
        wrong[address] = list(serious(page))
    page.goto(f"{gateway.url}/dashboard/events?useCase={scene.PARTS.id}&class=scratch")
    page.locator(".picture").first.click()
    page.get_by_role("heading", name="Kafka").wait_for()
    wrong["event"] = list(serious(page))
    assert not {address: found for address, found in wrong.items() if found}
