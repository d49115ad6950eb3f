"""The page in a real browser: fingers, echoes, two people, reconnection, what a screen reader is told."""

import importlib.resources
import json
import time

import pytest

from .conftest import FADER, OTHER_FADER

SIZES = {"phone": (360, 640), "phone lying": (640, 360), "tablet": (1024, 768), "tablet upright": (768, 1024)}
SIZES["large"] = (2560, 1440)
MODALITY, DISSONANCE = '[aria-label="modality (minor)"]', '[aria-label="dissonance"]'


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


def test_two_fingers_move_two_faders_at_once(opened, session):
    page = opened()
    hand = Hand(page.context, page)
    (left, left_y), (right, right_y) = middle(page, DISSONANCE), middle(page, MODALITY)
    hand.down("one", left, left_y)
    hand.down("two", right, right_y)
    for step in range(1, 11):
        hand.move(one=(left, left_y - 5 * step), two=(right, right_y + 4 * step))
    agree(session, page, when=lambda value: value > 2, selector=DISSONANCE, address=OTHER_FADER)
    agree(session, page, when=lambda value: value < -2)
    hand.up("one")
    first = agree(session, page, when=lambda value: value > 2, selector=DISSONANCE, address=OTHER_FADER)
    for step in range(1, 11):  # (a browser may put the place of a lone jump between where it began and ended)
        hand.move(two=(right, right_y + 40 - 10 * step))
    agree(session, page, when=lambda value: value > 2)  # (the second finger still holds its fader)
    assert agree(session, page, selector=DISSONANCE, address=OTHER_FADER) == first
    hand.up("two")
    assert {source.split(":")[0] for _, _, source in session.log} == {"web 127.0.0.1"}
    assert page.faults == []


def test_an_echo_does_not_move_a_fader_under_a_finger(opened, session):
    page = opened()
    hand = Hand(page.context, page)
    x, y = middle(page, MODALITY)
    hand.down("one", x, y)
    hand.move(one=(x, y - 40))
    held = agree(session, page, when=lambda value: value > 1)
    session.set(FADER, -9.0, source="osc")
    session.set(OTHER_FADER, 3.0, source="osc")
    assert shows(page, 3.0, DISSONANCE)  # (so the change of the held one has come, too)
    assert shown(page) == held
    hand.up("one")
    assert shows(page, -9.0)


def test_changes_of_other_surfaces_are_shown(opened, session):
    page = opened()
    session.set("/moodfader/preset/load", "dolce")
    assert shows(page, session.get(FADER))
    page.wait_for_selector('.chip[aria-pressed="true"]:text("dolce")')
    session.publish({"effect/tension": 0.12, "expected/tension": 0.1})
    bar = page.locator('[aria-label="effect on tension"]')
    page.wait_for_function(
        "() => document.querySelector('[aria-label=\"effect on tension\"]').ariaValueText.includes('measured +0.12')"
    )
    assert bar.get_attribute("aria-valuetext") == "measured +0.12, expected +0.10"


def test_the_last_finger_down_holds_a_fader_and_the_other_sees_it(opened, session):
    first, second = opened(), opened()
    hand, other = Hand(first.context, first), Hand(second.context, second)
    x, y = middle(first, MODALITY)
    hand.down("one", x, y)
    hand.move(one=(x, y - 30))
    agree(session, first, second, when=lambda value: value > 1)
    second.wait_for_selector(f".slider.other {MODALITY}")
    other.down("one", x, y)
    other.move(one=(x, y + 50))
    first.wait_for_selector(f".slider.other {MODALITY}")
    low = agree(session, first, second, when=lambda value: value < -1)
    hand.move(one=(x, y - 60))
    session.set("/moodfader/wet", 0.5)
    assert shows(first, 0.5, '[aria-label="wet"]')
    assert agree(session, first, second) == low, "the first finger has no hold any more"
    other.up("one")
    first.wait_for_selector(f".slider:not(.other) {MODALITY}")


