"""The network's view of sound in NumPy: a magnitude spectrogram in logarithmic bands, log10(1 + x).

`network/spectrogram.py` defines it and has the same for tensors. Here too is the loop by which it is made in
blocks.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..common.arrays import FloatArray
from ..common.constants import HOP_LENGTH, N_BANDS, N_FFT
from ..common.filterbank import filter_blocks, frame_count
from . import compiled_scipy

INPUT_VERSION: Final = 2
"""Rises when the same file gives another input to the same network; part of the keys of cached analyses.

1: scaled by its peak, silence around it (until 0.7). 2: clicks removed, scaled by its level without the largest
moments (input_level.py), silent ends left out, circular (padding.py).
"""
_FRAMES_AT_ONCE: Final = 64
"""Frames whose spectra fit into a core's cache."""


class Fourier(Protocol):
    """Fourier transforms of arrays along the last axis: by SciPy (compiled_scipy.py), or by torch."""

    def rfft(self, x: np.ndarray) -> np.ndarray:
        """float32 [..., n] -> complex64 [..., n // 2 + 1]."""

    def irfft(self, x: np.ndarray, n: int) -> np.ndarray:
        """complex64 [..., n // 2 + 1] -> float32 [..., n]."""


@cache
def _window() -> FloatArray:
    return np.hanning(N_FFT).astype(np.float32)  # (symmetric, as in madmom)


def log_spectrogram(sound: FloatArray, *, fourier: Fourier = compiled_scipy) -> FloatArray:
    """Sound [samples] that starts half a frame early and ends half a frame late -> float32 [frames, N_BANDS]."""
    frames = sliding_window_view(sound, N_FFT)[::HOP_LENGTH]
    result = np.empty((len(frames), N_BANDS), np.float32)
    for first in range(0, len(frames), _FRAMES_AT_ONCE):
        part = frames[first : first + _FRAMES_AT_ONCE]
        magnitude = np.abs(fourier.rfft(part * _window()))
        for bands, bins, filters in filter_blocks():
            result[first : first + len(part), bands] = magnitude[:, bins] @ filters
    result += np.float32(1)
    return np.log10(result, out=result)


def spectrogram_blocks(
    sound_blocks: Iterable[FloatArray],
    *,
    scale: float,
    frames_per_block: int = 1024,
) -> Iterator[FloatArray]:
    """Spectrogram of a sound that arrives in blocks [n], in bounded memory.

    Yields float32 [<= frames_per_block, N_BANDS]; joined they equal the spectrogram of the joined sound / scale,
    whatever the lengths of the blocks.
    """
    pending = np.zeros(N_FFT // 2, np.float32)  # the silence before the first sample
    samples = produced = 0

    def whole_frames(count: int) -> FloatArray:
        nonlocal pending, produced
        used = (count - 1) * HOP_LENGTH + N_FFT
        block = log_spectrogram(pending[:used] / np.float32(scale))
        pending = pending[count * HOP_LENGTH :]
        produced += count
        return block

    step = (frames_per_block - 1) * HOP_LENGTH + N_FFT
    for block in sound_blocks:
        samples += len(block)
        pending = np.concatenate([pending, block])
        while len(pending) >= step:
            yield whole_frames(frames_per_block)
    while (left := frame_count(samples) - produced) > 0:
        count = min(left, frames_per_block)
        short = (count - 1) * HOP_LENGTH + N_FFT - len(pending)
        pending = np.concatenate([pending, np.zeros(max(short, 0), np.float32)])
        yield whole_frames(count)
