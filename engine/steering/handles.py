"""Handles: basis gain fields (bands, onsets, partials, pitch classes), and the sum of them for given coefficients.

Nine triangular bands; percussive against harmonic pixels (by median filters, Fitzgerald 2010) and loud against soft
moments, both below and above 850 Hz; onsets; the contrast of partials with what lies between them (spectral peaks
against their surroundings); and the twelve pitch classes. A gain field is F = 12 tanh(sum_h c_h Phi_h / 12), in dB:
smooth, and never beyond 12 dB.
"""

from typing import Final

import numpy as np
import torch

from ...models.common.arrays import FloatArray, Labels
from ...models.common.constants import HOP_LENGTH, N_BANDS, SAMPLE_RATE
from ...models.common.filterbank import band_frequencies

LIMIT_DB: Final = 12.0
"""No gain field of handles goes beyond this."""
SPLIT_HZ: Final = 850.0
"""Border between the handles that are low and those that are high."""
_BANDS: Final = 9
_MEDIAN: Final = 17
_FRAMES_AT_ONCE: Final = 4096
_TWO_SECONDS: Final = round(2 * SAMPLE_RATE / HOP_LENGTH)
_PITCH_CLASSES: Final = ("A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#")
HANDLES: Final = (
    *(f"band {number + 1}" for number in range(_BANDS)),
    "percussive low",
    "percussive high",
    "level low",
    "level high",
    "onset",
    "contrast",
    *(f"pitch class {name}" for name in _PITCH_CLASSES),
)
FADER_HANDLES: Final = 15
"""So many of them, the first, are used for faders: pitch classes gained nothing there."""
DAMAGE: Final = (
    np.array([0.06] * 4 + [0.07, 0.08, 0.1, 0.3, 0.18, 0.17, 0.45, 0.2, 0.5, 0.22, 0.1] + [0.1] * 12) / 0.08
)
"""What a handle costs in sound beside its decibels: how far 3 dB rms of it lower Zimtohrli's mean opinion score, over
what they cost on a usual handle (four clips, both signs; above 5 kHz and in fast changes damage is perceived most).
That of pitch classes is not measured; they count as contrast does.
"""
MARGIN: Final = _TWO_SECONDS
"""Frames around a stretch that its handles depend on."""


def handle_fields(spectrogram: FloatArray, *, count: int = len(HANDLES)) -> FloatArray:
    """The (first so many) handles of a log-spectrogram [frames, bands]: [handles, frames, bands] in -1..1."""
    from scipy import ndimage  # (a fifth of a second)

    spectrogram = spectrogram.astype(np.float32)
    low, high = _halves()
    fields = [np.broadcast_to(band, spectrogram.shape) for band in _triangles()]
    percussive = percussiveness(spectrogram)
    fields += [percussive * low, percussive * high]
    for half in (low, high):
        level = (spectrogram * half).sum(1) / half.sum()
        moving = level - ndimage.uniform_filter1d(level, _TWO_SECONDS)
        fields.append(np.clip(moving / 0.1, -1, 1)[:, None] * half)
    rise = np.maximum(np.diff(spectrogram, axis=0, prepend=spectrogram[:1]), 0).mean(1)
    onset = np.clip(rise / 0.03, 0, 1)
    onset = onset - ndimage.uniform_filter1d(onset, _TWO_SECONDS)
    fields.append(np.broadcast_to(onset[:, None], spectrogram.shape))
    contrast = spectrogram - ndimage.uniform_filter1d(spectrogram, 15, axis=1)
    fields.append(np.clip(contrast / 0.1, -1, 1))
    fields += [np.broadcast_to(pitch_class, spectrogram.shape) for pitch_class in _pitch_classes()]
    return np.stack(fields[:count]).astype(np.float32)


def segment_means(spectrogram: FloatArray, segments: Labels) -> FloatArray:
    """Mean of each handle over each segment, 0 where there are no pixels of it: float32 [handles, segments]."""
    count = int(segments.max()) + 1
    sums = np.zeros((FADER_HANDLES, count))
    for start in range(0, len(segments), _FRAMES_AT_ONCE):
        rows = slice(start, start + _FRAMES_AT_ONCE)
        labels = segments[rows].ravel()
        for number, field in enumerate(handle_fields(spectrogram[rows], count=FADER_HANDLES)):
            sums[number] += np.bincount(labels, weights=field.ravel(), minlength=count)
    return np.asarray(sums / np.maximum(np.bincount(segments.ravel(), minlength=count), 1), np.float32)


def percussiveness(spectrogram: FloatArray) -> FloatArray:
    """How percussive each pixel is, -1 (harmonic) to 1: [frames, bands].

    2 P^2 / (H^2 + P^2) - 1 of medians along time (H) and along frequency (P).
    """
    harmonic = _medians(np.ascontiguousarray(spectrogram.T)).T ** 2
    percussive = _medians(spectrogram) ** 2
    return np.asarray((2 * percussive + 1e-6) / (harmonic + percussive + 1e-6) - 1, np.float32)


def _medians(rows: FloatArray) -> FloatArray:
    """Moving medians along each row of an array, whose ends are mirrored."""
    from scipy import ndimage

    # SciPy's filter of one long row takes an eighth of the time of its filter of an array.
    half = _MEDIAN // 2
    ends = np.pad(rows, ((0, 0), (half, half)), mode="symmetric")
    return np.asarray(ndimage.median_filter(ends.ravel(), _MEDIAN).reshape(ends.shape)[:, half:-half])


def field_of(coefficients: torch.Tensor, fields: torch.Tensor) -> torch.Tensor:
    """The gain field [frames, bands] in dB of coefficients [handles] in dB of fields [handles, frames, bands]."""
    whole = torch.tensordot(coefficients, fields, 1)
    return LIMIT_DB * torch.tanh(whole / LIMIT_DB)


def _triangles() -> FloatArray:
    """Nine triangles over the bands that sum to one: [9, bands]."""
    place = np.arange(N_BANDS) / (N_BANDS - 1) * (_BANDS - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(place[None] - np.arange(_BANDS)[:, None])), np.float32)


def _pitch_classes() -> FloatArray:
    """What belongs to a pitch class (A is 440 Hz), where partials stand apart (180 Hz to 5 kHz): [12, bands]."""
    frequencies = band_frequencies()
    steps = 12 * np.log2(frequencies / 440)
    away = np.abs((steps[None] - np.arange(len(_PITCH_CLASSES))[:, None] + 6) % 12 - 6)
    region = np.clip(np.log2(frequencies / 180), 0, 1) * np.clip(np.log2(5000 / frequencies), 0, 1)
    return np.asarray(np.maximum(0, 1 - away) * region, np.float32)


def _halves() -> tuple[FloatArray, FloatArray]:
    """What lies below and above SPLIT_HZ, an octave wide in between: two [bands]."""
    octaves = np.log2(band_frequencies() / SPLIT_HZ)
    high = np.clip(octaves + 0.5, 0, 1).astype(np.float32)
    return 1 - high, high
