"""The limiter: the ceiling holds, and what is below it is not touched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.engine.dsp.limiter import LOOK_AHEAD_S, RELEASE_DB_PER_S, Limiter
from scipy.signal import butter, resample_poly, sosfilt

RATE = 44100


def run(sound, *, ceiling_dbtp=-1.0, block_length=4096, subject=None, sample_rate=RATE):
    limiter = Limiter(sample_rate=sample_rate, channels=sound.shape[1], ceiling_dbtp=ceiling_dbtp)
    parts = []
    for start in range(0, len(sound), block_length):
        chosen = None if subject is None else subject[start : start + block_length]
        parts.append(limiter.process(sound[start : start + block_length], chosen))
    return np.concatenate([*parts, limiter.flush()])


def plain_true_peak_db(sound, factor=8):
    return 20 * np.log10(np.abs(resample_poly(sound.astype(np.float64), factor, 1, axis=0)).max())


def loud(kind, seconds=1.5):
    rng = np.random.default_rng(0)
    samples = round(seconds * RATE)
    time = np.arange(samples) / RATE
    noise = sosfilt(butter(8, 19000, fs=RATE, output="sos"), rng.standard_normal((samples, 2)), axis=0)
    sound = {
        "noise": noise,
        "clipped noise": np.clip(noise * 2, -1, 1),
        "bass": 2 * np.sin(2 * np.pi * 50 * time)[:, None] * [1, 1],
        "high tone": 1.5 * np.sin(2 * np.pi * 11025 * time + np.pi / 4)[:, None] * [1, 0.3],
        "clicks": np.where(rng.random((samples, 2)) < 0.001, 2.0, 0.0),
        "drums": noise * np.exp(-(time % 0.25)[:, None] * 30) * 2,
    }[kind]
    return sound.astype(np.float32)


@pytest.mark.parametrize("kind", ["noise", "clipped noise", "bass", "high tone", "clicks", "drums"])
@pytest.mark.parametrize("ceiling_dbtp", [-1.0, -6.0])
def test_the_ceiling_holds(kind, ceiling_dbtp):
    output = run(loud(kind), ceiling_dbtp=ceiling_dbtp)
    assert output.shape == loud(kind).shape
    assert plain_true_peak_db(output) <= ceiling_dbtp + 0.01


@pytest.mark.parametrize("sample_rate", [8000, 22050, 96000])
def test_the_ceiling_holds_at_any_rate_and_channel_count(sample_rate):
    sound = np.random.default_rng(1).standard_normal((sample_rate, 6))
    sound = sosfilt(butter(8, 0.85, output="sos"), sound, axis=0).astype(np.float32)
    assert plain_true_peak_db(run(sound, sample_rate=sample_rate)) <= -0.99


def test_what_is_below_the_ceiling_passes_untouched():
    sound = loud("noise")
    sound *= 0.8 / np.abs(sound).max()
    np.testing.assert_array_equal(run(sound), sound)


@settings(max_examples=20, deadline=None)
@given(block_length=st.integers(16, 9000), kind=st.sampled_from(["noise", "drums", "clicks"]))
def test_any_block_size_gives_the_same_output(block_length, kind):
    sound = loud(kind, seconds=0.2)
    np.testing.assert_array_equal(run(sound, block_length=block_length), run(sound, block_length=1000))


def test_the_gain_is_smooth_and_shared_by_the_channels():
    sound = np.full((RATE, 2), 0.1, dtype=np.float32)
    sound[20000, 0] = 2.0
    gain = run(sound) / sound
    np.testing.assert_array_equal(gain[:, 0], gain[:, 1])
    decibels = 20 * np.log10(gain[:, 0])
    asked = 20 * np.log10(2.0) + 1
    assert decibels[20000] == pytest.approx(-asked, abs=0.4)
    look_ahead = round(LOOK_AHEAD_S * RATE)
    assert np.all(gain[: 20000 - look_ahead - 2] == 1)
    assert np.abs(np.diff(decibels)).max() < 3 * asked / look_ahead
    released = 20000 + round((asked + 0.3) / RELEASE_DB_PER_S * RATE) + 2 * look_ahead
    assert np.all(gain[released:] == 1)
    halfway = 20000 + round(asked / 2 / RELEASE_DB_PER_S * RATE)
    assert decibels[halfway] == pytest.approx(-asked / 2, abs=0.6)


def test_samples_that_are_not_subject_pass_untouched():
    sound = loud("noise")
    np.testing.assert_array_equal(run(sound, subject=np.zeros(len(sound), dtype=bool)), sound)
    half = np.arange(len(sound)) >= RATE // 2
    output = run(sound, subject=half)
    before = RATE // 2 - round(LOOK_AHEAD_S * RATE) - 2
    np.testing.assert_array_equal(output[:before], sound[:before])
    assert plain_true_peak_db(output[RATE // 2 + 50 :]) <= -0.9
