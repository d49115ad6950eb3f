"""Decoupled faders: masks of the segments by which each fader moves its own feature and leaves the other six.

(Those of coupled faders are made in explain/significance.py.)

A mask is a sum of fields, each one value a segment: the seven masks of the explanation, the handles (handles.py:
broad gain fields such as bands, onsets or loud moments) and the network's slopes (the gradient of each feature). For
each feature, above and below zero, the solver finds the sum that moves the feature by its target at the default model
and leaves the other six there (firm rows), and that moves it at four further listeners too (listeners.py), as far as
the gain allows (soft rows). The slopes, which hardly another listener follows, hold the other six features for the
least gain; that leaves the broad fields to the further listeners.

Networks are not linear: a field that leaves the other features alone when it boosts does not when it cuts, so a fader
has two masks. Each is solved at 6 dB and divided by that: a fader is linear in decibels on either side of zero, and
nothing is solved while playing. On a track longer than the excerpts each mask is measured once on all of it (twice
where it misses much), and corrected by a step along the slopes of the explanation, which are the whole track's.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ....models.common.arrays import FloatArray
from ....models.common.constants import MIDLEVEL
from .confirmed import confirmed_shares
from .levels import LEVELS_DB
from .mask_fields import SOLVED_AT_DB
from .mask_solver import SIDES, CorrectedFader, MaskSolver
from .segment_excerpts import FaderInputs, WholeTrack
from .slope_fields import gradient_fields


@dataclass(frozen=True)
class DecoupledFaders:
    """The seven faders of a track.

    Attributes
    ----------
    masks
        float32 [segments, 14], within MASK_LIMIT: seven for faders above zero, seven below.
    response
        Changes of the features at the network that ships under each fader alone at LEVELS_DB, float32 [7 faders,
        levels, 7 features].
    slopes
        Change of the features per dB of each mask and of each of the explanation's, without gain, float32 [7, 21]; of
        a track longer than the excerpts as the explanation has it.
    confirmed
        Share of the network's own move at +6 and at -6 dB that judges may be expected to share (confirmed.py),
        float32 [7 faders, 2].
    """

    masks: FloatArray
    response: FloatArray
    slopes: FloatArray
    confirmed: FloatArray


def decoupled_faders(
    inputs: FaderInputs,
    explained: FloatArray,
    *,
    whole: WholeTrack | None = None,
    progress: Callable[[float], None] | None = None,
    threads: int = 1,
) -> DecoupledFaders:
    """Solve the seven faders of a track.

    explained: the masks of the explanation, [segments, 7] in -1..1. whole: all of the track, if the inputs have only
    excerpts of it. threads: so many faders are solved at once, with the same result.
    """
    slopes = inputs.own_slopes if whole is None else whole.slopes
    # [7 + handles + 7, segments]
    fields = np.concatenate((explained.T, inputs.handles, gradient_fields(slopes, inputs.sizes)))
    fields[:, inputs.sizes == 0] = 0  # (small segments have fewer subsegments than others)
    cases = [(feature, side) for side in SIDES for feature in range(len(MIDLEVEL))]
    masks = np.zeros((fields.shape[1], len(cases)), np.float32)
    response = np.zeros((len(MIDLEVEL), len(LEVELS_DB), len(MIDLEVEL)), np.float32)
    listeners = np.zeros((len(MIDLEVEL), len(SIDES), len(inputs.listeners) - 1))
    with ThreadPoolExecutor(threads) as pool:
        # (made by one thread while another solves the first faders)
        predictions = None if whole is None else pool.submit(whole.predictions)
        solver = MaskSolver(fields.astype(np.float64), inputs, slopes, predictions)
        limited = solver.with_raised_targets(list(pool.map(solver.limited, cases)))
        # (the shortest tasks come last, so that the threads end at about the same time)
        corrected = _reported(pool.map(solver.corrected, limited), len(cases), progress)
        for number, fader in enumerate(pool.map(solver.measured, corrected)):
            feature, side = cases[number]
            masks[:, number] = fader.mask
            for place, moved in fader.levels.items():
                response[feature, place] = moved
            listeners[feature, SIDES.index(side)] = side * fader.listeners
    mask_slopes = solver.slopes_of(np.concatenate((masks, explained), axis=1))
    own = np.stack([side * response[:, LEVELS_DB.index(side * SOLVED_AT_DB)].diagonal() for side in SIDES], axis=1)
    shares = confirmed_shares(own, dict(zip(inputs.listeners[1:], np.moveaxis(listeners, 2, 0), strict=True)))
    return DecoupledFaders(masks, response, mask_slopes, shares)


def _reported(
    faders: Iterator[CorrectedFader], count: int, progress: Callable[[float], None] | None
) -> Iterator[CorrectedFader]:
    """Pass the faders on, and report the fraction of `count` that is done."""
    for number, fader in enumerate(faders, start=1):
        if progress:
            progress(number / count)
        yield fader
