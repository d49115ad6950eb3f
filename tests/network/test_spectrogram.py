"""The front end against madmom's own definition (madmom-infer) and against itself in blocks."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from madmom_infer.audio import filters as reference_filters
from moodfader.models.common.constants import HOP_LENGTH, N_BANDS, N_FFT, SAMPLE_RATE
from moodfader.models.network.spectrogram import (
    LogSpectrogram,
    band_frequencies,
    filterbank,
    frame_count,
)
from moodfader.models.signal.log_spectrogram import spectrogram_blocks


def madmom_bank() -> np.ndarray:
    bins = np.fft.fftfreq(N_FFT, 1 / SAMPLE_RATE)[: N_FFT // 2]
    bank = reference_filters.LogarithmicFilterbank(
        bins, num_bands=24, fmin=20, fmax=16000, norm_filters=True, unique_filters=True
    )
    return np.asarray(getattr(bank, "filterbank", bank))


def slow_spectrogram(sound: np.ndarray) -> np.ndarray:
    """One frame after the other, in double precision, through madmom's filters."""
    bank = madmom_bank().astype(float)
    rows = []
    for index in range(frame_count(len(sound))):
        frame = np.zeros(N_FFT)
        start = index * HOP_LENGTH - N_FFT // 2
        for offset in range(N_FFT):
            if 0 <= start + offset < len(sound):
                frame[offset] = sound[start + offset]
        rows.append(np.log10(1 + np.abs(np.fft.fft(frame * np.hanning(N_FFT)))[: N_FFT // 2] @ bank))
    return np.array(rows)


def test_filters_are_madmoms():
    assert filterbank().shape == (N_FFT // 2, N_BANDS)
    np.testing.assert_allclose(filterbank(), madmom_bank(), atol=1e-7)


@pytest.mark.parametrize("length", [1, 703, 704, 705, 22050])
def test_equals_the_slow_reference(length):
    sound = np.random.default_rng(3).uniform(-1, 1, length).astype(np.float32)
    fast = LogSpectrogram()(torch.from_numpy(sound)).numpy()
    np.testing.assert_allclose(fast, slow_spectrogram(sound), atol=2e-5)


def test_a_tone_lights_up_its_own_band():
    for band in (40, 80, 120):
        tone = np.sin(2 * np.pi * band_frequencies()[band] * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
        picture = LogSpectrogram()(torch.from_numpy(tone).float())
        assert int(picture[10].argmax()) == band


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40_000), st.lists(st.integers(1, 9_000), min_size=1, max_size=8), st.integers(1, 40))
def test_any_block_length_gives_the_same_picture(length, cuts, frames_per_block):
    sound = np.random.default_rng(length).normal(size=length).astype(np.float32)
    edges = np.unique(np.clip(np.cumsum(cuts), 0, length))
    blocks = np.split(sound, edges)
    joined = np.concatenate(list(spectrogram_blocks(blocks, scale=2.0, frames_per_block=frames_per_block)))
    whole = LogSpectrogram()(torch.from_numpy(sound / 2)).numpy()
    assert joined.shape == whole.shape == (frame_count(length), N_BANDS)
    np.testing.assert_allclose(joined, whole, atol=1e-5)