@pytest.mark.parametrize(
    "moves", [90, pytest.param(3600, marks=[pytest.mark.slow, pytest.mark.soak], id="for a minute")]
)
def test_fast_movement_ends_where_the_finger_is(opened, session, server, moves):
    """Sixty changes a second and more, by two fingers: only newest values are sent, all pages come to the last."""
    page, watcher = opened(), opened("phone")
    frames = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(frame)))
    page.reload()
    page.wait_for_selector("body.ready")
    hand = Hand(page.context, page)
    (x, y), (other_x, other_y) = middle(page, MODALITY), middle(page, DISSONANCE)
    hand.down("one", x, y)
    hand.down("two", other_x, other_y)
    begun = time.monotonic()
    for step in range(moves):
        by = 60 * (-1) ** step * (step / moves)
        hand.move(one=(x, y + by), two=(other_x, other_y - by / 2))
        time.sleep(max(begun + (step + 1) / 60 - time.monotonic(), 0))
    took = time.monotonic() - begun
    hand.up("one")
    hand.up("two")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    last = agree(session, page, watcher)
    other_last = agree(session, page, watcher, selector=DISSONANCE, address=OTHER_FADER)
    sent = [json.loads(frame)["set"] for frame in frames if '"set"' in frame]
    changes = [change for one in sent for change in one.items()]
    print(f"{moves / took:.1f} moves, {len(changes) / took:.1f} changes in {len(sent) / took:.1f} frames a second")
    assert 1 < len(sent) <= 2 * moves + 2
    assert dict(changes) == {FADER: last, OTHER_FADER: other_last}  # (of each address the last)
    assert page.faults == watcher.faults == []


def test_a_lost_connection_is_shown_and_mended(opened, session, server, notes):
    page = opened()
    server._process.kill()
    page.wait_for_selector("#lost", state="visible")
    session.set(FADER, 7.5)
    page.wait_for_selector("#lost", state="hidden")
    assert shows(page, 7.5)
    assert any("started again" in note for note in notes)
    page.locator(MODALITY).press("ArrowDown")
    assert session.comes_to(FADER, 7.0)


def test_keys_move_faders_and_play(opened, session):
    page = opened()
    fader = page.locator(MODALITY)
    for key, value in {"PageUp": 3.0, "ArrowUp": 3.5, "Shift+ArrowUp": 3.6}.items():
        fader.press(key)
        told = "(value) => Math.abs(moodfader.link.values.get('midlevel/modality') - value) < 1e-9"
        page.wait_for_function(told, arg=value, timeout=120_000)  # (its echo, too, however late it is)
    assert session.comes_to(FADER, 3.6)
    assert fader.get_attribute("aria-valuetext") == "+3.6 decibels"
    fader.press("Home")
    assert session.comes_to(FADER, -12.0)
    fader.press("Delete")
    assert session.comes_to(FADER, 0.0)
    page.keyboard.press("Space")
    assert session.comes_to("/moodfader/transport/play", True)
    page.wait_for_selector('#play[aria-label="pause"]')
    page.keyboard.press("b")
    assert session.comes_to("/moodfader/bypass", True)


def test_keys_that_repeat_faster_than_their_echoes_lose_no_step(opened, session):
    page = opened()
    page.evaluate(
        """(selector) => {
            const fader = document.querySelector(selector);
            for (let step = 0; step < 10; step++) {
                const up = { key: "ArrowUp", bubbles: true, cancelable: true };
                fader.dispatchEvent(new KeyboardEvent("keydown", up));
                moodfader.link.take("midlevel/modality", step / 4);  // an echo that is late
            }
        }""",
        MODALITY,
    )
    assert session.comes_to(FADER, 5.0)
    assert shows(page, 5.0)


@pytest.mark.parametrize("tab", ["faders", "show", "mix", "targets"])
def test_panic_undo_and_the_original_are_at_hand_on_every_tab_of_a_phone(opened, session, tab):
    page = opened("phone")
    page.evaluate("tab => document.body.dataset.tab = tab", tab)
    session.set(FADER, 6.0, source="osc")
    page.locator("#zero").click()
    assert session.comes_to(FADER, 0.0)
    page.locator("#back:enabled").click()
    assert session.comes_to(FADER, 6.0)
    page.locator("#ab").click()
    assert session.comes_to("/moodfader/bypass", True)
    page.wait_for_selector('#ab[aria-pressed="true"]')


def test_panic_and_transport(opened, session):
    page = opened()
    session.set(FADER, 6.0)
    page.locator("#zero").click()
    assert session.comes_to(FADER, 0.0)
    assert shows(page, 0.0)
    box = page.locator("#wave").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 10)
    assert session.comes_to("/moodfader/transport/seek", 15.0)
    page.locator("#next").click()
    assert session.comes_to("/moodfader/transport/track", 1)
    page.wait_for_selector('.song[aria-current="true"]:text("encore")')
    page.locator(".song >> text=demo").click()
    assert session.comes_to("/moodfader/transport/track", 0)


