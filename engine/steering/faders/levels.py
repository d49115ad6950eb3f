"""Where the response of a track to each fader is measured; without torch, for the processes that have none."""

from typing import Final

import numpy as np

from ....models.common.arrays import FloatArray, Floats
from ....models.common.constants import MIDLEVEL

VERSION: Final = 11
"""Rises when the same track gets other decoupled faders; part of the keys of cached analyses.

1: one mask a fader; 2: own moves of .07; 3: two listeners beside the network, ten seconds in the middle; 4: the
shape listener, gain bounded by its steps from frame to frame; 5: masks up to 1.5, gain bounded by what it costs
in quality; 6: the taught listener, the share that others hear by track, excerpts as loud as before by the gated
measure of the written file, all together; 7: fields are limited by the loss of loudness,
those of a track longer than a minute are put right by all of it, and the network's slopes are fields as well; 8:
faders move the network nearly as far as the explanation's masks where that limit is low; 9: three pairs of
samples go backward together, and the significance of segments counts degrees of freedom by feature; 10: a taught
listener that learned from two taggers; 11: masks of subsegments.
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
        dead = dead | (own_moves(response).max(1) < MIN_EFFECT)
    return tuple(name for name, nothing in zip(MIDLEVEL, dead, strict=True) if nothing)


def own_moves(response: FloatArray) -> FloatArray:
    """By how much each fader moves its own feature at +6 and at -6 dB, without the sign: [7, 2]."""
    sixth = [LEVELS_DB.index(6.0), LEVELS_DB.index(-6.0)]
    return np.abs(response[:, sixth].diagonal(axis1=0, axis2=2)).T


def hardly_heard(response: FloatArray | None, confirmed: FloatArray | None) -> tuple[str, ...]:
    """The features whose faders move the network by MIN_EFFECT or more, but of which less than that is confirmed.

    response [7, levels, 7] and confirmed shares [7, 2] of a track; no feature where one of them is None.
    """
    if response is None or confirmed is None:
        return ()
    own = own_moves(response)
    unconfirmed = (own.max(1) >= MIN_EFFECT) & ((own * confirmed).max(1) < MIN_EFFECT)
    return tuple(name for name, found in zip(MIDLEVEL, unconfirmed, strict=True) if found)
