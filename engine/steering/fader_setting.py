"""Several decoupled faders as one setting: gains by which each feature moves by what its own fader says.

Faders that are each right alone are not quite right together: networks bend, and gains are limited. What a setting
asks is that every feature moves by what its own fader moves it alone, and those at zero stay. The gains that bring
this about lie near the sum of the faders': corrections of least gain follow with the network in the loop (solver.py),
made of the fourteen masks and the seven of the explanation. By how much these move the features, without gain, is
in the analysis, and every prediction corrects it: that takes no gradients and no torch. Where it does not come near
enough, and with analyses of 0.10 and before, the network's gradients are asked at every step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import MIDLEVEL
from ...models.inference.threads import torch_threads
from ..dsp.faders import FADER_RANGE_DB, Faders
from ..dsp.segment_mask import SEGMENT_LIMIT_DB, fader_columns, segment_gain_db
from ..excerpts.segment_predictions import SegmentPredictions
from .levels import MIN_EFFECT, measured_curve
from .solver import corrected_newton, damped_newton

if TYPE_CHECKING:
    from .segment_excerpts import SegmentExcerpts

TRIES: Final = 8
"""Predictions of the excerpts by the stored slopes."""
STEPS: Final = 8
"""Gradients, of one start."""
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
    slopes: FloatArray | None,
    heard: SegmentPredictions,
    by_gradients: "Callable[[], SegmentExcerpts]",
) -> FaderSetting:
    """Solve faders [7] in dB as a whole.

    Parameters
    ----------
    faders_db
        The faders.
    masks
        [segments, 7 or 14].
    explained
        Masks of the explanation, [segments, 7].
    response
        What each fader moves at the levels, [7, levels, 7].
    slopes
        Change of the features per dB of each mask and of each of the explanation's, without gain:
        [7, masks + explained]; None where the analysis does not have them.
    heard
        Excerpts of the track and the network that predicts them.
    by_gradients
        Gives the same excerpts with gradients; called only where they are needed.
    """
    asked = np.array([np.interp(db, *measured_curve(response[k, :, k])) for k, db in enumerate(faders_db)])
    if np.abs(asked).max() < MIN_EFFECT:  # (faders that do nothing: there is nothing to solve)
        gains = segment_gain_db(masks, faders_db)
        return FaderSetting(gains, np.zeros_like(gains), asked.astype(np.float32), asked.astype(np.float32))
    fields = np.concatenate((masks, explained), axis=1).T.astype(np.float64)
    best: FaderSetting | None = None
    if slopes is not None:
        best = _by_stored_slopes(_Setting(faders_db, fields, masks, heard, asked), slopes)
    if best is None or best.error >= GOOD:
        with torch_threads(1):  # (many small operations; and the number of threads shall not change the samples)
            excerpts = by_gradients()
            setting = _Setting(faders_db, fields, masks, excerpts, asked)
            for share in FALLBACKS:
                found = _by_gradients(setting, excerpts, share)
                best = found if best is None or found.error < best.error else best
                if best.error < GOOD:
                    break
    assert best is not None
    return best


class _Setting:
    """One setting of a track: its gains, and what the network says of them."""

    def __init__(
        self, faders_db: FloatArray, fields: Floats, masks: FloatArray, heard: SegmentPredictions, asked: Floats
    ) -> None:
        self.columns = fader_columns(faders_db, masks.shape[1]).astype(np.float64)
        self.fields = fields  # [fields, segments], dB; the masks first
        self.sum_db = segment_gain_db(masks, faders_db)
        self.heard, self.asked = heard, asked
        self.metric = (self.fields * heard.sizes) @ self.fields.T

    def start(self, share: float) -> Floats:
        """Coefficients [fields] of a share of the sum of the faders."""
        start = np.zeros(len(self.fields))
        start[: len(self.columns)] = (share - 1) * self.columns
        return start

    def gains_db(self, coefficients: Floats) -> FloatArray:
        """Gains [segments] of coefficients beside the sum of the faders."""
        gains = self.sum_db + coefficients @ self.fields
        return np.clip(gains, -SEGMENT_LIMIT_DB, SEGMENT_LIMIT_DB).astype(np.float32)

    def measure(self, coefficients: Floats) -> Floats:
        """What the features [7] are moved by."""
        moved = self.heard.heard(self.gains_db(coefficients)) - self.heard.before
        return np.asarray(moved[0, :_FEATURES])

    def found(self, coefficients: Floats, moved: Floats) -> FaderSetting:
        """The setting as solved."""
        solved = self.gains_db(coefficients)
        return FaderSetting(solved, solved - self.sum_db, self.asked.astype(np.float32), moved.astype(np.float32))


def _by_stored_slopes(setting: _Setting, slopes: FloatArray) -> FaderSetting:
    best: FaderSetting | None = None
    for share in FALLBACKS[:2]:
        coefficients, moved = corrected_newton(
            setting.measure,
            slopes.astype(np.float64),
            setting.asked,
            setting.metric,
            start=setting.start(share),
            tries=TRIES,
            tolerance=TOLERANCE,
        )
        found = setting.found(coefficients, moved)
        best = found if best is None or found.error < best.error else best
        if best.error < GOOD:
            break
    assert best is not None
    return best


def _by_gradients(setting: _Setting, excerpts: "SegmentExcerpts", share: float) -> FaderSetting:
    rows = [(0, output) for output in range(_FEATURES)]
    coefficients, moved = damped_newton(
        setting.measure,
        lambda coefficients: excerpts.slopes(rows, setting.gains_db(coefficients)) @ setting.fields.T,
        setting.asked,
        setting.metric,
        start=setting.start(share),
        steps=STEPS,
        tolerance=TOLERANCE,
    )
    return setting.found(coefficients, moved)


def as_mask(gains_db: FloatArray) -> tuple[FloatArray, Faders]:
    """Mask weights [segments, 7] and faders under which the mask filter applies gains [segments] in dB."""
    weights = np.zeros((len(gains_db), _FEATURES), np.float32)
    weights[:, 0] = gains_db / np.float32(FADER_RANGE_DB[1])
    return weights, Faders(FADER_RANGE_DB[1])
