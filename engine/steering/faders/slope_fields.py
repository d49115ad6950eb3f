"""Gain fields made of the network's slopes: where a decibel moves a feature most."""

from typing import Final

import numpy as np

from ....models.common.arrays import Floats

EVEN_DB: Final = 0.7
"""Fields of slopes, of 1 dB rms, bend here; else few steep segments would be at the limit before others do much."""


def even_fields(slopes: Floats, sizes: Floats) -> Floats:
    """Gains of 1 dB rms along slopes [rows, segments], hardly stronger where steep; sizes: shares of the track."""
    return _with_rms(np.tanh(gradient_fields(slopes, sizes) / EVEN_DB), sizes)


def gradient_fields(slopes: Floats, sizes: Floats) -> Floats:
    """Gains by which features move most, each of 1 dB rms: [7, segments]; nothing where sizes (shares) are 0."""
    fields = np.where(sizes > 0, slopes / np.where(sizes > 0, sizes, 1.0), 0.0)
    return _with_rms(fields, sizes)


def divided_by_size(segment_slopes: Floats, sizes: Floats) -> Floats:
    """Slopes [7, segments], each divided among the subsegments by their sizes [subsegments]: [7, subsegments]."""
    each = len(sizes) // segment_slopes.shape[1]
    by_segment = np.maximum(sizes.reshape(-1, each).sum(1), 1e-12)
    return np.asarray(np.repeat(segment_slopes, each, axis=1) * (sizes / np.repeat(by_segment, each)))


def _with_rms(fields: Floats, sizes: Floats) -> Floats:
    """Fields [fields, segments] each of 1 dB rms over segments of sizes [segments]."""
    return np.asarray(fields / np.maximum(np.sqrt(fields**2 @ sizes), 1e-12)[:, None])
