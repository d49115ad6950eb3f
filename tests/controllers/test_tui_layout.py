"""The terminal view as lines of text: their width, what is coloured and how, and what each state is called."""

import numpy as np
import pytest
from helpers.terminal_stage import NOTES, STATES, TITLE, TITLES, URL, analyse, perform
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.control.parameters.table import PARAMETERS
from moodfader.control.tui.layout import compose
from moodfader.control.tui.panels.cells import bar_scale, centred_bar, change_text, to_plain
from moodfader.control.tui.panels.effects import effect_rows
from moodfader.control.tui.panels.faders import fader_rows
from moodfader.control.tui.panels.gain_map import GainMap
from moodfader.control.tui.panels.palette import (
    MANY_COLOURS,
    NO_COLOUR,
    PALETTES,
)
from moodfader.control.tui.panels.view_state import ViewState, sound_state
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL
from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

PAGES = ("", "help", "tracks", "address")
SIZES = [(40, 10), (60, 16), (80, 24), (81, 25), (99, 60), (100, 20), (110, 34), (150, 40), (200, 50), (300, 90)]


def view_of(session, **more):
    return ViewState(session.state(), **more)


def drawn(view, width, height, palette=MANY_COLOURS, **options):
    return compose(view, width, height, palette, map_rows=lambda w, h: [Text("map")] * h, **options)


def coloured(line):
    """Whether any cell of a line has a colour of its own."""
    spans = [span.style if isinstance(span.style, Style) else Style.parse(span.style) for span in line.spans]
    return any(style.color is not None and not style.color.is_default for style in spans)


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_line_is_as_wide_as_the_terminal(session, tmp_path, width, height, palette):
    path = analyse(session, tmp_path)
    gain_map = GainMap(path, session.thumbnails[0])
    for scene in STATES:
        perform(session, scene)
        show = {"titles": ["東京 " * 60, "\x1b[2J", *TITLES], "url": URL}
        known = {"title": "東京 " * 60, "clients": ["127.0.0.1:5000"] * 40, "notes": [*NOTES, "x" * 300]}
        for page, options in (*((page, {}) for page in PAGES), ("", {"map_wanted": True})):
            view = view_of(session, page=page, **known, **show)
            lines = compose(
                view,
                width,
                height,
                palette,
                map_rows=lambda w, h: gain_map.render_text(62.0, np.ones(7, np.float32), w, h, palette),
                **options,
            )
            assert [line.cell_len for line in lines] == [width] * height


VALUE = st.one_of(st.none(), st.floats(), st.floats(-1, 1), st.integers(), st.booleans(), st.text(max_size=9))


@settings(max_examples=200, deadline=None)
@given(
    values=st.dictionaries(st.sampled_from([control.address for control in PARAMETERS]), VALUE),
    everything=VALUE,
    width=st.integers(1, 260),
    height=st.integers(1, 70),
    palette=st.sampled_from(PALETTES),
    options=st.fixed_dictionaries({"map_wanted": st.booleans()}),
    page=st.sampled_from(PAGES),
    titles=st.lists(st.text(max_size=9), max_size=5),
    selected=st.integers(0, 6),
)
def test_no_value_and_no_size_is_too_strange(
    values, everything, width, height, palette, options, page, titles, selected
):
    state = {control.address: everything for control in PARAMETERS} | values
    for known in (values, state):
        view = ViewState(known, selected=selected, page=page, titles=titles, url=URL, channel_holds_db=(0.0, -9.0))
        lines = drawn(view, width, height, palette, **options)
        assert [line.cell_len for line in lines] == [width] * height


@pytest.mark.parametrize(("width", "height"), [(60, 16), (80, 24), (110, 34), (200, 50)])
def test_everything_that_matters_is_there_at_every_size(session, width, height):
    perform(session, "settling")
    screen = "\n".join(line.plain for line in drawn(view_of(session, title=TITLE), width, height))
    for name in (*MIDLEVEL, *EMOTIONS):
        assert name.replace("_", " ") in screen
    for text in ("concerto no. 3", "● steered", "● REC", "1:02 / 4:05", "▲+0.12", "▼−0.05", "−12.0", "underruns 0"):
        assert text in screen
    if width >= 80:
        for text in ("last 10 s, settling", "0.23 → 0.35", "xruns 0", "buffer 4 blocks", "latency 31 ms"):
            assert text in screen
    perform(session)
    assert "◆ expected" in "\n".join(line.plain for line in drawn(view_of(session), max(width, 80), max(height, 24)))
    assert ("map" in screen) is (height >= 34)
    wide = screen.count("rhythmic complexity")
    assert wide == (2 if width >= 150 else 1)  # (the features' own effects have a panel of their own)


