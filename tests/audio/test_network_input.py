"""How a track becomes the network's input: clicks, level, silent ends."""

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.engine.analysis.prediction import predict_track
from moodfader.engine.audio.track import load_track
from moodfader.models.common.constants import HOP_LENGTH, SAMPLE_RATE
from moodfader.models.common.errors import InputError
from moodfader.models.inference.checkpoint import load_model
from moodfader.models.signal.click_removal import ClickRemover, click_samples, without_clicks
from moodfader.models.signal.input_level import measured
from moodfader.models.signal.soft_limit import soft_limit, unlimited


@pytest.fixture(scope="module")
def model():
    return load_model()


def plucked(seconds: float, *, rate: int = SAMPLE_RATE, seed: int = 0) -> np.ndarray:
    """Decaying tones with sharp attacks, peak about 0.9."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    sound = np.zeros_like(time)
    for onset in np.arange(0, seconds - 0.2, 0.23):
        later = np.clip(time - onset, 0, None)
        sound += (time >= onset) * np.exp(-6 * later) * np.sin(2 * np.pi * rng.uniform(150, 900) * later + 1.0)
    return (0.9 * sound / np.abs(sound).max()).astype(np.float32)


def values(prediction) -> np.ndarray:
    return np.array([*prediction.midlevel.values(), *prediction.emotions.values()])


def predicted(path, sound, rate, model) -> np.ndarray:
    soundfile.write(path, sound, rate, subtype="PCM_16")
    return values(predict_track(load_track(path), model))


@pytest.mark.parametrize("rate", [22050, 44100])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_click_in_quiet_sound_moves_no_prediction(tmp_path, model, rate, channels):
    quiet = np.repeat(0.02 * plucked(6, rate=rate)[:, None], channels, axis=1)
    clicked = quiet.copy()
    clicked[2 * rate + 17] = 0.99
    before, after = (predicted(tmp_path / "x.wav", sound, rate, model) for sound in (quiet, clicked))
    assert np.abs(after - before).max() < 0.005


@pytest.mark.parametrize("before_s", [0.5, 7.3])
def test_silence_at_the_ends_counts_for_nothing(tmp_path, model, before_s):
    sound = plucked(6)
    silence = np.zeros(round(before_s * SAMPLE_RATE), np.float32)
    alone = predicted(tmp_path / "x.wav", sound, SAMPLE_RATE, model)
    longer = predicted(tmp_path / "x.wav", np.concatenate([silence, sound, silence, silence]), SAMPLE_RATE, model)
    assert np.abs(longer - alone).max() < 1e-5


def test_attacks_and_noise_are_no_clicks():
    rng = np.random.default_rng(0)
    assert len(click_samples(plucked(5))) == 0
    assert len(click_samples(rng.standard_normal(SAMPLE_RATE).astype(np.float32))) == 0
    hit = np.zeros(4000, np.float32)
    hit[1000:] = rng.standard_normal(3000) * np.exp(-np.arange(3000) / 60)
    assert len(click_samples(hit)) == 0


def test_a_straight_line_replaces_a_click():
    sound = 0.1 * np.sin(np.arange(1000) / 20).astype(np.float32)
    broken = sound.copy()
    broken[500:502] = [0.9, -0.8]
    mended = without_clicks(broken)
    assert np.abs(mended - sound).max() < 0.001
    assert without_clicks(sound) is sound


@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 700), max_size=6))
@settings(max_examples=60, deadline=None)
def test_clicks_are_found_wherever_blocks_are_cut(seed, cuts):
    rng = np.random.default_rng(seed)
    sound = (0.01 * rng.standard_normal(700)).astype(np.float32)
    sound[rng.integers(0, 700, 4)] = 1.0
    remover = ClickRemover()
    parts = [remover.add(part) for part in np.split(sound, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate([*parts, remover.flush()]), without_clicks(sound))


@given(cuts=st.lists(st.integers(0, 50_000), max_size=6))
@settings(max_examples=30, deadline=None)
def test_level_and_ends_do_not_depend_on_blocks(cuts):
    sound = np.concatenate([np.zeros(3000, np.float32), plucked(2), np.zeros(4000, np.float32)])
    whole, parts = measured(sound), measured(sound[:0])
    for part in np.split(sound, sorted(cuts)):
        parts.add(part)
    assert (parts.level, parts.sounding) == (whole.level, whole.sounding)


def test_level_and_ends_of_a_sound():
    rng = np.random.default_rng(1)
    tone = 0.5 * np.sin(np.arange(10 * SAMPLE_RATE) * 0.3).astype(np.float32)
    loud = tone.copy()
    loud[50_000:50_300] *= 10  # one moment
    assert measured(loud).level == pytest.approx(measured(tone).level, rel=0.01) == pytest.approx(0.5, rel=0.01)
    ends = np.zeros(7 * HOP_LENGTH + 5, np.float32)
    sounding = np.concatenate([ends, 0.1 * rng.standard_normal(20 * HOP_LENGTH).astype(np.float32), ends])
    assert measured(sounding).sounding == (len(ends), len(sounding) - len(ends))
    assert measured(sounding).level == pytest.approx(measured(sounding[len(ends) : -len(ends)]).level, rel=0.1)
    assert measured(ends).level == 0


def test_a_track_of_single_clicks_is_silent(tmp_path):
    sound = np.zeros(SAMPLE_RATE * 2, np.float32)
    sound[::2000] = 0.9
    soundfile.write(tmp_path / "clicks.wav", sound, SAMPLE_RATE)
    with pytest.raises(InputError, match="silent"):
        load_track(tmp_path / "clicks.wav")


@given(st.lists(st.floats(-3, 4), min_size=1, max_size=9))
def test_values_are_bent_into_0_to_1_and_back(numbers):
    limited = soft_limit(numbers)
    assert ((limited >= 0) & (limited <= 1)).all()
    inside = [x for x in numbers if -0.2 < x < 1.2]
    np.testing.assert_allclose(unlimited(soft_limit(inside)), inside, atol=1e-6)
    middle = [x for x in numbers if 0.05 <= x <= 0.95]
    np.testing.assert_array_equal(soft_limit(middle), middle)
