"""The gain map of the terminal view, and the thumbnail of the spectrogram behind it."""

import numpy as np
import pytest
from helpers.terminal_stage import write_analysis
from moodfader.control.tui.panels.gain_map import GainMap
from moodfader.control.tui.panels.palette import (
    MANY_COLOURS,
    NO_COLOUR,
    PALETTES,
    level_colour,
)
from moodfader.models.common.constants import MIDLEVEL
from rich.color import Color
from rich.console import Console

CONSOLE = Console(color_system="truecolor", force_terminal=True)


@pytest.fixture
def two_segments(tmp_path):
    """An analysis of two segments, one above the other: the upper one speaks for modality, the lower one against."""
    labels = np.zeros((2000, 149), np.int32)
    labels[:, 75:] = 1
    weights = np.zeros((2, 7), np.float32)
    weights[:, MIDLEVEL.index("modality")] = (-1, 1)
    return write_analysis(tmp_path / "analysis.npz", labels, weights)


@pytest.fixture
def faders_db():
    gains = np.zeros(7, np.float32)
    gains[MIDLEVEL.index("modality")] = 6.0
    return gains


def test_the_gain_map_shows_what_the_faders_do(two_segments, faders_db):
    gains_db = GainMap(two_segments).gains_db(-5, 600, faders_db)
    assert np.isnan(gains_db[:5]).all()
    assert np.isnan(gains_db[505:]).all()
    assert (gains_db[5:505, :8] == -6).all()
    assert (gains_db[5:505, 8:] == 6).all()
    rows = GainMap(two_segments).render_text(30.0, faders_db, 80, 9, MANY_COLOURS)
    top, bottom = (rows[line].get_style_at_offset(CONSOLE, 40).color.triplet for line in (1, 8))
    assert top.red > top.blue
    assert bottom.blue > bottom.red
    assert len(rows) == 9
    signs = [row.plain for row in GainMap(two_segments).render_text(30.0, faders_db, 80, 17, NO_COLOUR)]
    assert [row[40] for row in signs[1:]] == ["+"] * 8 + ["-"] * 8


def test_the_map_is_empty_beyond_the_ends_of_the_track(two_segments, faders_db):
    for palette in PALETTES:
        rows = GainMap(two_segments).render_text(0.0, faders_db, 80, 9, palette)
        assert not rows[3].plain[:20].strip()
        style = rows[3].get_style_at_offset(CONSOLE, 5)
        assert style.bgcolor is None or style.bgcolor.is_default


def test_loud_music_is_brighter_on_the_map(two_segments):
    levels = np.zeros((500, 16), np.uint8)
    levels[:, 8:] = 255
    gain_map = GainMap(two_segments, levels)
    rows = gain_map.render_text(30.0, np.zeros(7, np.float32), 80, 9, MANY_COLOURS)
    top, bottom = (rows[line].get_style_at_offset(CONSOLE, 40).color.triplet for line in (1, 8))
    assert top.red > bottom.red + 100
    signs = gain_map.render_text(30.0, np.zeros(7, np.float32), 80, 9, NO_COLOUR)
    assert (signs[1].plain[40], signs[8].plain[40]) == ("▓", " ")


def test_orange_and_blue_of_the_map_are_told_apart_at_every_level():
    for level in (0.0, 0.5, 1.0):
        boosted, cut = (level_colour(gain, level, full_db=12).triplet for gain in (6.0, -6.0))
        neutral = level_colour(0.0, level, full_db=12)
        assert boosted.red - boosted.blue > 40
        assert cut.blue - cut.red > 40
        assert isinstance(neutral, Color)
        assert len(set(neutral.triplet)) == 1


def test_a_thumbnail_is_every_fourth_frame_whatever_the_blocks():
    from moodfader.engine.audio.thumbnail import spectrogram_thumbnail, thumbnail_bands

    whole = np.random.default_rng(0).random((101, 149)).astype(np.float32)
    expected = spectrogram_thumbnail([whole])
    assert expected.shape == (26, 16)
    np.testing.assert_array_equal(spectrogram_thumbnail(np.split(whole, [3, 10, 11, 50])), expected)
    loudest = np.percentile(whole[::4, thumbnail_bands(149)], 99.5)
    np.testing.assert_array_equal(
        expected[3], (np.clip(whole[12, thumbnail_bands(149)] / loudest, 0, 1) * 255).astype(np.uint8)
    )
    assert spectrogram_thumbnail([]).shape == (0, 16)
