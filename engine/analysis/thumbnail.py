"""A track's spectrogram made so small that a terminal can show it: how loud the music is where the faders act."""

from collections.abc import Iterable
from typing import Final

import numpy as np

FRAMES: Final = 4
"""Frames of the spectrogram in one column: 0.13 s."""
ROWS: Final = 16
_FULL: Final = 99.5  # percentile that is shown as loudest


def thumbnail_bands(n_bands: int) -> np.ndarray:
    """The bands that are shown, low ones first: int [ROWS]."""
    return np.linspace(0, n_bands - 1, ROWS).round().astype(int)


def spectrogram_thumbnail(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """From blocks of the spectrogram [frames, bands] to uint8 [columns, ROWS]: 255 is loudest, silence 0."""
    columns = [np.zeros((0, ROWS), np.float32)]
    first = 0  # where the next column begins in the block that comes
    for block in blocks:
        columns.append(block[first::FRAMES, thumbnail_bands(block.shape[1])])
        first = (first - len(block)) % FRAMES
    levels = np.concatenate(columns)
    loudest = float(np.percentile(levels, _FULL)) if levels.size else 0.0
    return np.asarray(np.clip(levels / max(loudest, 1e-6), 0, 1) * 255, np.uint8)
