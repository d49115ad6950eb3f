"""The logarithmic filterbank of the network's spectrogram (`network/spectrogram.py`): 24 bands per octave from 20 Hz.

Does not import torch, so that the live processes start quickly.
"""

from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray
from .constants import BANDS_PER_OCTAVE, F_MAX, F_MIN, HOP_LENGTH, N_BANDS, N_FFT, SAMPLE_RATE

_TUNING_HZ = 440.0
_BLOCK_EDGES = (0, 80, 120)


@cache
def _band_bins() -> npt.NDArray[np.int64]:
    """Corners of the triangular filters as FFT bins, [N_BANDS + 2]; band b has the corners b, b + 1 and b + 2."""
    low = np.floor(np.log2(F_MIN / _TUNING_HZ) * BANDS_PER_OCTAVE)
    high = np.ceil(np.log2(F_MAX / _TUNING_HZ) * BANDS_PER_OCTAVE)
    corners = _TUNING_HZ * 2.0 ** (np.arange(low, high) / BANDS_PER_OCTAVE)
    corners = corners[(corners >= F_MIN) & (corners <= F_MAX)]
    # Nearest bins, ties to the upper one; the Nyquist bin is not used.
    spacing = SAMPLE_RATE / N_FFT
    bins = np.clip(np.floor(corners / spacing + 0.5), 0, N_FFT // 2 - 1)
    return np.flatnonzero(np.bincount(bins.astype(np.int64)))  # (np.unique imports numpy.ma, 20 ms of every command)


def band_frequencies() -> npt.NDArray[np.float64]:
    """Return the centre frequency of each band in Hz: float64 [N_BANDS], ascending."""
    return np.asarray(_band_bins()[1:-1] * (SAMPLE_RATE / N_FFT), np.float64)


@cache
def filterbank() -> FloatArray:
    """Return the triangular filters, each with a sum of one: float32 [N_FFT // 2, N_BANDS]."""
    corners = _band_bins()
    matrix = np.zeros((N_FFT // 2, N_BANDS), np.float32)
    for band, (start, centre, stop) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        if stop - start < 2:  # narrower than a bin: a single bin
            centre, stop = start, start + 1
        rise = np.linspace(0, 1, centre - start, endpoint=False)
        fall = np.linspace(1, 0, stop - centre, endpoint=False)
        triangle = np.concatenate([rise, fall]).astype(np.float32)
        matrix[start:stop, band] = triangle / triangle.sum()
    return matrix


@cache
def filter_blocks() -> tuple[tuple[slice, slice, FloatArray], ...]:
    """Return the filterbank in pieces without most of its zeros: (bands, bins, float32 [bins, bands]) of each."""
    edges = (*_BLOCK_EDGES, N_BANDS)
    pieces = []
    for first, end in pairwise(edges):
        bins = np.flatnonzero(filterbank()[:, first:end].any(axis=1))
        rows = slice(int(bins[0]), int(bins[-1]) + 1)
        pieces.append((slice(first, end), rows, np.ascontiguousarray(filterbank()[rows, first:end])))
    return tuple(pieces)


def frame_count(samples: int) -> int:
    """Return the number of spectrogram frames of a signal of so many samples: its hops, rounded up."""
    return -(-samples // HOP_LENGTH)
