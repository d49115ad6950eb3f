"""Several decoupled faders as one setting: gains by which each feature moves by what its own fader says.

Faders that are each right alone are not quite right together: networks bend, and gains are limited. What a setting
asks is that every feature moves by what its own fader moves it alone, and those at zero stay. The gains that bring
this about lie near the sum of the faders': the slopes are taken there, and corrections of least gain follow with the
network in the loop (solver.py), made of the fourteen masks and the seven of the explanation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import MIDLEVEL
from ..dsp.faders import FADER_RANGE_DB, Faders
from ..dsp.segment_mask import SEGMENT_LIMIT_DB, fader_columns, segment_gain_db
from .excerpts import Excerpt
from .levels import LEAST_EFFECT, measured_curve
from .listeners import Listener
from .segment_excerpts import SegmentExcerpts
from .solver import damped_newton

STEPS: Final = 8
GOOD: Final = 0.08
FALLBACKS: Final = (0.6, 0.3, 1.0)
"""So much of the sum of the faders is begun with (all of it is more gain than it takes); others where one leads
nowhere."""
TOLERANCE: Final = 0.03
_FEATURES: Final = len(MIDLEVEL)


@dataclass(frozen=True)
class FaderSetting:
    """Gains [segments] in dB that were found.

    correction_db [segments]: these less the sum of the faders. asked and moved [7]: changes of the features, moved as
    measured.
    """

    gains_db: FloatArray
    correction_db: FloatArray
    asked: FloatArray
    moved: FloatArray

    @property
    def error(self) -> float:
        """Length of what is missed, per length of what is asked."""
        return float(np.linalg.norm(self.moved - self.asked)) / max(float(np.linalg.norm(self.asked)), 1e-9)


def solve_setting(
    faders_db: FloatArray,
    masks: FloatArray,
    explained: FloatArray,
    response: FloatArray,
    excerpts: Sequence[Excerpt],
    segments: npt.NDArray[np.int32],
    listener: Listener,
) -> FaderSetting:
    """Solve faders [7] in dB as a whole.

    masks [segments, 7 or 14], explained [segments, 7] (the masks of the explanation) and response [7, levels, 7] of
    the track; excerpts of it, by which the listener is asked; segments [frames, bands] of the whole track.
    """
    asked = np.array([np.interp(db, *measured_curve(response[k, :, k])) for k, db in enumerate(faders_db)])
    gains = segment_gain_db(masks, faders_db)
    if np.abs(asked).max() < LEAST_EFFECT:  # (faders that do nothing: there is nothing to solve)
        return FaderSetting(gains, np.zeros_like(gains), asked.astype(np.float32), asked.astype(np.float32))
    fields = np.concatenate((masks, explained), axis=1).T.astype(np.float64)  # [fields, segments], dB
    asked_of = SegmentExcerpts(excerpts, segments, [listener])
    rows = [(0, output) for output in range(_FEATURES)]

    def corrected(coefficients: Floats) -> FloatArray:
        return np.clip(gains + coefficients @ fields, -SEGMENT_LIMIT_DB, SEGMENT_LIMIT_DB).astype(np.float32)

    def measure(coefficients: Floats) -> Floats:
        return np.asarray((asked_of.heard(corrected(coefficients)) - asked_of.before)[0, :_FEATURES])

    best: FaderSetting | None = None
    for share in FALLBACKS:
        start = np.zeros(len(fields))
        start[: masks.shape[1]] = (share - 1) * fader_columns(faders_db, masks.shape[1])
        coefficients, moved = damped_newton(
            measure,
            lambda coefficients: asked_of.slopes(rows, corrected(coefficients)) @ fields.T,
            asked,
            (fields * asked_of.sizes) @ fields.T,
            start=start,
            steps=STEPS,
            tolerance=TOLERANCE,
        )
        solved = corrected(coefficients)
        found = FaderSetting(solved, solved - gains, asked.astype(np.float32), moved.astype(np.float32))
        best = found if best is None or found.error < best.error else best
        if best.error < GOOD:
            break
    assert best is not None
    return best


def as_mask(gains_db: FloatArray) -> tuple[FloatArray, Faders]:
    """Mask weights [segments, 7] and faders under which the mask filter applies gains [segments] in dB."""
    weights = np.zeros((len(gains_db), _FEATURES), np.float32)
    weights[:, 0] = gains_db / np.float32(FADER_RANGE_DB[1])
    return weights, Faders(FADER_RANGE_DB[1])
