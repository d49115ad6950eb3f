"""The gain that makes steered excerpts as loud as they were, by the measure that a written file is matched by.

Loudness is that of BS.1770 with both gates: where the quiet parts of a track get louder, they do not count as long as
they stay ten decibels below the rest. The excerpts are taken as one track, so one that gets louder than the others
stays so.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ...models.common.arrays import Floats
from ...models.common.constants import SAMPLE_RATE
from ..audio.loudness import gated_power
from .array_path import FRAME, HOP

_STEP_HOPS: Final = 0.1 * SAMPLE_RATE / HOP
"""Blocks of 400 ms begin every 100 ms: so many hops of the STFT."""
_STEPS: Final = 4
_TO_POWER: Final = 4 / FRAME**2
"""From the energy of half a spectrum, windowed by a sine, to the mean square of the samples."""


def level_match(before: Sequence[Floats], after: Sequence[Floats]) -> float:
    """Linear gain on all excerpts together after which they are as loud as before.

    before, after: K-weighted energy of the STFT frames of each excerpt, float64 [frames] (`ArrayPath.energies`).
    """
    wanted, there = _loud_power(before), _loud_power(after)
    return float(np.sqrt(wanted / max(there, 1e-20))) if wanted > 0 else 1.0


def _loud_power(excerpts: Sequence[Floats]) -> float:
    """Power of what passes the gates; of all, where nothing does."""
    blocks = np.concatenate([_blocks(energies) for energies in excerpts]) * _TO_POWER
    gated = gated_power(blocks)
    return float(blocks.mean()) if gated is None else gated


def _blocks(energies: Floats) -> Floats:
    """Mean energy of a frame in each block of 400 ms: [blocks]; of all there is in a shorter sound."""
    sums = np.concatenate(([0.0], np.cumsum(energies)))
    # (frame i is centred on sample (i - 1) * HOP: its share of the sound begins 1.5 hops before sample i * HOP)
    edges = np.arange(1.5, len(energies) - 2, _STEP_HOPS)
    if len(edges) <= _STEPS:
        return np.array([energies.mean()])
    at = np.interp(edges, np.arange(len(sums)), sums)
    return np.asarray((at[_STEPS:] - at[:-_STEPS]) / (_STEPS * _STEP_HOPS))
