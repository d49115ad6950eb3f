"""The view as it stands in a real terminal (tmux): without colours, in 16 of them, after resizes, at its sizes."""

import re
import shutil

import pytest
from helpers.program import PROGRAM, is_running
from helpers.show import Window
from helpers.waiting import until

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
FEATURES = ("melodi", "articul", "complex", "rhythmic stab", "dissonan", "tonal stab", "modality")


@pytest.fixture
def window(long_song):
    """Opens the view of a paused show in a window of a size, in an environment."""
    opened = []

    def opens(*size, **environment):
        variables = [f"{name}={value}" for name, value in environment.items()]
        command = ["env", *variables, *PROGRAM, "play", long_song, "--backend", "null", "--osc-port", "0", "--paused"]
        opened.append(Window(command, size=size))
        opened[-1].shows("modality")
        return opened[-1]

    yield opens
    for one in opened:
        one.close()


def colours(window):
    """The codes of foreground colours on the screen: 31 red, 32 green, 91, 92 bright, 38 of a palette."""
    sequences = re.findall(r"\x1b\[([\d;]*)m", "\n".join(window.lines(escapes=True)))
    shades = [re.sub(r"([34]8);(5;\d+|2;\d+;\d+;\d+)", r"\1", sequence) for sequence in sequences]
    codes = {int(code) for sequence in shades for code in sequence.split(";") if code}
    return {code for code in codes if 30 <= code <= 38 or 90 <= code <= 97}


def test_no_colour_means_none(window):
    assert not colours(window(80, 24, NO_COLOR="1"))


def test_a_show_is_not_told_by_red_and_green(window):
    view = window(110, 34, TERM="xterm", COLORTERM="")
    view.presses("L")
    view.presses("j")
    view.presses("H")
    view.shows("+3.0", "3.0 ")
    assert not colours(view) & {31, 32, 91, 92}


def test_a_narrower_window_shows_all_faders_at_once(window):
    view = window(200, 50)
    for size in ((110, 34), (80, 24), (60, 16), (110, 34), (80, 24)):
        view.resize(*size)
        lines = view.shows(*FEATURES)  # (until it has been drawn anew, tmux shows parts of what was there before)
        assert max(map(len, lines)) <= size[0]


def test_a_wide_window_is_used(window):
    view = window(200, 50)
    assert until(lambda: max(len(line.rstrip()) for line in view.lines()) > 150)


def test_the_question_mark_lists_the_keys(window):
    view = window(80, 24)
    view.presses("?")
    screen = "\n".join(view.shows("wet", "loop"))
    for key in ("loop", "delta", "master", "wet", "preset", "track", "loudness"):
        assert key in screen, screen


def test_a_window_that_is_closed_ends_the_show(window):
    view = window(80, 24)
    process = view.process
    view.close()
    until(lambda: not is_running(process))
