"""From the spectrogram's bands to equal quarter tones, from which pitch classes are folded. Without torch."""

from typing import Final

import numpy as np

from ..common.arrays import FloatArray
from ..common.constants import BANDS_PER_OCTAVE, N_BANDS
from ..common.filterbank import band_frequencies

FIELD: Final = 9
"""Frames that a step of pitch classes sees."""
STRIDE: Final = 8
"""Frames from one step to the next."""
OCTAVES: Final = 5
QUARTER_TONES: Final = OCTAVES * BANDS_PER_OCTAVE
_F_LOWEST: Final = 110.0  # a semitone below is narrower than a frame's resolution


def octave_fold() -> FloatArray:
    """Linear interpolation from bands to equal quarter tones, float32 [N_BANDS, QUARTER_TONES]."""
    octaves = np.log2(band_frequencies())
    places = np.log2(_F_LOWEST) + np.arange(QUARTER_TONES) / BANDS_PER_OCTAVE
    below = np.searchsorted(octaves, places) - 1
    above_share = (places - octaves[below]) / (octaves[below + 1] - octaves[below])
    matrix = np.zeros((N_BANDS, len(places)), np.float32)
    matrix[below, np.arange(len(places))] = 1 - above_share
    matrix[below + 1, np.arange(len(places))] = above_share
    return matrix
