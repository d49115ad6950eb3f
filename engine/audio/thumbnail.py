"""A reduced spectrogram of a track for the terminal view: how loud the music is where the faders act."""

from collections.abc import Iterable
from typing import Final

import numpy as np

FRAMES: Final = 4
"""Frames of the spectrogram per column: 0.13 s."""
ROWS: Final = 16
_MAX_PERCENTILE: Final = 99.5  # level that is shown at full brightness


def thumbnail_bands(n_bands: int) -> np.ndarray:
    """Return the indices of the bands that are shown, ascending: int [ROWS]."""
    return np.linspace(0, n_bands - 1, ROWS).round().astype(int)


def spectrogram_thumbnail(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """Reduce a spectrogram.

    Parameters
    ----------
    blocks
        Consecutive blocks of the spectrogram, float32 [frames, bands].

    Returns
    -------
    numpy.ndarray
        uint8 [columns, ROWS], 0 for silence to 255.
    """
    columns = [np.zeros((0, ROWS), np.float32)]
    first = 0  # frame of the next column within the next block
    for block in blocks:
        columns.append(block[first::FRAMES, thumbnail_bands(block.shape[1])])
        first = (first - len(block)) % FRAMES
    levels = np.concatenate(columns)
    loudest = float(np.percentile(levels, _MAX_PERCENTILE)) if levels.size else 0.0
    return np.asarray(np.clip(levels / max(loudest, 1e-6), 0, 1) * 255, np.uint8)
