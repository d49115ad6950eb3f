"""Faders to gains, against the definition written out slowly."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.engine.dsp import segment_mask
from moodfader.engine.dsp.array_backend import NUMPY, ArrayBackend
from moodfader.engine.dsp.faders import Faders
from moodfader.engine.dsp.processor import SteeredSound
from moodfader.engine.dsp.segment_mask import SegmentMask, segment_gain_db
from moodfader.models.common.constants import HOP_LENGTH, MIDLEVEL, N_BANDS, SAMPLE_RATE
from moodfader.models.common.errors import InputError
from moodfader.models.network.spectrogram import band_frequencies


def test_faders_have_the_seven_names_in_order():
    values = dict(zip(MIDLEVEL, range(-3, 4), strict=True))
    np.testing.assert_array_equal(Faders.from_mapping(values).to_array(), np.arange(-3, 4, dtype=np.float32))
    assert Faders.from_mapping({"tonal-stability": 3}).tonal_stability == 3
    assert Faders().is_neutral
    assert not Faders(modality=0.1).is_neutral


@pytest.mark.parametrize("value", [12.01, -13, float("nan"), float("inf")])
def test_a_fader_out_of_range_is_refused(value):
    with pytest.raises(InputError, match=r"dissonance.*out of range"):
        Faders(dissonance=value)


def test_an_unknown_name_gets_a_guess():
    with pytest.raises(InputError, match=r"'melodiousnes'.*did you mean melodiousness"):
        Faders.from_mapping({"melodiousnes": 1})
    with pytest.raises(InputError, match="there are melodiousness, articulation"):
        Faders.from_mapping({"xyzzy": 1})
    with pytest.raises(InputError, match=r"modality.*not a number"):
        Faders.from_mapping({"modality": "loud"})


@given(st.integers(0, 2**32 - 1))
def test_the_gain_of_a_segment_is_the_limited_sum_over_features(seed):
    rng = np.random.default_rng(seed)
    weights, faders = rng.uniform(-1, 1, (5, 7)), rng.uniform(-12, 12, 7)
    gains = segment_gain_db(weights, faders)
    for segment in range(5):
        total = sum(faders[k] * weights[segment, k] for k in range(7))
        assert gains[segment] == pytest.approx(max(-24, min(24, total)), abs=1e-4)


def test_all_faders_up_stop_at_the_limit():
    np.testing.assert_array_equal(segment_gain_db(np.array([[1.0] * 7, [-1.0] * 7]), np.full(7, 12.0)), [24, -24])


TORCH = ArrayBackend(torch, torch.fft, "cpu")
ONE_FADER_UP = np.eye(7)[0]


def answering_to_one_fader(gains_db):
    """Mask weights with which segments have these gains when the first fader is at 1 dB."""
    weights = np.zeros((len(gains_db), 7), np.float32)
    weights[:, 0] = gains_db
    return weights


def slow_gain_db(labels, gains_db, *, sample_rate, n_fft, hop_length, frame):
    """One STFT frame's gains in dB by the definition, bin by bin."""
    decibels = np.pad(gains_db[labels], ((100, 100), (1, 1)), mode="edge")
    smooth = decibels[:, :-2] / 4 + decibels[:, 1:-1] / 2 + decibels[:, 2:] / 4
    smooth[1:-1] = smooth[:-2] / 4 + smooth[1:-1] / 2 + smooth[2:] / 4
    time = frame * hop_length / sample_rate
    times = np.arange(-100, len(labels) + 100) * HOP_LENGTH / SAMPLE_RATE
    at_time = np.array([np.interp(time, times, smooth[:, band]) for band in range(N_BANDS)])
    frequencies = np.maximum(np.arange(n_fft // 2 + 1) * sample_rate / n_fft, 1e-3)
    return np.interp(np.log(frequencies), np.log(band_frequencies()), at_time)


@settings(max_examples=20, deadline=None)
@given(
    sample_rate=st.sampled_from([8000, 22050, 44100, 96000]),
    first=st.integers(-2, 150),
    seed=st.integers(0, 100),
)
def test_the_gains_of_bins_are_those_of_the_definition(sample_rate, first, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 40, (40, N_BANDS)).astype(np.int32)
    gains_db = rng.uniform(-24, 24, 40).astype(np.float32)
    grid = {"sample_rate": sample_rate, "n_fft": 512, "hop_length": 128}
    mask = SegmentMask(labels, answering_to_one_fader(gains_db), sample_rate=sample_rate, n_fft=512)
    fast = mask.frame_gains(np.arange(first, first + 5) * 128, ONE_FADER_UP)
    for number in range(5):
        slow = slow_gain_db(labels, gains_db, frame=first + number, **grid)
        np.testing.assert_allclose(20 * np.log10(fast[number]), slow, atol=2e-3)


def test_one_gain_everywhere_stays_that_gain():
    labels = np.zeros((10, N_BANDS), dtype=np.int32)
    mask = SegmentMask(labels, np.ones((1, 7), np.float32), sample_rate=44100)
    centres = np.arange(-1, 39) * 512
    np.testing.assert_allclose(mask.frame_gains(centres, np.eye(7)[0] * 6), 10 ** (6 / 20), rtol=1e-6)
    np.testing.assert_array_equal(mask.frame_gains(centres, np.zeros(7)), 1.0)


@pytest.mark.parametrize("device", ["cpu", "torch"])
def test_gains_do_not_depend_on_how_many_frames_are_asked_for(device, monkeypatch):
    monkeypatch.setattr(segment_mask, "array_backend", lambda name: TORCH if name == "torch" else NUMPY)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 9, (60, N_BANDS)).astype(np.int32)
    mask = SegmentMask(labels, rng.uniform(-1, 1, (9, 7)), sample_rate=44100, device=device)
    faders_db = rng.uniform(-3, 3, 7)
    gains = mask.backend.to_host(mask.frame_gains(np.arange(100) * 512, faders_db))
    one_by_one = [mask.backend.to_host(mask.frame_gains(np.array([k * 512]), faders_db)) for k in range(100)]
    np.testing.assert_array_equal(gains, np.concatenate(one_by_one))


def test_both_array_libraries_give_the_same_sound(monkeypatch):
    """torch on the processor stands in for a card, which few machines have (see test_cuda.py)."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 9, (60, N_BANDS)).astype(np.int32)
    weights = rng.uniform(-1, 1, (9, 7)).astype(np.float32)
    samples = rng.normal(0, 0.1, (60000, 2)).astype(np.float32)
    monkeypatch.setattr(segment_mask, "array_backend", lambda name: TORCH if name == "torch" else NUMPY)
    sounds = []
    for device in ("cpu", "torch"):
        sound = SteeredSound(labels, weights, sample_rate=44100, channels=2, device=device)
        sounds.append(np.concatenate([sound.process(samples, Faders(modality=6, dissonance=-4)), sound.flush()]))
    np.testing.assert_allclose(sounds[0], sounds[1], atol=2e-6)
    assert np.abs(sounds[0] - samples).max() > 0.01
