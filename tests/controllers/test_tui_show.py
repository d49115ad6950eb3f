"""Set list, address and texts in the terminal view, by their keys."""

import pytest
from helpers.terminal_stage import TITLES, URL, perform, pressed
from moodfader.control.console.qr_code import qr_lines
from moodfader.control.session.presets import find_preset

FADER = "/moodfader/midlevel/modality"


@pytest.fixture
def show(session):
    perform(session)
    session.publish({"/moodfader/transport/tracks": len(TITLES), "/moodfader/transport/track": 1})
    return session


def test_the_set_list_shows_where_it_is_and_enter_goes_elsewhere(show):
    _, lines = pressed(show, "t", titles=TITLES)
    (now,) = [line for line in lines if "▶   2" in line]
    assert now.startswith("▸ ")
    assert all(any(title in line for line in lines) for title in TITLES)
    _, lines = pressed(show, "t", "down", "down", "enter", titles=TITLES)
    assert show.get("/moodfader/transport/track") == 3
    pressed(show, "t", *["up"] * 9, "enter", titles=TITLES)
    assert show.get("/moodfader/transport/track") == 0


def test_faders_are_not_moved_by_the_selection_of_tracks(show):
    pressed(show, "t", "down", "t", "right", titles=TITLES)
    assert show.get("/moodfader/midlevel/melodiousness") == -11.5


def test_the_address_is_shown_as_a_code_where_there_is_room(show):
    _, lines = pressed(show, "i", url=URL)
    code = qr_lines(URL)
    screen = "\n".join(lines)
    assert URL in screen
    assert all(row in screen for row in code)
    _, small = pressed(show, "i", size=(60, 16), url=URL)
    assert "larger window" in "\n".join(small)
    _, none = pressed(show, "i")
    assert "play --web" in "\n".join(none)


def test_the_code_is_what_another_reader_reads():
    cv2 = pytest.importorskip("cv2", reason="OpenCV, which reads QR codes, is not installed")
    import numpy as np

    rows = []
    for line in qr_lines(URL):
        rows += [[letter not in "▀█" for letter in line], [letter not in "▄█" for letter in line]]
    picture = np.kron(np.array(rows, np.uint8) * 255, np.ones((8, 8), np.uint8))
    assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == URL


def test_a_snapshot_is_named_and_faders_become_a_preset_by_what_is_typed(show):
    show.set(FADER, 4.0)
    show.set("/moodfader/snapshot/store", 3)
    pressed(show, "r", *"Bridgex", "backspace", "enter")
    assert show.get("/moodfader/snapshot/names/3") == "Bridge"
    assert show.get("/moodfader/transport/play")  # (the keys were letters)
    pressed(show, "a", *"bq_1", "enter")
    assert find_preset("bq_1").gains_db["modality"] == 4.0
    _, lines = pressed(show, "a", *"a b", "enter")
    assert "letters, digits" in "\n".join(lines)
    pressed(show, "r", *"no", "escape")
    assert show.get("/moodfader/snapshot/names/3") == "Bridge"


def test_a_track_begins_with_the_preset_that_f_gives_it(show):
    _, lines = pressed(show, "f")
    assert "load a preset first" in "\n".join(lines)
    show.set("/moodfader/preset/load", "dolce")
    pressed(show, "f")
    assert show.get("/moodfader/track/preset") == "dolce"
    _, lines = pressed(show, "t", titles=TITLES)
    assert "this one begins with dolce" in "\n".join(lines)
    pressed(show, "f")
    assert show.get("/moodfader/track/preset") == ""


def test_stereo_meters_hold_their_peaks_and_the_limiter_is_shown(show):
    show.publish({"/moodfader/meter/reduction_db": 2.3, "/moodfader/meter/right_db": -40.0})
    _, lines = pressed(show, size=(80, 24))
    (row,) = [line for line in lines if "dBTP" in line]
    left, right = row.split(" R ")
    assert left.count("█") > 2 * right.count("█")
    assert "limit −2.3 dB" in "\n".join(lines)
    show.publish({"/moodfader/meter/reduction_db": 0.0})
    assert "limit idle" in "\n".join(pressed(show)[1])


@pytest.mark.parametrize(("size", "keys"), [((200, 50), ()), ((80, 24), ("t",))])
def test_the_crossfader_and_a_morph_that_is_under_way_are_shown(show, size, keys):
    show.publish({"/moodfader/morph/a": 3, "/moodfader/morph/b": 7, "/moodfader/morph/position": 0.25})

    def row():
        _, lines = pressed(show, *keys, size=size, titles=TITLES)
        (row,) = [line for line in lines if "crossfade " in line and "█" in line.partition("crossfade ")[2]]
        return row.partition("crossfade ")[2].split()

    assert row()[:5] == ["3", "────█────────────", "7", "morph", "4"]
    show.publish({"/moodfader/morph/progress": 0.4})
    assert row()[3:6] == ["morph", "▶", "40%"]
