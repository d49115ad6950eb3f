"""Acoustic measures of a sound, by arithmetic alone: what a judge without a network listens to.

Levels and their spread, the balance of nine bands, brightness, flatness, contrast between peaks and valleys,
percussive share (median filters, Fitzgerald 2010), onsets and how regularly they return (autocorrelation), chroma and
its likeness to major and minor keys (Krumhansl & Kessler 1982), roughness of pairs of spectral peaks (Sethares 1993),
and cepstral coefficients. Spectra of 2048 samples at 22,050 Hz, Hann window, hop 704.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from scipy import fft, ndimage, signal

from ..common.arrays import FloatArray
from ..common.constants import HOP_LENGTH, N_FFT, SAMPLE_RATE

FLOOR_DB: Final = -80.0
_EDGES_HZ: Final = np.array([30.0, 110.0, 220.0, 440.0, 880.0, 1500.0, 2500.0, 4000.0, 6500.0, 10_500.0])
_MAJOR: Final = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR: Final = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
_FREQUENCIES: Final = np.fft.rfftfreq(N_FFT, 1 / SAMPLE_RATE)
_PEAKS: Final = 12


def acoustic_measures(sound: FloatArray) -> FloatArray:
    """Measures float32 [N] of mono sound [samples] at 22,050 Hz; N is the same for every sound."""
    power = _power(sound)  # [frames, bins]
    bands = _band_levels(power)  # [frames, 9] dB
    level = _decibels(power.sum(1))
    loud = level > level.max() - 50  # what is nearly silent says nothing about timbre
    onsets = np.maximum(np.diff(bands, axis=0), 0)  # [frames - 1, 9]
    parts = [
        [level[loud].mean(), *np.percentile(level, (5, 50, 95)), level[loud].std(), np.abs(np.diff(level)).mean()],
        bands[loud].mean(0) - level[loud].mean(),
        bands[loud].std(0),
        _shape(power[loud]),
        _percussive(power),
        onsets.mean(0),
        _pulse(onsets.sum(1)),
        _keys(power),
        _roughness(power),
        _cepstrum(power[loud]),
    ]
    return np.concatenate([np.asarray(part, np.float64).ravel() for part in parts]).astype(np.float32)


def _power(sound: FloatArray) -> FloatArray:
    padded = np.pad(sound, (N_FFT // 2, N_FFT // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP_LENGTH]
    return np.asarray(np.abs(fft.rfft(frames * np.hanning(N_FFT).astype(np.float32))) ** 2, np.float64)


def _decibels(power: FloatArray) -> FloatArray:
    return np.asarray(np.maximum(10 * np.log10(power / (N_FFT / 4) ** 2 + 1e-30), FLOOR_DB))


def _band_levels(power: FloatArray) -> FloatArray:
    edges = np.searchsorted(_FREQUENCIES, _EDGES_HZ)
    return _decibels(np.add.reduceat(power, edges, axis=1)[:, :-1])


def _shape(power: FloatArray) -> list[float]:
    """Centroid, spread and roll-off in octaves, flatness, and contrast in six bands: means and deviations."""
    inside = slice(2, None)
    octaves = np.log2(_FREQUENCIES[inside])
    magnitude = np.sqrt(power[:, inside])
    share = magnitude / (magnitude.sum(1, keepdims=True) + 1e-12)
    centroid = share @ octaves
    spread = np.sqrt(np.maximum(share @ octaves**2 - centroid**2, 0))
    rolled = octaves[(np.cumsum(share, 1) < 0.85).sum(1).clip(0, len(octaves) - 1)]
    logs = np.log(power[:, inside] + 1e-10)
    flatness = logs.mean(1) - np.log(power[:, inside].mean(1) + 1e-10)
    values: list[float] = []
    for measure in (centroid, spread, rolled, flatness):
        values += [float(measure.mean()), float(measure.std())]
    for low, high in pairwise(_EDGES_HZ[1:8]):
        part = np.sort(logs[:, (_FREQUENCIES[inside] >= low) & (_FREQUENCIES[inside] < high)], axis=1)
        fifth = max(1, part.shape[1] // 5)
        values.append(float((part[:, -fifth:].mean(1) - part[:, :fifth].mean(1)).mean()))
    return values


def _percussive(power: FloatArray) -> list[float]:
    """Share of the magnitude that is percussive, of all bands and of three regions."""
    magnitude = np.sqrt(power[:, :700])
    steady = ndimage.median_filter(magnitude, (17, 1)) ** 2
    struck = ndimage.median_filter(magnitude, (1, 17)) ** 2
    mask = struck / (steady + struck + 1e-10)
    regions = (slice(2, 40), slice(40, 150), slice(150, 700))
    return [
        float((mask[:, part] * magnitude[:, part]).sum() / (magnitude[:, part].sum() + 1e-9))
        for part in (slice(2, 700), *regions)
    ]


def _pulse(onset: FloatArray) -> list[float]:
    """Spread of the onset curve, onsets a second, and height and period of its strongest return."""
    centred = onset - onset.mean()
    energy = float((centred**2).sum()) + 1e-9
    lags = np.arange(8, min(63, max(9, len(onset) // 2)))  # 0.25 to 2 s
    returns = np.array([float((centred[lag:] * centred[:-lag]).sum()) / energy for lag in lags])
    peaks, _ = signal.find_peaks(onset, height=onset.mean() + onset.std(), distance=3)
    rate = len(peaks) / (len(onset) * HOP_LENGTH / SAMPLE_RATE)
    best = int(returns.argmax())
    return [float(onset.std() / (onset.mean() + 1e-6)), rate, float(returns[best]), float(np.log2(lags[best]))]


def _keys(power: FloatArray) -> list[float]:
    """Likeness to the best major and the best minor key and their difference, evenness and change of the chroma."""
    inside = (_FREQUENCIES > 100) & (_FREQUENCIES < 2500)
    classes = np.rint(12 * np.log2(_FREQUENCIES[inside] / 440)).astype(int) % 12
    chroma = np.sqrt(power[:, inside]) @ np.eye(12)[classes]
    whole = chroma.sum(0) / (chroma.sum() + 1e-9)
    with np.errstate(invalid="ignore"):  # of silence
        profiles = (_MAJOR, _MINOR)
        likeness = [[np.corrcoef(np.roll(whole, -k), profile)[0, 1] for k in range(12)] for profile in profiles]
    major, minor = (float(np.nan_to_num(np.max(row))) for row in likeness)
    smooth = ndimage.uniform_filter1d(chroma, 15, axis=0)
    unit = smooth / (np.linalg.norm(smooth, axis=1, keepdims=True) + 1e-9)
    change = float(1 - (unit[15:] * unit[:-15]).sum(1).mean()) if len(unit) > 15 else 0.0
    entropy = float(-(whole * np.log(whole + 1e-9)).sum())
    local = -(unit**2 * np.log(unit**2 + 1e-9)).sum(1).mean()
    return [major, minor, major - minor, max(major, minor), entropy, change, float(local)]


def _roughness(power: FloatArray) -> list[float]:
    """Mean and deviation of Sethares' dissonance of the twelve highest peaks of every eighth frame, by magnitude."""
    found = []
    magnitude = np.sqrt(power[::8, :600])
    for frame in magnitude:
        peaks, _ = signal.find_peaks(frame)
        peaks = peaks[np.argsort(frame[peaks])[-_PEAKS:]]
        if len(peaks) < 2:
            continue
        frequency, height = _FREQUENCIES[peaks], frame[peaks] / (frame[peaks].sum() + 1e-9)
        low = np.minimum.outer(frequency, frequency)
        apart = np.abs(np.subtract.outer(frequency, frequency)) * 0.24 / (0.0207 * low + 18.96)
        pairs = np.minimum.outer(height, height) * (np.exp(-3.51 * apart) - np.exp(-5.75 * apart))
        found.append(float(pairs.sum()))
    return [float(np.mean(found)), float(np.std(found))] if found else [0.0, 0.0]


def _cepstrum(power: FloatArray) -> FloatArray:
    """Means and deviations of the first 13 cepstral coefficients (the level apart) of 40 third-octave-like bands."""
    edges = np.searchsorted(_FREQUENCIES, np.geomspace(60, 10_500, 41))
    edges = np.maximum.accumulate(np.maximum(edges, np.arange(41) + 3))
    bands = _decibels(np.add.reduceat(power, edges, axis=1)[:, :-1])
    coefficients = fft.dct(bands, axis=1, norm="ortho")[:, 1:14]
    return np.concatenate((coefficients.mean(0), coefficients.std(0)))
