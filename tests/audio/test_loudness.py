"""Loudness and true peak against the standard's own cases and against other programs."""

import re
import shutil
import subprocess

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.engine.audio.loudness import LoudnessMeter
from moodfader.engine.audio.true_peak import TruePeakMeter
from scipy.signal import resample_poly


def loudness(sound, sample_rate, block_length=65536):
    meter = LoudnessMeter(sample_rate, sound.shape[1])
    for start in range(0, len(sound), block_length):
        meter.add(sound[start : start + block_length])
    return meter.integrated()


def true_peak(sound, block_length=65536):
    meter = TruePeakMeter(sound.shape[1])
    for start in range(0, len(sound), block_length):
        meter.add(sound[start : start + block_length])
    return meter.peak_dbtp()


def sine(level_db, seconds, sample_rate=48000, frequency=1000.0, channels=2):
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency * time)
    return np.repeat(wave.astype(np.float32)[:, None], channels, axis=1)


def pink(seconds, sample_rate, channels, seed=0):
    samples = round(seconds * sample_rate)
    white = np.random.default_rng(seed).standard_normal((samples, channels))
    shape = np.sqrt(np.arange(1, samples // 2 + 2))[:, None]
    sound = np.fft.irfft(np.fft.rfft(white, axis=0) / shape, n=samples, axis=0)
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * np.arange(samples) / sample_rate / 5)[:, None]
    return (sound * swell / np.abs(sound).max()).astype(np.float32)


# EBU Tech 3341, minimum requirements test signals: levels of a 1 kHz sine in stereo and for how long.
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(-23, 20)], -23.0),
        ([(-33, 20)], -33.0),
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
    ],
)
def test_the_cases_of_ebu_tech_3341(parts, expected):
    sound = np.concatenate([sine(level, seconds) for level, seconds in parts])
    assert loudness(sound, 48000) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("sample_rate", [22050, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_the_same_as_pyloudnorm(sample_rate, channels):
    sound = pink(8, sample_rate, channels)
    reference = pyloudnorm.Meter(sample_rate, filter_class="DeMan").integrated_loudness(sound.astype(np.float64))
    assert loudness(sound, sample_rate) == pytest.approx(reference, abs=0.02)


@settings(max_examples=10, deadline=None)
@given(block_length=st.integers(100, 50000), sample_rate=st.sampled_from([8000, 11025, 44100]))
def test_loudness_does_not_depend_on_the_blocks(block_length, sample_rate):
    sound = pink(3, sample_rate, 2)
    assert loudness(sound, sample_rate, block_length) == pytest.approx(loudness(sound, sample_rate), abs=1e-9)


def test_silence_and_scraps_have_the_loudness_of_the_gate():
    assert loudness(np.zeros((48000, 2), dtype=np.float32), 48000) == -70
    assert loudness(sine(-20, 0.3), 48000) == -70
    assert loudness(sine(-20, 0.4), 48000) == pytest.approx(-20, abs=0.2)


def test_the_peak_of_a_tone_is_found_between_its_samples():
    # A quarter of the rate, sampled at 45 degrees: all samples are 3 dB below the peak.
    time = np.arange(20000)
    fade = np.minimum(1, np.minimum(time, time[::-1]) / 5000)
    sound = (fade * np.sin(np.pi / 2 * time + np.pi / 4)).astype(np.float32)[:, None]
    assert 20 * np.log10(np.abs(sound).max()) == pytest.approx(-3.01, abs=0.01)
    assert true_peak(sound) == pytest.approx(0, abs=0.03)


@settings(max_examples=10, deadline=None)
@given(block_length=st.integers(100, 9000), seed=st.integers(0, 50))
def test_true_peak_is_that_of_a_plain_interpolation_for_any_blocks(block_length, seed):
    sound = pink(1, 44100, 2, seed=seed)[:6789]
    plain = np.abs(resample_poly(sound.astype(np.float64), 16, 1, axis=0, window=("kaiser", 5.0))).max()
    assert true_peak(sound, block_length) == pytest.approx(20 * np.log10(plain), abs=0.06)
    assert true_peak(sound, block_length) >= 20 * np.log10(np.abs(sound).max())


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_the_same_as_ffmpeg(tmp_path, channels):
    sound = pink(8, 44100, channels)
    soundfile.write(tmp_path / "sound.wav", sound, 44100, subtype="FLOAT", format="WAVEX")
    command = ["ffmpeg", "-hide_banner", "-nostats", "-i", tmp_path / "sound.wav"]
    command += ["-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    summary = said[said.rindex("Summary:") :]
    heard_lufs = float(re.search(r"I:\s+(-?[\d.]+) LUFS", summary)[1])
    heard_dbtp = float(re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)[1])
    assert loudness(sound, 44100) == pytest.approx(heard_lufs, abs=0.1)
    assert true_peak(sound) == pytest.approx(heard_dbtp, abs=0.15)
