"""The page in a real browser: changes of others, keys, reconnection, snapshots, presets, accessibility."""

import importlib.resources
import time

import pytest
from helpers.web_page import DISSONANCE, FADER, MODALITY, SIZES, middle, shows


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