def test_the_selected_fader_is_seen_however_low_the_terminal(session):
    for height in range(3, 16):
        for selected, name in enumerate(MIDLEVEL):
            lines = drawn(view_of(session, selected=selected), 60, height)
            assert any(line.plain.startswith(f"▸ {name.replace('_', ' ')}") for line in lines), (height, name)


def test_a_fader_stands_where_its_value_is(session):
    session.set("/moodfader/midlevel/melodiousness", -12.0)
    session.set("/moodfader/midlevel/articulation", 12.0)
    lines = [row.plain for row in fader_rows(view_of(session), 80, MANY_COLOURS)[1:]]
    places = [line.index("█") for line in lines]
    assert places[0] < places[2] < places[1]
    assert places[2] - places[0] == places[1] - places[2]
    assert "−12.0" in lines[0]
    assert "+12.0" in lines[1]


@pytest.mark.parametrize("palette", PALETTES)
def test_nothing_is_coloured_below_a_change_of_one_hundredth(session, palette):
    perform(session)
    session.publish(
        {"/moodfader/original/happy": 0.656, "/moodfader/measured/happy": 0.664, "/moodfader/effect/happy": 0.008}
    )
    session.publish({"/moodfader/expected/happy": -0.0099})
    rows = {row.plain.split()[0]: row for row in effect_rows(
        "emotions", view_of(session).emotion_effects, view_of(session), 90, palette
    )}  # fmt: skip
    assert "0.66 → 0.66" in rows["happy"].plain
    assert not coloured(rows["happy"])
    assert not set("▲▼█▌▐◆") & set(rows["happy"].plain)
    assert "0.23 → 0.35" in rows["tension"].plain
    assert coloured(rows["tension"]) is (palette is not NO_COLOUR)
    assert "▲+0.12" in rows["tension"].plain


def test_the_effect_is_a_bar_from_the_middle_and_the_expected_one_a_mark():
    bars = [
        centred_bar(change, expected, 21, 0.1, MANY_COLOURS).plain
        for change, expected in ((0.05, 0.1), (-0.05, -0.1), (0.055, None), (0.2, 0.0), (-0.2, 0.3), (0.009, 0.05))
    ]
    assert bars == [
        "··········│█████····◆",
        "◆····█████│··········",
        "··········│█████▌····",
        "··········│█████████▶",
        "◀█████████│·········◆",
        "··········│····◆·····",
    ]
    assert (bar_scale(0.03, None), bar_scale(-0.101), bar_scale(0.2, 0.51), bar_scale()) == (0.1, 0.2, 1.0, 0.1)
    texts = [change_text(change, NO_COLOUR).plain for change in (0.01, -0.25, 0.0099, None)]
    assert texts == ["  ▲+0.01 "[1:], " ▼−0.25 ", "      0 ", "      – "]


@pytest.mark.parametrize("scene", STATES)
def test_the_state_of_the_sound_is_said_in_words_and_with_a_sign(session, scene):
    perform(session, scene)
    sound, words = STATES[scene]
    for width in (80, 110, 200):
        assert words in drawn(view_of(session, title=TITLE), width, 24)[0].plain
    state = sound_state(view_of(session))
    assert state.warning is (sound in ("no_analysis", "output_gone", "renderer_gone"))
    session.publish({"/moodfader/excerpt/settling": True})
    settles = sound in ("steered", "delta")
    assert sound_state(view_of(session)).words == (f"{words}, settling" if settles else words)


def test_each_state_has_its_own_sign(session):
    signs = {}
    for scene, (sound, _) in STATES.items():
        perform(session, scene)
        signs[sound] = sound_state(view_of(session)).sign
    assert len(set(signs.values())) == len(signs) - 1  # (both kinds of gone have the same)


def test_a_terminal_without_unicode_gets_signs_of_the_same_width(session):
    perform(session)
    for line in drawn(view_of(session, title="東京 é.flac"), 80, 24):
        for encoding, letters in (("ascii", None), ("latin-1", "é"), ("utf-8", line.plain)):
            plain = to_plain(line.plain, encoding)
            plain.encode(encoding)
            assert cell_len(plain) == 80
            assert letters is None or letters not in line.plain or letters in plain
    assert to_plain("▶ 東京 é █◆│▲+0.12 →", "latin-1") == "> ???? é #*|^+0.12 >"
