"""Fingers on the faders of the page in a real browser: two at once, echoes, two people, fast movement."""

import json
import time

import pytest
from helpers.web_page import DISSONANCE, FADER, MODALITY, OTHER_FADER, Hand, agree, middle, shown, shows


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
