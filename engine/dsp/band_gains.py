"""Gains in dB on the segments, and where the bins of a transform lie between the network's bands; without torch."""

import numpy as np

from ...models.common.filterbank import band_frequencies

SEGMENT_LIMIT_DB = 24.0
"""No segment is boosted or cut further than this, however many faders agree."""


def segment_gain_db(mask_weights: np.ndarray, faders_db: np.ndarray) -> np.ndarray:
    """Gain of each segment in dB: sum over features of fader times mask weight, limited to +-24 dB.

    mask_weights is [segments, 7] in -1..1, faders_db [7]; returns float32 [segments].
    """
    # (added up by NumPy itself: a library's threads round as many ways as there are of them, and keep sound waiting)
    gains = (mask_weights.astype(np.float32) * faders_db.astype(np.float32)).sum(axis=1)
    return np.asarray(np.clip(gains, -SEGMENT_LIMIT_DB, SEGMENT_LIMIT_DB))


def band_interpolation(frequencies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each frequency the band at or below it and how far it is to the next one in log frequency, 0..1."""
    bands = np.log2(band_frequencies().astype(np.float64))
    octaves = np.log2(np.maximum(frequencies, 1e-3))
    below = np.clip(np.searchsorted(bands, octaves, side="right") - 1, 0, len(bands) - 2)
    fraction = (octaves - bands[below]) / (bands[below + 1] - bands[below])
    return below, np.clip(fraction, 0.0, 1.0)
