"""The track that ships: its file, its form, and the voice leading it was arranged with."""

from importlib import resources
from itertools import pairwise
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from moodfader.models.synthesis.demo_players import voice_lead
from moodfader.models.synthesis.demo_score import (
    CLOSING_BARS,
    CLOSING_THEME,
    DRIVING_BARS,
    LYRICAL_BARS,
    LYRICAL_THEME,
)
from moodfader.models.synthesis.demo_track import compose_demo


@pytest.fixture(scope="module")
def shipped():
    with resources.as_file(resources.files("moodfader.presets") / "demo.ogg") as path:
        yield Path(path)


def test_the_file_is_small_tagged_and_well_levelled(shipped):
    samples, sample_rate = soundfile.read(shipped, always_2d=True)
    assert shipped.stat().st_size < 900_000
    assert (samples.shape[1], sample_rate) == (2, 44100)
    assert 40 <= len(samples) / sample_rate <= 46
    assert -3.0 <= 20 * np.log10(np.abs(samples).max()) <= -0.5
    seconds = np.sqrt((samples[: len(samples) // 44100 * 44100] ** 2).reshape(-1, 44100 * 2).mean(axis=1))
    assert seconds[:-2].min() > 10 ** (-40 / 20)
    tags = mutagen.File(shipped).tags
    assert tags["artist"] == ["Moodfader"]
    assert tags["title"][0].startswith("Moodfader Demo")
    assert tags["license"][0].startswith("CC0-1.0")


def test_the_file_is_as_long_as_the_score(shipped):
    assert soundfile.info(shipped).duration == pytest.approx(compose_demo().length, abs=0.01)


def test_composing_again_gives_the_same_messages():
    assert [list(track) for track in compose_demo().tracks] == [list(track) for track in compose_demo().tracks]


@pytest.mark.parametrize("bars", [LYRICAL_BARS, DRIVING_BARS, CLOSING_BARS])
def test_voices_move_little_and_sound_the_whole_triad(bars):
    led = voice_lead(bars, (57, 62, 66))
    for bar, voices in zip(bars, led, strict=True):
        assert {pitch % 12 for pitch in voices} == set(bar.tones[:3])
    for before, after in pairwise(led):
        assert max(abs(one - other) for one, other in zip(before, after, strict=True)) <= 5


def test_themes_fill_their_bars():
    for theme, bars in ((LYRICAL_THEME, LYRICAL_BARS), (CLOSING_THEME, CLOSING_BARS)):
        assert sum(length for length, _ in theme) == sum(bar.beats for bar in bars)
