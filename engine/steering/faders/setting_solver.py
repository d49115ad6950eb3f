"""Solves a setting of several decoupled faders, with the network in the loop.

The gains lie near the sum of the faders: corrections of least gain follow (newton.py), made of the fourteen masks and
the seven of the explanation. The analysis has the slopes of these without gain, and every prediction corrects them:
that takes no gradients and no torch. Where it does not come near enough, and with analyses of 0.10 and before, the
network's gradients are computed at every step (`solve_setting`).

A long track does not move as its excerpts do. What is written is corrected by predictions of more of it
(`correct_setting`): from a share of the sum of the faders on, or from what the excerpts have solved; or, without
torch, from a smaller share, with fields of segment effects (slope_fields.py).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ....models.common.arrays import FloatArray, Floats
from ....models.common.constants import MIDLEVEL
from ....models.inference.threads import torch_threads
from ...dsp.segment_mask import fader_columns, segment_gain_db
from ...excerpts.piecewise_predictions import PiecewisePredictions
from ...excerpts.segment_predictions import SegmentPredictions
from ..newton import damped_newton
from ..solver import corrected_slopes, inverse_root
from .levels import MIN_EFFECT
from .setting import FaderSetting, SettingGains, asked_moves, relative_miss, sum_of_faders
from .slope_fields import gradient_fields

if TYPE_CHECKING:
    from .segment_excerpts import SegmentExcerpts

TRIES: Final = 8
"""Predictions of the excerpts by the stored slopes, of one start."""
STARTS: Final = (0.6, 0.3)
"""Shares of the sum of the faders to start from (all of it is more gain than it takes); the second where the first
does not converge.
"""
GOOD: Final = 0.06
"""A relative miss (`relative_miss`) with which nothing further is tried."""
ROUNDS: Final = 8
"""At most so many rounds, each with new gradients."""
ROUND_TRIES: Final = 4
"""Predictions of the excerpts in a round."""
NARROW_COST: Final = 16.0
"""What the square of a gain along a gradient costs beside that of a mask."""
NARROW_COVER: Final = 0.95
"""Share of the segments that must lie in the excerpts for gradients to be used: of the others there are none."""
TOLERANCE: Final = 0.03
"""A relative miss on the excerpts that ends the solution."""
WIDE_TOLERANCE: Final = 0.05
"""Instead of TOLERANCE, on more of the track."""
WIDE_TRIES: Final = 5
"""Predictions of more of the track in a correction; the first is of the setting to be corrected."""
AGAIN_TRIES: Final = 11
"""Instead of WIDE_TRIES with extra fields, from the second start; all steps are predicted then."""
WIDE_UNMEASURED: Final = 0.1
"""With a relative miss of no more than this the next step is the last and is not predicted: about a third of the miss
is left then, and the written file is predicted anyway.
"""
_FEATURES: Final = len(MIDLEVEL)
_ROWS: Final = [(0, output) for output in range(_FEATURES)]


def solve_setting(
    faders_db: FloatArray,
    masks: FloatArray,
    explained: FloatArray,
    response: FloatArray,
    slopes: FloatArray | None,
    excerpts: SegmentPredictions,
    by_gradients: "Callable[[], SegmentExcerpts]",
) -> FaderSetting:
    """Solve faders as a whole by excerpts of the track, by gradients where the stored slopes do not suffice.

    Parameters
    ----------
    faders_db
        The faders in dB, [7].
    masks
        Of the faders, [segments, 7 or 14].
    explained
        Masks of the explanation, [segments, 7].
    response
        Measured changes of the features under each fader alone, [7 faders, levels, 7] (levels.py).
    slopes
        Change of the features per dB of each mask and of each of the explanation's, without gain: [7, columns of
        masks and of explained]; None where the analysis does not have them.
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
        SettingGains(segment_gain_db(masks, faders_db), fields, excerpts, asked), columns, first_slopes
    )
    if relative_miss(best[1], asked) >= GOOD:
        with torch_threads(1):  # (many small operations; and the number of threads shall not change the samples)
            best = _by_gradients(*best, by_gradients(), fields, asked, present=np.asarray(masks.any(axis=1)))
    gains, moved = best
    correction = gains - segment_gain_db(masks, faders_db)
    return FaderSetting(gains, correction, asked.astype(np.float32), moved.astype(np.float32))


def starting_setting(faders_db: FloatArray, masks: FloatArray, response: FloatArray) -> FaderSetting:
    """What `correct_setting` starts from where nothing has been solved: a share of the sum of the faders [7] in dB.

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
    extra: tuple[Floats, Floats] | None = None,
) -> FaderSetting:
    """Correct a setting by predictions of more of the track.

    Parameters
    ----------
    found
        The setting to start from: a fader alone, a share of several, or what excerpts have solved.
    masks, explained, slopes
        As for `solve_setting`.
    wide
        More of the track, and the network that predicts it.
    extra
        More fields [fields, segments] in dB, and their slopes [7, fields]; with these there are AGAIN_TRIES.

    Returns
    -------
    FaderSetting
        The nearest that was tried, at worst `found`, or a last step from there that was not tried; its `moved` is as
        predicted by `wide`, or for that last step as expected by the slopes.
    """
    asked = found.asked.astype(np.float64)
    if np.abs(asked).max() < MIN_EFFECT:
        return found
    fields = np.concatenate((masks, explained), axis=1).T.astype(np.float64)
    first_slopes, tries, unmeasured = slopes.astype(np.float64), WIDE_TRIES, WIDE_UNMEASURED
    if extra is not None:
        fields = np.concatenate((fields, extra[0]))
        first_slopes = np.concatenate((first_slopes, extra[1]), axis=1)
        tries, unmeasured = AGAIN_TRIES, 0.0
    setting = SettingGains(found.gains_db, fields, wide, asked)
    start = np.zeros(len(fields))
    moved = setting.measure(start)
    # (zero gain moves nothing, so the step from there to the setting found is one for Broyden's update)
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


def _by_stored_slopes(setting: SettingGains, columns: Floats, slopes: Floats) -> tuple[FloatArray, Floats]:
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
        if best is None or relative_miss(moved, setting.asked) < relative_miss(best[1], setting.asked):
            best = found
        if relative_miss(best[1], setting.asked) < GOOD:
            break
    assert best is not None
    return best


def _by_gradients(
    gains_db: FloatArray,
    moved: Floats,
    excerpts: "SegmentExcerpts",
    fields: Floats,
    asked: Floats,
    *,
    present: npt.NDArray[np.bool_],
) -> tuple[FloatArray, Floats]:
    """Better gains [segments] from these on, which move the features by `moved`, and what they move.

    present: which segments there are at all, [segments].
    """
    covered = np.count_nonzero(excerpts.sizes) >= NARROW_COVER * np.count_nonzero(present)
    for _ in range(ROUNDS):
        if (begun := relative_miss(moved, asked)) <= TOLERANCE:
            break
        slopes = excerpts.slopes(_ROWS, gains_db)
        used, costs = fields, np.ones(len(fields))
        if covered:
            used = np.concatenate((fields, gradient_fields(slopes, excerpts.sizes)))
            costs = np.concatenate((costs, np.full(_FEATURES, NARROW_COST)))
        setting = SettingGains(gains_db, used, excerpts, asked, costs)
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
        if relative_miss(moved, asked) >= begun:
            break
    return gains_db, moved
