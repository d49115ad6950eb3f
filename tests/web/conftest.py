"""A session without a player behind a real web server, and Chromium where there is one."""

import time
from pathlib import Path

import pytest
from helpers.chromium import chromium
from helpers.logged_session import LoggedSession
from helpers.web_page import SIZES
from moodfader.control.parameters.table import PARAMETERS
from moodfader.control.web.server import WebServer

DEMO = Path(__file__).parents[2] / "presets" / "demo.ogg"


class WatchedSession(LoggedSession):
    """`publish` takes addresses without their common beginning; `comes_to` waits for a value."""

    def publish(self, values):
        super().publish({f"/moodfader/{name}": value for name, value in values.items()})

    def comes_to(self, address, value, seconds=120.0):
        """Whether an address holds that value within some seconds."""
        end = time.monotonic() + seconds
        while (now := self.get(address)) != pytest.approx(value) and time.monotonic() < end:
            time.sleep(0.005)
        return now == pytest.approx(value)


@pytest.fixture(scope="module")
def session():
    session = WatchedSession()
    yield session
    session.close()


@pytest.fixture(scope="module")
def notes():
    return []


@pytest.fixture(scope="module")
def server(session, notes):
    server = WebServer(
        session, page_port=0, osc_port=9123, announce=False, tracks=[DEMO, Path("encore.wav")], note=notes.append
    )
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _as_at_first(request):
    """Values at their defaults, nothing logged."""
    if "session" not in request.fixturenames:
        return
    session = request.getfixturevalue("session")
    defaults = {one.address.removeprefix("/moodfader/"): one.default for one in PARAMETERS}
    session.publish(defaults | {"transport/tracks": 2, "transport/duration": 30.0})
    session.log.clear()


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(browser, server):
    """Opens the page in a window of its own."""
    contexts = []

    def opened(size="tablet", **options):
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
        page.goto(server.url)
        page.wait_for_selector("body.ready")
        return page

    yield opened
    for context in contexts:
        context.close()
