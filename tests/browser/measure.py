"""How fast the dashboard is with many events: `python -m tests.browser.measure --events 10000000`.

Fills the embedded ClickHouse, with a metadata key that has a million values, and times in a real browser from the click
or the address until the answer can be seen. Prints a table for docs/dashboard.md.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page

from deploy.embedded.ports import free_port
from deploy.embedded.stack import EmbeddedStack, Ports
from pipeline.cli.dashboard import login_link
from pipeline.cli.keys import ensure_key
from pipeline.cli.migrate import prepare_services
from pipeline.edges.clickhouse import connect
from pipeline.edges.sweep import sweep_if_due
from pipeline.settings import Settings, load_settings
from tests.benchmarks.queries import FILL
from tests.browser import chromium

_CHUNK = 500_000
_RECENT, _BATCH = 100_000, 8_192
_MILLION_VALUES = FILL.replace(
    """concat('{"line_id":"L'""", """concat('{"serial":"S', toString(number % 1000000), '","line_id":"L'"""
)
_READY_S = 60
# Looked for at every frame: waiting for a locator looks twice a second only, once it has looked for a while.
_SHOWN = "ready => [...document.querySelectorAll(ready)].some(element => element.checkVisibility())"
_CHARTED = """() => document.querySelector('.comparison td')
    && !document.querySelector('.chart-card[aria-busy=true]')"""


@contextmanager
def gateway(folder: Path) -> Iterator[Settings]:
    """The stack and a gateway; gives their settings."""
    with EmbeddedStack(folder, Ports(0, 0, 0)) as stack:
        port = free_port()
        stack.publish(http_port=port)
        settings = load_settings(**(asdict(stack.addresses) | {"data_dir": folder, "http_port": port}))
        prepare_services(settings)
        ensure_key(settings, make=True)
        command = [sys.executable, "-m", "pipeline", "gateway", "--data-dir", str(folder)]
        process = subprocess.Popen(command, stderr=(folder / "gateway.log").open("ab"))
        try:
            yield settings
        finally:
            process.terminate()
            process.wait(30)


def fill(settings: Settings, events: int) -> None:
    """Thirteen days of events as a plant's workers leave them: swept, and merged but for what came last."""
    client = connect(settings)
    since = client.query("SELECT toString(now64(6, 'UTC') - toIntervalDay(13))").result_rows[0][0]

    def insert(first: int, until: int) -> None:
        number = {"first": first, "count": until - first}
        client.command(_MILLION_VALUES, parameters={"since": since, "step_us": 13 * 86400e6 / events} | number)

    recent = max(events - _RECENT, 0)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda first: insert(first, min(first + _CHUNK, recent)), range(0, recent, _CHUNK)))
    # Parts of this size are merged when they are ten minutes old (min_age_to_force_merge_seconds).
    client.command("OPTIMIZE TABLE stored_events FINAL")
    for first in range(recent, events, _BATCH):
        insert(first, min(first + _BATCH, events))
    sweep_if_due(client)


class Watch:
    """Times what somebody waits for; each several times."""

    def __init__(self, page: Page, base: str, runs: int) -> None:
        self.page, self.base, self.runs = page, base, runs
        self.rows: list[tuple[str, float, float]] = []

    def timed(self, name: str, act: Callable[[], object]) -> None:
        """Note the median and the longest of some runs, in milliseconds."""
        waits = []
        for _ in range(self.runs):
            self.page.goto("about:blank")
            begun = time.perf_counter()
            act()
            waits.append((time.perf_counter() - begun) * 1000)
        self.rows.append((name, statistics.median(waits), max(waits)))
        print(f"{name}: {', '.join(f'{wait:,.0f}' for wait in waits)} ms", file=sys.stderr, flush=True)

    def opened(self, name: str, ready: str, page: str = "events", **params: str) -> None:
        """From an address to what is to be seen."""
        address = f"{self.base}{page}" + (f"?{urlencode(params)}" if params else "")

        def act() -> None:
            self.page.goto(address, wait_until="commit")
            self.page.wait_for_function(_SHOWN, arg=ready)

        self.timed(name, act)


def measure(page: Page, base: str, runs: int, reviewed: int) -> list[tuple[str, float, float]]:
    """All figures."""
    watch, defects = Watch(page, base, runs), {"useCase": "defect-detection"}
    watch.opened("first page of events", ".event-card", **defects)
    watch.opened("with its count", ".counts", **defects)
    watch.opened("class with confidence", ".event-card", **defects, **{"class": "scratch", "conf": "0.95"})
    watch.opened("one metadata value of a thousand", ".event-card", **defects, meta='["part_number","eq","PN-0042"]')
    watch.opened("one metadata value of a million", ".event-card", **defects, meta='["serial","eq","S12346"]')
    watch.opened("failed, one line, night", ".event-card", **defects, tod="22:00-06:00",
                 data='["result","eq","fail"]', meta='["line_id","eq","L3"]')  # fmt: skip
    watch.opened("no event like this", ".empty", **defects, meta='["serial","eq","none"]')
    watch.opened("use cases with their day", ".sparkline", "use-cases")

    def analysed(**params: str) -> Callable[[], None]:
        def act() -> None:
            page.goto(f"{base}analysis?{urlencode(defects | params)}", wait_until="commit")
            page.wait_for_function(_CHARTED)

        return act

    watch.timed("analysis: all charts, of all", analysed())
    watch.timed(
        "analysis: all charts, of all, one class with confidence", analysed(**{"class": "scratch", "conf": "0.5"})
    )
    watch.timed("analysis: all charts, of the last day", analysed(last="24h"))
    watch.timed("analysis: all charts, split by a field with a million values", analysed(by="meta:serial"))
    watch.opened("devices", ".device-table td", "devices")
    watch.opened("rejects", ".reject-list td, .empty", "rejects")

    def suggestions() -> None:
        page.goto(f"{base}events?{urlencode(defects)}")
        page.get_by_label("Add a filter").click()
        page.get_by_role("button", name="Metadata", exact=True).click()
        page.get_by_label("Field").select_option("serial")
        page.wait_for_function(_SHOWN, arg=".suggestions button")

    watch.timed("values of a field with a million, from opening the page", suggestions)
    page.goto(f"{base}events?{urlencode(defects)}")
    page.get_by_role("link", name="Review", exact=True).click()
    page.locator(".answer").first.wait_for()
    begun = time.perf_counter()
    for number in range(1, reviewed + 1):
        page.keyboard.press("ciu"[number % 3])
        page.get_by_text(f"{number + 1} of ").first.wait_for()
    took = (time.perf_counter() - begun) * 1000
    return [*watch.rows, (f"a review of {reviewed} events by keys, without thinking", took, took)]


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--reviewed", type=int, default=50)
    given = parser.parse_args()
    executable = chromium.path()
    assert executable, "no Chromium is installed (Debian: apt-get install chromium)"
    with tempfile.TemporaryDirectory() as folder, gateway(Path(folder)) as settings:
        fill(settings, given.events)
        link = login_link(settings)
        assert link
        with chromium.running(executable) as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(_READY_S * 1000)
            page.goto(link)
            page.get_by_role("heading", name="Use cases").wait_for()
            rows = measure(page, link.split("#")[0], given.runs, given.reviewed)
    print("| from the address until it can be seen | median ms | longest ms |\n| --- | ---: | ---: |")
    for name, median, longest in rows:
        print(f"| {name} | {median:,.0f} | {longest:,.0f} |")


if __name__ == "__main__":
    main()
