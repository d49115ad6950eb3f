"""Where the response of a track to each fader is measured; without torch, for the processes that have none."""

from typing import Final

import numpy as np

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import MIDLEVEL

VERSION: Final = 6
"""Rises when the same track gets other decoupled faders; part of the keys of cached analyses.

1: one mask a fader; 2: own moves of .07; 3: two listeners beside the network, ten seconds in the middle; 4: the
shape listener, gain bounded by its steps from frame to frame; 5: masks up to 1.5, gain bounded by what it costs
in quality; 6: excerpts as loud as before by the gated measure of the written file, all together.
"""
LEVELS_DB: Final = (-12.0, -6.0, -3.0, 3.0, 6.0, 12.0)
MIN_EFFECT: Final = 0.01
"""A fader that moves its own feature by less than this at +6 and at -6 dB does nothing to a track."""


def measured_curve(measured: FloatArray) -> tuple[Floats, Floats]:
    """Levels in dB, rising, and what was measured at them, [levels, ...]: nothing at zero; for interpolation."""
    levels = np.array((*LEVELS_DB, 0.0))
    order = np.argsort(levels)
    return levels[order], np.concatenate((measured, np.zeros_like(measured[:1])))[order].astype(np.float64)


def without_effect(mask_weights: FloatArray, response: FloatArray | None) -> tuple[str, ...]:
    """The features whose faders do nothing to a track.

    Their masks [segments, 7 or 14] are empty, or their measured response [7, levels, 7] is next to nothing.
    """
    dead = np.abs(mask_weights).max(0).reshape(-1, len(MIDLEVEL)).max(0) == 0  # neither above zero nor below
    if response is not None:
        sixth = [LEVELS_DB.index(-6.0), LEVELS_DB.index(6.0)]
        own = np.abs(response[:, sixth].diagonal(axis1=0, axis2=2))  # [levels, 7]
        dead = dead | (own.max(0) < MIN_EFFECT)
    return tuple(name for name, nothing in zip(MIDLEVEL, dead, strict=True) if nothing)
