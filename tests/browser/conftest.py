"""A browser, and the dashboard of a running system in it.

Debian's Chromium or any other that is installed; VISION_EVENTS_CHROMIUM names one. Without any these tests are skipped,
or fail with VISION_EVENTS_REQUIRE_BROWSER=1.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from pipeline.cli.dashboard import login_link
from pipeline.cli.keys import ensure_key
from tests.browser import chromium, scene
from tests.end_to_end.http import Gateway
from tests.end_to_end.system import System, until

NUMBER = 75

# Read before the tests begin: each test runs without the variables of this project.
_CHROMIUM = chromium.path()
_REQUIRED = os.environ.get("VISION_EVENTS_REQUIRE_BROWSER") == "1"
# `expect` has a time of its own, 5 s, which a busy machine may need for one page.
_WAIT_MS = 20_000
expect.set_options(timeout=_WAIT_MS)
T = TypeVar("T")


@pytest.fixture(scope="package")
def browser(gateway: Gateway, parts: int) -> Iterator[Browser]:
    """A headless browser for all tests of this folder.

    Playwright keeps an event loop running in this thread while it is there: it begins when the services are up, ends
    with the folder, and meanwhile `outside` runs what needs a loop of its own.
    """
    if _CHROMIUM is None:
        assert not _REQUIRED, "VISION_EVENTS_REQUIRE_BROWSER=1, and no Chromium is installed"
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    with chromium.running(_CHROMIUM) as running:
        yield running


@pytest.fixture(scope="package")
def system(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> System:
    """The session's services, with a first key as `up` makes it.

    What runs on them for this folder ends with it: its worker would take the records of other tests.
    """
    found = System(environment, tmp_path_factory.mktemp("browser"))
    ensure_key(found.settings, make=True)
    return found


@pytest.fixture(scope="package")
def gateway(system: System) -> Iterator[Gateway]:
    """The gateway that serves the dashboard."""
    with Gateway(system) as running:
        yield running


@pytest.fixture(scope="package")
def api(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client of the public API, to make and to check what the page shows."""
    with gateway.client() as client:
        yield client


@pytest.fixture(scope="package")
def parts(system: System, api: httpx.Client) -> Iterator[int]:
    """Events to look at, and a worker that stores what the tests add; their number."""
    system.apply(scene.PARTS, scene.HOSTILE_CASE)
    source, now = scene.upload(api), datetime.now(UTC)
    scene.send(api, [scene.part(number, source, now) for number in range(NUMBER)])
    scene.send(api, [scene.hostile(source)])
    with system.worker():
        until(lambda: counted(api), lambda number: number >= NUMBER)
        until(lambda: counted(api, useCaseId=scene.HOSTILE_CASE.id), lambda number: number == 1)
        yield NUMBER


def counted(api: httpx.Client, **filters: Any) -> int:
    """How many events of the parts the API finds."""
    answer = api.post("/count", json={"useCaseId": scene.PARTS.id, "eventTypes": ["quality_check", "custom"]} | filters)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["count"])


class Watched:
    """A page, and what it must not do: say errors on its console, ask other hosts, leave exceptions."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.wrong: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.wrong.append(f"exception: {error}"))
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).scheme in ("http", "https") and not request.url.startswith(self.url):
            self.wrong.append(f"request to another host: {request.url}")


@contextmanager
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without cookies and memory."""
    with browser.new_context(viewport={"width": 1280, "height": 800}, timezone_id="Europe/Berlin") as fresh:
        fresh.set_default_timeout(_WAIT_MS)
        yield fresh


@pytest.fixture(scope="package")
def member(browser: Browser, gateway: Gateway, system: System) -> Iterator[BrowserContext]:
    """A browser that is logged in with the first key, and has loaded the page once: all tests share it."""
    with visitor(browser) as context:
        page = context.new_page()
        page.goto(link(gateway, system))
        page.get_by_role("heading", name="Use cases").wait_for()
        page.close()
        yield context


@pytest.fixture
def anyone(browser: Browser, gateway: Gateway) -> Iterator[Watched]:
    """A page of somebody who is not logged in. Afterwards nothing may have gone wrong in it."""
    with visitor(browser) as context:
        watched = Watched(context.new_page(), gateway.url)
        yield watched
        assert not watched.wrong


@pytest.fixture
def watched(member: BrowserContext, gateway: Gateway) -> Iterator[Watched]:
    """A page, still empty, of somebody who is logged in. Afterwards nothing may have gone wrong in it."""
    found = Watched(member.new_page(), gateway.url)
    yield found
    if found.page.url.startswith(gateway.url):
        found.page.evaluate("localStorage.clear()")
    found.page.close()
    assert not found.wrong


@pytest.fixture
def page(watched: Watched) -> Page:
    """The same page alone."""
    return watched.page


def outside(call: Callable[[], T]) -> T:
    """What a call gives that is made in a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call).result()


def link(gateway: Gateway, system: System) -> str:
    """A log-in link to the gateway of the tests."""
    made = login_link(system.settings)
    assert made is not None
    return gateway.url + made[made.index("/dashboard/") :]
