"""Which browser the tests drive: the one that is installed, never one that is fetched."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def path() -> str | None:
    """VISION_EVENTS_CHROMIUM, or what is found by the usual names."""
    return os.environ.get("VISION_EVENTS_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def running(executable: str) -> Iterator[Browser]:
    """The browser without a window."""
    with sync_playwright() as playwright:
        # Containers give no namespaces to a sandbox; the pages are our own.
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
