"""Pictures of the dashboard for README and docs/: `python -m tests.browser.pictures FOLDER`.

Starts the demo in a folder of its own, waits until there is something to see, takes each page in light and dark, and
the narrow form of a phone, and stops everything. Those that docs/ shows are renewed there.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from tests.browser import chromium

DEFECTS = "events?useCase=defect-detection"
FORMS = {"light": (1360, 860), "dark": (1360, 860), "narrow": (390, 844)}
_SEEN = 24
_LAST_S = 240


@contextmanager
def demo(folder: str) -> Iterator[str]:
    """The demo; gives its log-in link."""
    command = [sys.executable, "-m", "pipeline", "up", "--demo", "--demo-rate", "8", "--free-ports"]
    command += ["--data-dir", folder, "--stop-after", str(_LAST_S)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        yield next(found[0] for line in process.stdout if (found := re.search(r"http://\S+#login=\S+", line)))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def reject_some(data: Path) -> None:
    """Records that cannot be stored, as cameras with a wrong clock or an old configuration send them."""
    good = {"use_case_id": "defect-detection", "source": {"device_id": "koeln-cam-02"}}
    records = [
        *[good | {"use_case_id": "defect-detection-old"} for _ in range(5)],
        good | {"custom_metdata": {"line_id": "K2"}},
        *[good | {"timestamp": f"2026-11-24T10:{minute}:00"} for minute in range(10, 13)],
    ]
    file = data / "rejected.ndjson"
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    subprocess.run([sys.executable, "-m", "pipeline", "publish", str(file), "--data-dir", str(data)], check=True)


def take(page: Page, folder: Path, name: str, address: str, ready: str) -> None:
    """One page in all forms."""
    for form, (width, height) in FORMS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if form == "dark" else "light")
        page.goto(address)
        page.locator(ready).first.wait_for()
        page.wait_for_load_state("networkidle")
        page.wait_for_function("!document.querySelector('[aria-busy=true]')")
        path = str(folder / f"{name}-{form}.jpg")
        page.screenshot(path=path, type="jpeg", quality=86, animations="disabled")


def main() -> None:
    """Take all pictures."""
    folder, executable = Path(sys.argv[1]), chromium.path()
    folder.mkdir(parents=True, exist_ok=True)
    assert executable, "no Chromium is installed (Debian: apt-get install chromium)"
    with tempfile.TemporaryDirectory() as data, demo(data) as link, chromium.running(executable) as browser:
        reject_some(Path(data))
        page, base = browser.new_page(), link.split("#")[0]
        site = base.removesuffix("/dashboard/")
        page.goto(link)
        page.get_by_role("heading", name="Use cases").wait_for()  # leaving before would leave the log-in
        page.goto(f"{base}{DEFECTS}&class=scratch&live=1")
        page.locator(".event-card").nth(5).wait_for(timeout=120_000)
        page.goto(f"{base}{DEFECTS}")
        page.locator(".event-card").nth(_SEEN - 1).wait_for(timeout=60_000)
        page.get_by_role("link", name="Review", exact=True).click()
        for key in "ccicucc":
            page.locator(".answer").first.wait_for()
            page.keyboard.press(key)
        take(page, folder, "dashboard-review", page.url, ".facts")
        take(page, folder, "dashboard-use-cases", f"{base}use-cases", ".use-case .sparkline")
        take(page, folder, "dashboard-events", f"{base}{DEFECTS}", ".event-card img")
        take(page, folder, "dashboard-table", f"{base}{DEFECTS}&view=table&class=scratch&conf=0.6", ".events img")
        take(page, folder, "dashboard-analysis", f"{base}analysis?useCase=defect-detection", ".comparison td")
        take(page, folder, "dashboard-alerts", f"{base}alerts", ".alert-card")
        take(page, folder, "dashboard-alert-history", f"{base}alerts?show=history", ".alert-history td")
        page.goto(f"{base}rejects")
        record = page.locator(".row-link").first.get_attribute("href")
        take(page, folder, "dashboard-rejects", f"{site}{record}", ".record li")
        take(page, folder, "dashboard-devices", f"{base}devices", ".device-table td")
        take(page, folder, "dashboard-pipeline", f"{base}pipeline", ".balance dd")
        page.goto(f"{base}{DEFECTS}&class=scratch")
        event = page.locator(".event-card .picture").first.get_attribute("href")
        take(page, folder, "dashboard-event", f"{site}{event}", ".facts")
    for shown in Path("docs/images").glob("dashboard-*.jpg"):
        shutil.copyfile(folder / shown.name, shown)


if __name__ == "__main__":
    main()
