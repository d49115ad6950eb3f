"""Several decoupled faders as one setting: positions for which each feature moves by what its own fader says.

Faders that are each right alone are not quite right together: networks bend, and gains are limited. What a setting
asks is that every feature moves by what its own fader moves it alone, and those at zero stay. The positions that
bring this about lie near the ones that were set; the measured response of the track gives the first slopes, and a few
of Broyden's corrections follow with the network in the loop (solver.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import FloatArray
from ...models.common.constants import MIDLEVEL
from ..dsp.faders import FADER_RANGE_DB, Faders
from ..dsp.segment_mask import segment_gain_db
from .levels import LEAST_EFFECT, LEVELS_DB
from .listeners import Listener
from .segment_excerpts import Excerpt, SegmentExcerpts
from .solver import solve

Doubles = npt.NDArray[np.float64]
FURTHEST_DB: Final = 18.0
"""No position is taken further than this."""
TRIES: Final = 5
TOLERANCE: Final = 0.03
_SMALL: Final = LEVELS_DB.index(-3.0), LEVELS_DB.index(3.0)
_FEATURES: Final = len(MIDLEVEL)


@dataclass(frozen=True)
class FaderSetting:
    """Positions [7] in dB that were found; asked and moved [7]: changes of the features, moved as measured."""

    positions_db: FloatArray
    asked: FloatArray
    moved: FloatArray

    @property
    def error(self) -> float:
        """Length of what is missed, per length of what is asked."""
        return float(np.linalg.norm(self.moved - self.asked) / max(np.linalg.norm(self.asked), 1e-9))


def solve_setting(
    faders_db: FloatArray,
    masks: FloatArray,
    response: FloatArray,
    excerpts: Sequence[Excerpt],
    segments: npt.NDArray[np.int32],
    listener: Listener,
) -> FaderSetting:
    """Solve faders [7] in dB as a whole.

    masks [segments, 7 or 14] and response [7, levels, 7] of the track; excerpts of it, by which the listener is
    asked; segments [frames, bands] of the whole track.
    """
    asked = np.array([np.interp(db, *_curve(response[k, :, k])) for k, db in enumerate(faders_db)])
    if np.abs(asked).max() < LEAST_EFFECT:  # (faders that do nothing: there is nothing to solve)
        return FaderSetting(faders_db, asked.astype(np.float32), asked.astype(np.float32))
    slopes = np.zeros((_FEATURES, _FEATURES))
    for fader, db in enumerate(faders_db):
        below, above = response[fader, _SMALL[0]], response[fader, _SMALL[1]]
        alone = np.array([np.interp(db, *_curve(column)) for column in response[fader].T])
        slopes[:, fader] = alone / db if db else (above - below) / (LEVELS_DB[_SMALL[1]] - LEVELS_DB[_SMALL[0]])
    asked_of = SegmentExcerpts(excerpts, segments, [listener])

    def measure(positions: Doubles) -> Doubles:
        heard = asked_of.heard(segment_gain_db(masks, positions.astype(np.float32)))
        return np.asarray((heard - asked_of.before)[0, :_FEATURES])

    found = solve(
        measure,
        slopes,
        asked,
        np.eye(_FEATURES),
        rms_of=lambda positions: float(np.abs(positions).max()),
        max_rms_db=FURTHEST_DB,
        start=faders_db.astype(np.float64),
        tries=TRIES,
        tolerance=TOLERANCE,
    )
    positions = found.coefficients.astype(np.float32)
    return FaderSetting(positions, asked.astype(np.float32), found.moved.astype(np.float32))


def as_mask(gains_db: FloatArray) -> tuple[FloatArray, Faders]:
    """Mask weights [segments, 7] and faders under which the mask filter applies gains [segments] in dB."""
    weights = np.zeros((len(gains_db), _FEATURES), np.float32)
    weights[:, 0] = gains_db / np.float32(FADER_RANGE_DB[1])
    return weights, Faders(FADER_RANGE_DB[1])


def _curve(measured: npt.NDArray[np.floating]) -> tuple[Doubles, Doubles]:
    """Levels and what is moved at them, none at zero, for interpolation."""
    levels = np.array((*LEVELS_DB, 0.0))
    order = np.argsort(levels)
    return levels[order], np.append(measured, 0.0)[order].astype(np.float64)
