"""Chromium, as it is installed on a machine."""

import contextlib
import shutil

import pytest

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextlib.contextmanager
def chromium():
    """A browser driven by playwright: the system's, or playwright's own; the test is skipped where neither starts.

    Playwright's event loop runs while it is open, and tests of other modules run their own.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra test)")
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", "--disable-gpu"])
        except sync_api.Error:
            pytest.skip("Chromium is not here, or does not start")
        yield browser
        browser.close()
