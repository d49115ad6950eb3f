"""Several decoupled faders as one setting: gains of the segments, what they are to move, and what they do move.

A setting asks that every feature moves by what its own fader moves it alone, and that those at zero stay. The sum of
the faders does not quite do that: networks are not linear, and gains are limited. `setting_solver.py` finds the gains
that do.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ....models.common.arrays import FloatArray, Floats
from ....models.common.constants import MIDLEVEL
from ...dsp.faders import FADER_RANGE_DB, Faders
from ...dsp.segment_mask import SEGMENT_LIMIT_DB, segment_gain_db
from ...excerpts.piecewise_predictions import PiecewisePredictions
from ...excerpts.segment_predictions import SegmentPredictions
from .levels import measured_curve

_FEATURES: Final = len(MIDLEVEL)


@dataclass(frozen=True)
class FaderSetting:
    """Gains of the segments for a setting of the faders.

    Attributes
    ----------
    gains_db
        float32 [segments].
    correction_db
        These less the sum of the faders, float32 [segments].
    asked
        Wanted changes of the features, on the scale 0..1, [7].
    moved
        Their changes as predicted or, after a last small step, as expected by the slopes, [7].
    """

    gains_db: FloatArray
    correction_db: FloatArray
    asked: FloatArray
    moved: FloatArray

    @property
    def error(self) -> float:
        """`relative_miss` of what is moved."""
        return relative_miss(self.moved, self.asked)


def asked_moves(faders_db: FloatArray, response: FloatArray) -> Floats:
    """What each fader [7] in dB moves its own feature by alone, by the response [7, levels, 7]: [7]."""
    return np.array([np.interp(db, *measured_curve(response[k, :, k])) for k, db in enumerate(faders_db)])


def sum_of_faders(
    faders_db: FloatArray, masks: FloatArray, response: FloatArray, *, share: float = 1.0
) -> FaderSetting:
    """The sum of faders [7] in dB by masks [segments, 7 or 14]; not measured: `moved` is set to `asked`.

    share: the gains are this share of the sum; what is asked stays that of all of it.
    """
    whole = segment_gain_db(masks, faders_db)
    gains = whole if share == 1 else segment_gain_db(masks, faders_db * np.float32(share))
    asked = asked_moves(faders_db, response).astype(np.float32)
    return FaderSetting(gains, gains - whole, asked, asked)


def relative_miss(moved: FloatArray | Floats, asked: FloatArray | Floats) -> float:
    """Length of the miss `moved - asked` over the length of `asked`, both [7]."""
    return float(np.linalg.norm(moved - asked)) / max(float(np.linalg.norm(asked)), 1e-9)


def as_mask(gains_db: FloatArray) -> tuple[FloatArray, Faders]:
    """Mask weights [segments, 7] and faders under which the mask filter applies gains [segments] in dB."""
    weights = np.zeros((len(gains_db), _FEATURES), np.float32)
    weights[:, 0] = gains_db / np.float32(FADER_RANGE_DB[1])
    return weights, Faders(FADER_RANGE_DB[1])


class SettingGains:
    """Gains of the segments that are a base plus fields, and their predictions by the network."""

    def __init__(
        self,
        base_db: FloatArray,
        fields: Floats,
        excerpts: SegmentPredictions | PiecewisePredictions,
        asked: Floats,
        costs: Floats | None = None,
    ) -> None:
        """Take the base [segments] and the fields [fields, segments], both in dB.

        costs: of the square of a dB of each field, [fields]; None: one.
        """
        self.base_db, self.fields, self.excerpts, self.asked = base_db, fields, excerpts, asked
        self.metric = (self.fields * excerpts.sizes) @ self.fields.T
        if costs is not None:
            self.metric *= np.sqrt(np.outer(costs, costs))

    def gains_db(self, coefficients: Floats) -> FloatArray:
        """Gains [segments] in dB of coefficients [fields] in dB, within SEGMENT_LIMIT_DB."""
        gains = self.base_db + coefficients @ self.fields
        return np.clip(gains, -SEGMENT_LIMIT_DB, SEGMENT_LIMIT_DB).astype(np.float32)

    def measure(self, coefficients: Floats) -> Floats:
        """Predicted changes of the features under coefficients [fields], [7]."""
        moved = self.excerpts.predict(self.gains_db(coefficients), networks=1) - self.excerpts.before[:1]
        return np.asarray(moved[0, :_FEATURES])
