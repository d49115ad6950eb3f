"""The web page in a browser: fingers on it, and what its faders show."""

import time

FADER, OTHER_FADER = "/moodfader/midlevel/modality", "/moodfader/midlevel/dissonance"
MODALITY, DISSONANCE = '[aria-label="modality (minor)"]', '[aria-label="dissonance"]'
"""Selectors of the same faders on the page."""
SIZES = {"phone": (360, 640), "phone lying": (640, 360), "tablet": (1024, 768), "tablet upright": (768, 1024)}
SIZES["large"] = (2560, 1440)
"""Of windows, in pixels."""


class Hand:
    """Fingers on a page: touch events as the browser's own input system takes them."""

    def __init__(self, context, page):
        self._cdp = context.new_cdp_session(page)
        self._points = {}

    def down(self, finger, x, y):
        self._points[finger] = (x, y)
        self._send("touchStart")

    def move(self, **to):
        """Move fingers, given by name, together."""
        self._points |= to
        self._send("touchMove")

    def up(self, finger):
        del self._points[finger]
        self._send("touchEnd")

    def _send(self, kind):
        names = {name: number for number, name in enumerate(("one", "two"))}
        points = [{"x": x, "y": y, "id": names[name]} for name, (x, y) in self._points.items()]
        self._cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def middle(page, selector):
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def shown(page, selector=MODALITY):
    return float(page.locator(selector).get_attribute("aria-valuenow"))


def shows(page, value, selector=MODALITY):
    page.wait_for_function(
        "([selector, value]) => Math.abs(document.querySelector(selector).ariaValueNow - value) < 1e-6",
        arg=[selector, value],
        timeout=120_000,
    )
    return True


def agree(session, *pages, when=lambda value: True, selector=MODALITY, address=FADER):
    """Wait until the session and the pages hold the same value of a fader, and one as expected; that value."""
    for _ in range(3000):
        values = {session.get(address), *(shown(page, selector) for page in pages)}
        if len(values) == 1 and when(*values):
            return values.pop()
        time.sleep(0.02)
    raise AssertionError(f"they do not agree: {values}")
