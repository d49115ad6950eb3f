"""The palettes of the terminal view: contrast, colour blindness, which terminal gets which and is sent what."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import numpy as np
import pytest
from moodfader.control.tui.panels.palette import (
    DARK_16,
    LIGHT_16,
    MANY_COLOURS,
    NO_COLOUR,
    PALETTES,
    choose_palette,
)
from rich.style import Style

XTERM = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
]
XTERM += [(127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255)]
XTERM += [(255, 255, 255)]


def luminance(rgb):
    """Relative luminance (WCAG 2.1)."""
    parts = [part / 255 for part in rgb]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(one, other):
    """Contrast ratio, 1 to 21 (WCAG 2.1)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("palette", "backgrounds"),
    [(MANY_COLOURS, [(0, 0, 0), (255, 255, 255)]), (DARK_16, [(0, 0, 0)]), (LIGHT_16, [(255, 255, 255)])],
)
def test_colours_can_be_read_on_their_backgrounds(palette, backgrounds):
    for style in (palette.raised, palette.lowered, palette.accent, palette.warning):
        color = Style.parse(style).color
        rgb = XTERM[color.number] if color.number < 16 else tuple(color.get_truecolor())
        for background in backgrounds:
            assert contrast(rgb, background) >= 3, (style, background)


@pytest.mark.parametrize("palette", PALETTES)
def test_raised_and_lowered_are_not_red_and_green(palette):
    if palette is NO_COLOUR:
        assert (palette.raised, palette.lowered) == ("", "")
        return
    rgb = []
    for style in (palette.raised, palette.lowered):
        color = Style.parse(style).color
        rgb.append(XTERM[color.number] if color.number < 16 else tuple(color.get_truecolor()))
    (red, _, blue), (red_lowered, _, blue_lowered) = rgb
    assert red > blue
    assert blue_lowered > red_lowered


@pytest.mark.parametrize(
    ("environment", "colours", "palette"),
    [
        ({"TERM": "xterm-256color"}, 256, MANY_COLOURS),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, 8, MANY_COLOURS),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, 256, NO_COLOUR),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, 256, NO_COLOUR),
        ({"TERM": "xterm", "COLORFGBG": "0;15"}, 8, LIGHT_16),
        ({"TERM": "xterm", "COLORFGBG": "15;default;0"}, 8, DARK_16),
        ({"TERM": "linux"}, 8, DARK_16),
        ({"TERM": "vt100"}, 0, NO_COLOUR),
        ({"TERM": "dumb"}, None, NO_COLOUR),
        ({}, None, DARK_16),
    ],
)
def test_the_palette_follows_the_terminal(environment, colours, palette):
    assert choose_palette(environment, colours) is palette


PROGRAM = """
import itertools, sys
from moodfader.control.session.session import Session
from moodfader.control.tui.app import Terminal
session, counter = Session(), itertools.count()
session.set("/moodfader/midlevel/dissonance", 6.0)
session.set("/moodfader/midlevel/modality", -6.0)
Terminal(session, track=lambda: "song.flac", until=lambda: next(counter) > 5).run()
"""


@pytest.mark.parametrize(
    ("terminal", "more", "kinds"),
    [
        ("xterm-256color", {"NO_COLOR": "1"}, set()),
        ("vt100", {}, set()),
        ("xterm", {}, {16}),
        ("xterm-256color", {}, {256}),
        ("vt100", {"PYTHONIOENCODING": "latin-1"}, set()),
    ],
)
def test_what_a_real_terminal_is_sent(terminal, more, kinds):
    """By the bytes: no colour at all, one of sixteen, or one of many; and no background behind any text."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM")}
    environment |= {"TERM": terminal, **more}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    sent = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # (Linux' end of a terminal)
            break
        if not chunk:
            break
        sent += chunk
    os.close(ours)
    assert process.wait(120) == 0
    assert "dissonance" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", sent.decode("utf-8", "replace"))
    codes = [code for found in re.findall(rb"\x1b\[([0-9;]*)m", sent) for code in [found.decode()]]
    found = set()
    for code in codes:
        if re.search(r"(^|;)[34]8;2;", code):
            found.add(1 << 24)
        elif re.search(r"(^|;)[34]8;5;", code):
            found.add(256)
        elif re.search(r"(^|;)(3[0-7]|4[0-7]|9[0-7]|10[0-7])(;|$)", code):
            found.add(16)
    assert found == kinds
