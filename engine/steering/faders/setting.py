"""Several decoupled faders as one setting: gains by which each feature moves by what its own fader says.

Faders that are each right alone are not quite right together: networks bend, and gains are limited. What a setting
asks is that every feature moves by what its own fader moves it alone, and those at zero stay. The gains that bring
this about lie near the sum of the faders': corrections of least gain follow with the network in the loop (solver.py),
made of the fourteen masks and the seven of the explanation. By how much these move the features, without gain, is
in the analysis, and every prediction corrects it: that takes no gradients and no torch. Where it does not come near
enough, and with analyses of 0.10 and before, the network's gradients are asked at every step. A long track answers
otherwise than a minute of it, so what is written is solved by more of the track: from a share of the faders on, or
from what the minute has solved; or, without torch, from a smaller share, with fields of segment effects.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ....models.common.arrays import FloatArray, Floats
from ....models.common.constants import MIDLEVEL
from ....models.inference.threads import torch_threads
from ...dsp.faders import FADER_RANGE_DB, Faders
from ...dsp.segment_mask import SEGMENT_LIMIT_DB, fader_columns, segment_gain_db
from ...excerpts.piecewise_predictions import PiecewisePredictions
from ...excerpts.segment_predictions import SegmentPredictions
from ..newton import damped_newton
from ..solver import corrected_slopes, inverse_root
from .levels import MIN_EFFECT, measured_curve
from .slope_fields import gradient_fields

if TYPE_CHECKING:
    from .segment_excerpts import SegmentExcerpts

TRIES: Final = 8
"""Predictions of the excerpts by the stored slopes, of one start."""
STARTS: Final = (0.6, 0.3)
"""So much of the sum of the faders is begun with (all of it is more gain than it takes); another where one leads
nowhere."""
GOOD: Final = 0.06
ROUNDS: Final = 8
"""Of gradients, at the most."""
ROUND_TRIES: Final = 4
"""Predictions of the excerpts in a round."""
NARROW_COST: Final = 16.0
"""What the square of a gain along a gradient costs beside that of a mask."""
NARROW_COVER: Final = 0.95
"""So many of the segments must lie in the excerpts: gradients say nothing of the others."""
TOLERANCE: Final = 0.03
WIDE_TOLERANCE: Final = 0.05
WIDE_TRIES: Final = 5
"""Predictions of more of the track, by which a setting is put right; the first is of what was found."""
AGAIN_TRIES: Final = 11
"""Instead, from the other start, where that did not come near; all steps are predicted then."""
WIDE_UNMEASURED: Final = 0.1
"""Where no more is missed, per what is asked, the next step is the last and is not predicted: about a third of it is
left then, and the written file is predicted anyway."""
_FEATURES: Final = len(MIDLEVEL)
_ROWS: Final = [(0, output) for output in range(_FEATURES)]


@dataclass(frozen=True)
class FaderSetting:
    """Gains [segments] in dB that were found.

    correction_db [segments]: these less the sum of the faders. asked and moved [7]: changes of the features, moved as
    measured or, after a last small step, as expected.
    """

    gains_db: FloatArray
    correction_db: FloatArray
    asked: FloatArray
    moved: FloatArray

    @property
    def error(self) -> float:
        """Length of what is missed, per length of what is asked."""
        return _error(self.moved, self.asked)


def solve_setting(
    faders_db: FloatArray,
    masks: FloatArray,
    explained: FloatArray,
    response: FloatArray,
    slopes: FloatArray | None,
    excerpts: SegmentPredictions,
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
    excerpts
        Excerpts of the track, and the network that predicts them.
    by_gradients
        Gives the same excerpts with gradients; called only where they are needed.
    """
    asked = asked_moves(faders_db, response)
    if np.abs(asked).max() < MIN_EFFECT:  # (faders that do nothing: there is nothing to solve)
        return sum_of_faders(faders_db, masks, response)
    fields = np.concatenate((masks, explained), axis=1).T.astype(np.float64)
    if slopes is None:
        with torch_threads(1):
            first_slopes = by_gradients().slopes(_ROWS, np.zeros(len(masks), np.float32)) @ fields.T
    else:
        first_slopes = slopes.astype(np.float64)
    columns = fader_columns(faders_db, masks.shape[1])
    best = _by_stored_slopes(
        _Setting(segment_gain_db(masks, faders_db), fields, excerpts, asked), columns, first_slopes
    )
    if _error(best[1], asked) >= GOOD:
        with torch_threads(1):  # (many small operations; and the number of threads shall not change the samples)
            best = _by_gradients(*best, by_gradients(), fields, asked)
    gains, moved = best
    correction = gains - segment_gain_db(masks, faders_db)
    return FaderSetting(gains, correction, asked.astype(np.float32), moved.astype(np.float32))


