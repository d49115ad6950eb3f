"""Clicks of one to three samples, taken out of the network's input (not out of what is played).

A damaged sample moves the scale of a whole track and fills a hundred bands of three frames. It is found before any
resampling, which would spread it: it is more than CLICK_RATIO times as large as every sample within REACH on either
side, its own neighbours apart. No attack of an instrument is like that: it rings on. In its place comes the straight
line between the samples before and after it.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

CLICK_RATIO: Final = 2.5
LONGEST: Final = 3
"""Samples in a row that one click may have."""
REACH: Final = 32
"""Samples on either side that it is compared with, LONGEST - 1 next to it left out."""


def click_samples(sound: FloatArray) -> npt.NDArray[np.int64]:
    """Indices of the samples of clicks in float32 [samples]; outside of the sound lies silence."""
    size = np.abs(sound)
    largest = size.max(initial=0.0)
    if largest == 0:
        return np.zeros(0, np.int64)
    padded = np.pad(size, REACH)
    limit = size / np.float32(CLICK_RATIO)
    ends = padded[REACH - LONGEST :], padded[REACH + LONGEST :]
    found = np.flatnonzero((ends[0][: len(size)] < limit) & (ends[1][: len(size)] < limit))
    for lag in range(LONGEST + 1, REACH + 1):
        limit = size[found] / np.float32(CLICK_RATIO)
        quiet = (padded[found + REACH - lag] < limit) & (padded[found + REACH + lag] < limit)
        found = found[quiet]
    return found


def without_clicks(sound: FloatArray) -> FloatArray:
    """float32 [samples] with a straight line in the place of every click; the same array where there is none."""
    clicks = click_samples(sound)
    if not len(clicks):
        return sound
    kept = np.ones(len(sound), bool)
    kept[clicks] = False
    at = np.flatnonzero(kept)
    mended = sound.copy()
    mended[clicks] = np.interp(clicks, at, sound[at]) if len(at) else 0.0
    return mended


class ClickRemover:
    """without_clicks for a sound in blocks: what comes out, joined, does not depend on the lengths of the blocks."""

    def __init__(self) -> None:
        self._pending = np.zeros(0, np.float32)
        self._past = 0  # samples at the beginning of `_pending` that were given already

    def add(self, block: FloatArray) -> FloatArray:
        """The samples that are certain after this block."""
        return self._given(block, spare=2 * REACH)

    def flush(self) -> FloatArray:
        """The rest."""
        return self._given(np.zeros(0, np.float32), spare=0)

    def _given(self, block: FloatArray, *, spare: int) -> FloatArray:
        sound = np.concatenate([self._pending, block])
        end = max(len(sound) - spare, self._past)
        given = without_clicks(sound)[self._past : end]
        begin = max(end - 2 * REACH, 0)
        self._pending, self._past = sound[begin:], end - begin
        return given
