"""The page of one event: its overlays, what people say of it, and markup in every field."""

import io
import uuid
from datetime import UTC, datetime

import httpx
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser import scene
from tests.browser.conftest import counted
from tests.end_to_end.http import Gateway
from tests.end_to_end.system import until

Pixel = tuple[int, int, int]


def pixel(viewer: Locator, x: float, y: float) -> Pixel:
    """The colour that is shown at a place of the picture, given in its own coordinates."""
    stage = viewer.locator(".viewer-stage").bounding_box()
    frame = viewer.bounding_box()
    assert stage
    assert frame
    shown = Image.open(io.BytesIO(viewer.screenshot())).convert("RGB")
    scale = stage["width"] / scene.WIDTH
    spot = (stage["x"] - frame["x"] + x * scale, stage["y"] - frame["y"] + y * scale)
    found = shown.getpixel((round(spot[0]), round(spot[1])))
    assert isinstance(found, tuple)
    return found[:3]


def shown(page: Page) -> None:
    """Wait for the picture and the facts beside it: nothing moves any more."""
    expect(page.get_by_role("heading", name="Kafka")).to_be_visible()
    page.wait_for_function("document.querySelector('.viewer-frame img')?.complete")


def test_what_was_found_is_drawn_where_it_was_found(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/dashboard/events?useCase={scene.PARTS.id}&class=scratch")
    page.locator(".picture").first.click()
    viewer = page.locator(".viewer-frame")
    shown(page)
    left, top = scene.BOX["x"] - scene.BOX["width"] / 2, scene.BOX["y"] - scene.BOX["height"] / 2
    edge, outside = pixel(viewer, left, scene.BOX["y"] + 10), pixel(viewer, left - 12, top + 40)
    assert outside == scene.GREY
    assert max(edge) - min(edge) > 80, f"no coloured edge, but {edge}"
    inside = pixel(viewer, scene.BOX["x"] + 10, scene.BOX["y"] + 20)
    assert inside != scene.GREY
    # Less and less is drawn: the class is switched off, on again, the least confidence raised, everything off by key.
    page.get_by_role("button", name="scratch", exact=False).first.click()
    assert pixel(viewer, left, scene.BOX["y"] + 10) == scene.GREY
    page.get_by_role("button", name="scratch", exact=False).first.click()
    assert pixel(viewer, left, scene.BOX["y"] + 10) == edge
    page.get_by_role("slider").fill("1")
    assert pixel(viewer, left, scene.BOX["y"] + 10) == scene.GREY
    page.get_by_role("slider").fill("0")
    viewer.click(position={"x": 5, "y": 5})
    page.keyboard.press("o")
    expect(viewer.locator(".found")).to_have_count(0)
    assert pixel(viewer, left, scene.BOX["y"] + 10) == scene.GREY


def test_zoom_keeps_what_is_under_the_pointer(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/dashboard/events?useCase={scene.PARTS.id}&class=scratch")
    page.locator(".picture").first.click()
    viewer, stage = page.locator(".viewer-frame"), page.locator(".viewer-stage")
    shown(page)
    before, frame = stage.bounding_box(), viewer.bounding_box()
    assert before
    assert frame
    x, y = before["x"] + before["width"] * 0.25, before["y"] + before["height"] * 0.25
    page.mouse.move(x, y)
    page.mouse.wheel(0, -600)
    expect(viewer).to_have_class("viewer-frame zoomed")
    after = stage.bounding_box()
    assert after
    assert after["width"] > before["width"] * 1.5
    assert abs(after["x"] + after["width"] * 0.25 - x) < 3
    assert abs(after["y"] + after["height"] * 0.25 - y) < 3
    page.mouse.dblclick(x, y)
    expect(viewer).to_have_class("viewer-frame")


def test_neighbours_within_the_filter_from_the_list_and_from_a_link(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/dashboard/events?useCase={scene.PARTS.id}&device=cam-3")
    page.locator(".picture").nth(1).wait_for()
    links = page.locator(".picture").evaluate_all("all => all.map((link) => link.dataset.event)")
    page.locator(".picture").nth(1).click()
    expect(page.get_by_text("2 of")).to_be_visible()
    shared = page.url
    for fresh in (False, True):
        if fresh:
            page.goto("about:blank")
            page.goto(shared)  # nothing of the list is loaded
        page.get_by_role("button", name="Older").click()
        page.wait_for_url(f"**/{links[2]}?**")
        page.get_by_role("button", name="Newer").click()
        page.wait_for_url(f"**/{links[1]}?**")
        expect(page.get_by_role("button", name="Newer")).to_be_enabled()
        page.locator("main").focus()
        page.keyboard.press("ArrowLeft")
        page.wait_for_url(f"**/{links[0]}?**")
        expect(page.get_by_role("button", name="Older")).to_be_enabled()
        expect(page.get_by_role("button", name="Newer")).to_be_disabled()
        page.keyboard.press("ArrowRight")
        page.wait_for_url(f"**/{links[1]}?**")


def test_events_are_reviewed_by_keyboard(page: Page, gateway: Gateway, api: httpx.Client) -> None:
    device, source, now = f"review-{uuid.uuid4().hex[:6]}", scene.upload(api), datetime.now(UTC)
    scene.send(api, [scene.part(n, source, now, eventId=str(uuid.uuid4()), deviceId=device) for n in range(4)])
    until(lambda: counted(api, deviceId=device), lambda number: number == 4)
    page.goto(f"{gateway.url}/dashboard/use-cases")
    page.get_by_label("My name beside reviews").fill("Ayşe")
    page.get_by_label("My name beside reviews").press("Tab")
    page.goto(f"{gateway.url}/dashboard/events?useCase={scene.PARTS.id}&device={device}")
    page.get_by_role("link", name="Review", exact=True).click()
    expect(page.get_by_text("1 of 4, 0 reviewed")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_text("2 of 4, 1 reviewed")).to_be_visible()
    page.keyboard.press("m")
    page.keyboard.type("it is a shadow")
    page.keyboard.press("Enter")
    page.keyboard.press("i")
    expect(page.get_by_text("3 of 4, 2 reviewed")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_text("4 of 4, 3 reviewed")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_text("That was the last one")).to_be_visible()
    for status, number in (("correct", 2), ("incorrect", 1), ("inconclusive", 1), ("none", 0)):
        until(
            lambda status=status: counted(api, deviceId=device, feedbackStatus=status),
            lambda n, number=number: n == number,
        )

    # Another one differs; both are shown in order of time, and the last word counts. It may be withdrawn.
    page.keyboard.press("Escape")
    page.get_by_label("My name beside reviews").fill("Ben")
    page.get_by_label("My name beside reviews").press("Tab")
    page.locator(".event-card").nth(1).locator(".picture").click()
    activity = page.locator(".activity li")
    expect(activity).to_contain_text(["it is a shadow"])
    page.get_by_placeholder("Comment").fill("no, a scratch")
    page.get_by_role("button", name="correct", exact=False).first.click()
    expect(activity).to_have_count(2)
    expect(activity.nth(0)).to_contain_text("Ayşe")
    expect(activity.nth(1)).to_contain_text("no, a scratch")
    until(lambda: counted(api, deviceId=device, feedbackStatus="correct"), lambda number: number == 3)
    page.reload()
    expect(activity).to_have_count(2)
    page.get_by_role("button", name="Withdraw").click()
    expect(activity).to_have_count(1)
    until(lambda: counted(api, deviceId=device, feedbackStatus="incorrect"), lambda number: number == 1)


def test_markup_in_any_field_stays_text(page: Page, gateway: Gateway) -> None:
    page.goto(f"{gateway.url}/dashboard/use-cases")
    expect(page.get_by_role("link", name="onerror").first).to_be_visible()
    for view in ("", "table"):
        page.goto(f"{gateway.url}/dashboard/events?useCase={scene.HOSTILE_CASE.id}&view={view}")
        page.locator("[data-event]").first.wait_for()
    page.locator("[data-event]").first.click()
    expect(page.get_by_role("heading", name="Kafka")).to_be_visible()
    expect(page.locator("section.facts", has_text="Metadata")).to_contain_text(scene.HOSTILE)
    page.get_by_text("Stored record").click()
    page.locator(".facts a.value", has_text="onerror").first.click()
    expect(page.locator(".chip")).to_contain_text("onerror")
    # A name with markup is part of some pages' titles, as text; a script that ran would have made it the whole title.
    assert page.title() != "taken over"
    assert page.locator("img[src=x]").count() == 0