def asked_moves(faders_db: FloatArray, response: FloatArray) -> Floats:
    """What each fader [7] in dB moves its own feature by alone, by the response [7, levels, 7]: [7]."""
    return np.array([np.interp(db, *measured_curve(response[k, :, k])) for k, db in enumerate(faders_db)])


def sum_of_faders(
    faders_db: FloatArray, masks: FloatArray, response: FloatArray, *, share: float = 1.0
) -> FaderSetting:
    """Faders [7] in dB as they add up, by masks [segments, 7 or 14]; moved is as asked, for want of a measurement.

    share: so much of the sum, of which all is asked.
    """
    whole = segment_gain_db(masks, faders_db)
    gains = whole if share == 1 else segment_gain_db(masks, faders_db * np.float32(share))
    asked = asked_moves(faders_db, response).astype(np.float32)
    return FaderSetting(gains, gains - whole, asked, asked)


def beginning(faders_db: FloatArray, masks: FloatArray, response: FloatArray) -> FaderSetting:
    """What `correct_setting` begins with where nothing is known of faders [7] in dB: a share of the sum of several.

    All of it for one fader alone, and for faders that do nothing.
    """
    several = np.count_nonzero(faders_db) > 1 and np.abs(asked_moves(faders_db, response)).max() >= MIN_EFFECT
    return sum_of_faders(faders_db, masks, response, share=STARTS[0] if several else 1.0)


def correct_setting(
    found: FaderSetting,
    masks: FloatArray,
    explained: FloatArray,
    slopes: FloatArray,
    wide: SegmentPredictions | PiecewisePredictions,
    *,
    besides: tuple[Floats, Floats] | None = None,
) -> FaderSetting:
    """A setting that more of the track answers as asked.

    Parameters
    ----------
    found
        What is begun with: a fader alone, a share of several, or what excerpts have solved.
    masks, explained, slopes
        As for `solve_setting`.
    wide
        More of the track, and the network that predicts it.
    besides
        More fields [fields, segments], and by how much these move the features [7, fields]. It is tried for longer.

    Returns
    -------
    FaderSetting
        The nearest that was tried, at worst the one that was found, or a last step from there that was not tried;
        moved is what `wide` says of it, or by the slopes would say.
    """
    asked = found.asked.astype(np.float64)
    if np.abs(asked).max() < MIN_EFFECT:
        return found
    fields = np.concatenate((masks, explained), axis=1).T.astype(np.float64)
    first_slopes, tries, unmeasured = slopes.astype(np.float64), WIDE_TRIES, WIDE_UNMEASURED
    if besides is not None:
        fields = np.concatenate((fields, besides[0]))
        first_slopes = np.concatenate((first_slopes, besides[1]), axis=1)
        tries, unmeasured = AGAIN_TRIES, 0.0
    setting = _Setting(found.gains_db, fields, wide, asked)
    start = np.zeros(len(fields))
    moved = setting.measure(start)
    # (no gain moves nothing: the way from there to what was found is a step of which the slopes can learn)
    root = inverse_root(setting.metric)
    step = root @ (root.T @ (fields @ (wide.sizes * found.gains_db)))
    coefficients, moved = damped_newton(
        setting.measure,
        corrected_slopes(first_slopes, step, moved, setting.metric),
        asked,
        setting.metric,
        start=start,
        moved=moved,
        tries=tries - 1,
        tolerance=WIDE_TOLERANCE,
        unmeasured=unmeasured,
    )
    gains = setting.gains_db(coefficients)
    correction = found.correction_db + (gains - found.gains_db)
    return FaderSetting(gains, correction, found.asked, moved.astype(np.float32))


