"""The bands of the network's spectrogram: 24 an octave from 20 Hz to 16 kHz (its definition is in spectrogram.py).

Without torch, so that what plays live can be there at once.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from .arrays import FloatArray
from .constants import BANDS_PER_OCTAVE, F_MAX, F_MIN, HOP_LENGTH, N_BANDS, N_FFT, SAMPLE_RATE

_TUNING_HZ = 440.0


@cache
def _band_bins() -> npt.NDArray[np.int64]:
    """Corners of the triangles as FFT bins [N_BANDS + 2]: band b rises from corner b to b + 1 and falls to b + 2."""
    low = np.floor(np.log2(F_MIN / _TUNING_HZ) * BANDS_PER_OCTAVE)
    high = np.ceil(np.log2(F_MAX / _TUNING_HZ) * BANDS_PER_OCTAVE)
    corners = _TUNING_HZ * 2.0 ** (np.arange(low, high) / BANDS_PER_OCTAVE)
    corners = corners[(corners >= F_MIN) & (corners <= F_MAX)]
    # The nearest bin of each corner; ties go to the upper one, the Nyquist bin is not used.
    spacing = SAMPLE_RATE / N_FFT
    bins = np.clip(np.floor(corners / spacing + 0.5), 0, N_FFT // 2 - 1)
    return np.unique(bins).astype(np.int64)


def band_frequencies() -> npt.NDArray[np.float64]:
    """Centre frequency of each band in Hz, [N_BANDS], ascending."""
    return np.asarray(_band_bins()[1:-1] * (SAMPLE_RATE / N_FFT), np.float64)


@cache
def filterbank() -> FloatArray:
    """Triangular filters [N_FFT // 2, N_BANDS], each summing to one."""
    corners = _band_bins()
    matrix = np.zeros((N_FFT // 2, N_BANDS), np.float32)
    for band, (start, centre, stop) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        if stop - start < 2:  # narrower than a bin: one bin, whole
            centre, stop = start, start + 1
        rise = np.linspace(0, 1, centre - start, endpoint=False)
        fall = np.linspace(1, 0, stop - centre, endpoint=False)
        triangle = np.concatenate([rise, fall]).astype(np.float32)
        matrix[start:stop, band] = triangle / triangle.sum()
    return matrix


def frame_count(samples: int) -> int:
    """Frames of a sound of that many samples (at SAMPLE_RATE): one for each hop that was begun."""
    return -(-samples // HOP_LENGTH)
