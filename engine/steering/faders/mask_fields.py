"""Gain fields whose weighted sum is the mask of a fader: gains for given coefficients, and damage to the sound.

A mask is a sum of fields [fields, segments] in dB: the masks of the explanation, the handles, and the slopes of the
network (masks.py). The solver chooses its coefficients [fields] in dB. What a sum costs is the damage that it does to
the sound: its square, the square of its step from frame to frame, and for a handle its own damage (handles.py).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ....models.common.arrays import Floats
from ....models.common.constants import MIDLEVEL
from ...dsp.segment_mask import MASK_LIMIT
from ..handles import DAMAGE, FADER_HANDLES
from ..solver import ROW_RIDGE, inverse_root, regularized_gram
from .segment_excerpts import SegmentExcerpts

SOLVED_AT_DB: Final = 6.0
"""Where a fader stands when it is solved."""
MAX_GAIN_DB: Final = MASK_LIMIT * SOLVED_AT_DB
"""No segment has more gain under a fader at SOLVED_AT_DB."""
STEP_COST: Final = 2.1
"""What the step of a gain from frame to frame costs beside the gain itself, both squared, where fields are chosen.

(Chosen by the loss that bounds their size, faders move judges as far, but more often the wrong way.)
"""
LOSS_PER_DB: Final = 0.027
"""About what a square dB of a fader's gain, steps included, takes from Zimtohrli's mean opinion score."""
MAX_DAMAGE_DB: Final = 4.3
"""Of a fader at SOLVED_AT_DB: the root of what its sound is expected to lose, over that of LOSS_PER_DB: half a point
of five.
"""
DAMAGE_SHARES: Final[Mapping[str, float]] = {
    "melodiousness": 1.0,
    "articulation": 1.05,
    "rhythmic_complexity": 1.05,
    "rhythmic_stability": 1.0,
    "dissonance": 1.05,
    "tonal_stability": 1.0,
    "modality": 1.02,
}
"""How much of MAX_DAMAGE_DB a feature's fader may do."""


def max_damage_db(feature: int) -> float:
    """The most damage in dB that the fader of a feature (its number) may do at SOLVED_AT_DB."""
    return MAX_DAMAGE_DB * DAMAGE_SHARES[MIDLEVEL[feature]]


class MaskFields:
    """Fields that masks are put together from.

    Attributes
    ----------
    fields : numpy.ndarray
        In dB per dB of their coefficients, float64 [fields, segments]: seven masks of the explanation, FADER_HANDLES
        handles, seven slopes of the network.
    metric : numpy.ndarray
        c' metric c is what coefficients c cost in square dB, while gains are far from their limit: [fields, fields].
    root : numpy.ndarray
        `inverse_root` of the metric, [fields, fields].
    """

    def __init__(self, fields: Floats, excerpts: SegmentExcerpts) -> None:
        """excerpts: those of the track by which the damage is estimated."""
        self.fields = fields
        self._damage = excerpts.damage
        self._present = np.flatnonzero(excerpts.sizes)  # (the damage is that of the excerpts alone)
        self._present_fields = np.ascontiguousarray(fields[:, self._present])
        handle_costs = np.sqrt(
            np.concatenate((np.ones(len(MIDLEVEL)), DAMAGE[:FADER_HANDLES], np.ones(len(MIDLEVEL))))
        )
        square = (fields * excerpts.sizes) @ fields.T + STEP_COST * excerpts.damage.step_metric(fields)
        self.metric: Floats = square * handle_costs[:, None] * handle_costs
        self.root = inverse_root(self.metric)

    def gains_db(self, coefficients: Floats) -> Floats:
        """Gains in dB [segments] of coefficients [fields], none beyond MAX_GAIN_DB."""
        return _limited_db(coefficients @ self.fields)

    def slopes(self, segment_slopes: Floats, coefficients: Floats) -> Floats:
        """Change of outputs per dB of each field at coefficients: [rows, fields].

        segment_slopes: their change per dB of each segment, [rows, segments]. Near the limit gains move by less than
        the sum of the fields.
        """
        saturation = 1 - (self.gains_db(coefficients) / MAX_GAIN_DB) ** 2
        return np.asarray((segment_slopes * saturation) @ self.fields.T)

    def damage_db(self, coefficients: Floats) -> float:
        """Root of what the sound is expected to lose under coefficients [fields], in dB of a usual gain."""
        gains = np.zeros(self.fields.shape[1])
        gains[self._present] = _limited_db(coefficients @ self._present_fields)
        return float(np.sqrt(self._damage.loss(gains) / LOSS_PER_DB))

    def least_damage_db(self, slopes: Floats, row: int, target: float) -> float:
        """Damage in dB that it takes, about, to move one row by `target` and to leave the others.

        slopes: per dB of each field, [rows, fields].
        """
        gram = regularized_gram(slopes @ self.root, ridge=ROW_RIDGE)
        return float(np.sqrt(target * np.linalg.inv(gram)[row, row] * target)) + 1e-9


def _limited_db(gains_db: Floats) -> Floats:
    """Gains in dB bent so that none is beyond MAX_GAIN_DB."""
    return np.asarray(MAX_GAIN_DB * np.tanh(gains_db / MAX_GAIN_DB))