class _Setting:
    """Gains of a track's segments [segments] in dB with fields on top, and what the network says of them."""

    def __init__(
        self,
        base_db: FloatArray,
        fields: Floats,
        excerpts: SegmentPredictions | PiecewisePredictions,
        asked: Floats,
        costs: Floats | None = None,
    ) -> None:
        """Fields [fields, segments], dB; costs [fields]: of the square of each gain; one by default."""
        self.base_db, self.fields, self.excerpts, self.asked = base_db, fields, excerpts, asked
        self.metric = (self.fields * excerpts.sizes) @ self.fields.T
        if costs is not None:
            self.metric *= np.sqrt(np.outer(costs, costs))

    def gains_db(self, coefficients: Floats) -> FloatArray:
        """Gains [segments] of coefficients of the fields."""
        gains = self.base_db + coefficients @ self.fields
        return np.clip(gains, -SEGMENT_LIMIT_DB, SEGMENT_LIMIT_DB).astype(np.float32)

    def measure(self, coefficients: Floats) -> Floats:
        """What the features [7] are moved by."""
        moved = self.excerpts.predict(self.gains_db(coefficients), networks=1) - self.excerpts.before[:1]
        return np.asarray(moved[0, :_FEATURES])


def _error(moved: FloatArray | Floats, asked: FloatArray | Floats) -> float:
    """Length of what is missed, per length of what is asked."""
    return float(np.linalg.norm(moved - asked)) / max(float(np.linalg.norm(asked)), 1e-9)


def _by_stored_slopes(setting: _Setting, columns: Floats, slopes: Floats) -> tuple[FloatArray, Floats]:
    """Gains [segments] and what they move [7]; columns: the faders as coefficients of the masks."""
    best: tuple[FloatArray, Floats] | None = None
    for share in STARTS:
        start = np.zeros(len(setting.fields))
        start[: len(columns)] = (share - 1) * columns
        coefficients, moved = damped_newton(
            setting.measure,
            slopes,
            setting.asked,
            setting.metric,
            start=start,
            tries=TRIES,
            tolerance=TOLERANCE,
        )
        found = setting.gains_db(coefficients), moved
        best = found if best is None or _error(moved, setting.asked) < _error(best[1], setting.asked) else best
        if _error(best[1], setting.asked) < GOOD:
            break
    assert best is not None
    return best


def _by_gradients(
    gains_db: FloatArray, moved: Floats, excerpts: "SegmentExcerpts", fields: Floats, asked: Floats
) -> tuple[FloatArray, Floats]:
    """Better gains [segments] from these on, which move the features by `moved`, and what they move."""
    covered = np.count_nonzero(excerpts.sizes) >= NARROW_COVER * len(excerpts.sizes)
    for _ in range(ROUNDS):
        if (begun := _error(moved, asked)) <= TOLERANCE:
            break
        slopes = excerpts.slopes(_ROWS, gains_db)
        used, costs = fields, np.ones(len(fields))
        if covered:
            used = np.concatenate((fields, gradient_fields(slopes, excerpts.sizes)))
            costs = np.concatenate((costs, np.full(_FEATURES, NARROW_COST)))
        setting = _Setting(gains_db, used, excerpts, asked, costs)
        coefficients, moved = damped_newton(
            setting.measure,
            slopes @ used.T,
            asked,
            setting.metric,
            start=np.zeros(len(used)),
            moved=moved,
            tries=ROUND_TRIES,
            tolerance=TOLERANCE,
        )
        gains_db = setting.gains_db(coefficients)
        if _error(moved, asked) >= begun:
            break
    return gains_db, moved


def as_mask(gains_db: FloatArray) -> tuple[FloatArray, Faders]:
    """Mask weights [segments, 7] and faders under which the mask filter applies gains [segments] in dB."""
    weights = np.zeros((len(gains_db), _FEATURES), np.float32)
    weights[:, 0] = gains_db / np.float32(FADER_RANGE_DB[1])
    return weights, Faders(FADER_RANGE_DB[1])
