"""A session without a player behind a real web server, and Chromium where there is one."""

import shutil
import time
from pathlib import Path

import pytest
from moodfader.control.parameters.table import PARAMETERS
from moodfader.control.session.session import Session
from moodfader.control.web.server import WebServer

DEMO = Path(__file__).parents[2] / "presets" / "demo.ogg"
FADER = "/moodfader/midlevel/modality"
OTHER_FADER = "/moodfader/midlevel/dissonance"


class LoggedSession(Session):
    """`log` has what was set, by whom; `publish` does what the player's meters and predictions do."""

    def __init__(self):
        super().__init__()
        self.log = []

    def set(self, address, value, *, source=""):
        super().set(address, value, source=source)
        self.log.append((address, value, source))

    def publish(self, values):
        self._values.update({f"/moodfader/{name}": value for name, value in values.items()})

    def comes_to(self, address, value, seconds=10.0):
        """Whether an address holds that value within some seconds."""
        end = time.monotonic() + seconds
        while (now := self.get(address)) != pytest.approx(value) and time.monotonic() < end:
            time.sleep(0.005)
        return now == pytest.approx(value)


@pytest.fixture(scope="module")
def session():
    session = LoggedSession()
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


@pytest.fixture(scope="module")  # (playwright's event loop runs while it is open: other modules run their own)
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra test)")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()