def test_a_refusal_is_told(opened, session):
    page = opened()
    page.evaluate("moodfader.link.set('transport/loop_end', 0.01)")
    page.wait_for_selector("#notice.shown")
    assert "at least 0.05 s" in page.locator("#notice").text_content()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_and_accessibility_has_no_serious_finding(opened, session, size, scheme):
    axe_module = pytest.importorskip("axe_playwright_python", reason="axe is not installed (extra test)")
    session.publish({"effect/sad": -0.1, "effect/fear": 0.1, "midlevel/modality": 3.0, "midlevel/dissonance": -3.0})
    page = opened(size, color_scheme=scheme)
    shows(page, 3.0)
    width, height = SIZES[size]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for selector in (MODALITY, DISSONANCE, "#zero", "#ab", "#back", "#play"):
        box = page.locator(selector).bounding_box()
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width, selector
        assert 0 <= box["y"] <= box["y"] + box["height"] <= height, selector
        assert box["width"] >= 40, selector
        assert box["height"] >= 33, selector
    (source,) = importlib.resources.files(axe_module).rglob("axe.min.js")
    page.evaluate(source.read_text())
    for tab in ["faders", "show", "mix", "targets"]:
        page.evaluate("tab => document.body.dataset.tab = tab", tab)
        found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice']})")
        serious = [
            (one["id"], [node["html"][:100] for node in one["nodes"]])
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == []
    assert page.faults == []


def test_no_request_leaves_the_machine(browser, server):
    context = browser.new_context()
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url)
    page.wait_for_selector("body.ready")
    page.wait_for_function("() => performance.getEntriesByType('resource').length > 5")
    assert asked
    assert all(url.startswith(server.url) for url in asked)
    context.close()


def test_the_screen_stays_awake_while_it_plays(opened, session):
    """Where the page has no Wake Lock (as over http on a phone) a silent film plays."""
    page = opened()
    page.evaluate("Object.defineProperty(navigator, 'wakeLock', { value: undefined })")
    session.set("/moodfader/transport/play", True)
    page.wait_for_selector('#play[aria-label="pause"]')
    page.mouse.click(5, 5)
    page.wait_for_function("() => document.querySelector('video.awake')?.readyState >= 2", timeout=120_000)
    assert page.evaluate("document.querySelector('video.awake').loop")


def test_snapshots_cues_and_targets_are_there(opened, session):
    page = opened("large")
    session.set(FADER, 4.0)
    page.locator(".mode >> text=Store").click()
    page.locator('[aria-label="snapshot 2: empty"]').click()
    page.wait_for_selector(".key.full")
    page.locator("#zero").click()
    assert session.comes_to(FADER, 0.0)
    page.locator(".key.full").click()
    assert session.comes_to(FADER, 4.0)
    page.locator('[aria-label="set cue 1 here"]').click()
    session.publish({"cue/points/1": 12.0})
    page.wait_for_selector('[aria-label="go to cue 1"].full')
    x, y = middle(page, "#pad")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y - 20)
    page.mouse.up()
    for _ in range(3000):
        set_last = {address: value for address, value, _ in session.log}
        if set_last.get("/moodfader/target/valence", 0) > 0.01 and "/moodfader/target/energy" in set_last:
            break
        time.sleep(0.02)
    assert set_last["/moodfader/target/valence"] > 0.01
    assert set_last["/moodfader/target/energy"] > 0.005
    assert set_last["/moodfader/cue/set"] == 1
    assert page.faults == []


def test_snapshots_and_faders_become_presets_and_tracks_begin_with_them(opened, session):
    page, other = opened(), opened()
    session.set(FADER, 4.5)
    session.set("/moodfader/snapshot/store", 3)
    naming = page.locator("#snapshots form")
    naming.locator("input").fill("Bridge")
    naming.locator('[value="name"]').click()
    other.wait_for_selector('[aria-label="snapshot 3: Bridge"]')
    naming.locator("input").fill("of_the_bridge")
    naming.locator('[value="preset"]').click()
    for one in (page, other):  # the new preset is there at once, for everybody
        one.wait_for_selector('#presets .chip:has-text("of_the_bridge")')
    session.set(FADER, -2.0)
    page.locator("#presets form input").fill("by_hand")
    page.keyboard.press("Enter")
    other.click('#presets .chip:has-text("by_hand")')
    assert session.comes_to(FADER, -2.0)
    other.wait_for_selector('#presets .chip[aria-pressed="true"]:has-text("by_hand")')
    other.click("#track-preset")
    page.wait_for_selector('#track-preset[aria-pressed="true"]:has-text("by_hand")')
    assert session.get("/moodfader/track/preset") == "by_hand"
    page.click("#track-preset")
    other.wait_for_selector('#track-preset[aria-pressed="false"]')
    page.locator("#presets form input").fill("no name")
    page.keyboard.press("Enter")
    page.wait_for_selector('#notice:has-text("letters, digits")')
    assert page.faults == other.faults == []
