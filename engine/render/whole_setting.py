"""Solves the faders of a track together, so that each feature moves as its own fader alone would move it."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...models.common.arrays import Floats
from ...models.inference.checkpoint import Model
from ...models.inference.threads import one_blas_thread, working_threads
from ..analysis.analysis import Analysis
from ..analysis.prediction import Prediction, predict_spectrograms
from ..analysis.surrogate import segment_slopes
from ..audio.track import Track
from ..dsp.faders import Faders
from ..excerpts.piecewise_predictions import PiecewisePredictions
from ..excerpts.segment_predictions import Predict, SegmentPredictions
from ..excerpts.stretches import WHOLE_S, WIDE_S, placed_excerpts, spread_stretches, wide_stretches
from ..steering.faders.setting import FaderSetting, sum_of_faders
from ..steering.faders.setting_solver import (
    GOOD,
    STARTS,
    WIDE_UNMEASURED,
    correct_setting,
    solve_setting,
    starting_setting,
)
from ..steering.faders.slope_fields import divided_by_size, even_fields

if TYPE_CHECKING:
    from ..steering.faders.segment_excerpts import SegmentExcerpts


def solve_whole(
    track: Track,
    analysis: Analysis,
    faders: Faders,
    model: Model,
    *,
    by_all: bool = False,
    before: Prediction | None = None,
    torch_free: bool = False,
) -> FaderSetting | None:
    """Solve the faders of a track as a whole: gains by which each feature moves by what its own fader says.

    A track of up to a minute is solved by all of it, a longer one by excerpts. It takes a second or two (for longer
    tracks as much for every two or three minutes) and a hundred megabytes or two.

    Parameters
    ----------
    track, analysis, faders, model
        The analysis is of the track by the model.
    by_all
        A track of more than a minute is solved by up to five minutes of it, one fader alone too, if the analysis has
        slopes (0.10 and before have none). Excerpts and gradients then only give another start where that misses too
        much. A track of more than five minutes is then corrected by all of it, piece by piece.
    before
        The model's prediction of the track, where that is known.
    torch_free
        With by_all: the other start is a smaller share of the faders, and no gradients are computed.

    Returns
    -------
    FaderSetting or None
        None where the masks of the analysis are right as they are: no fader off zero, coupled faders, and one fader
        alone (but see by_all).

    Raises
    ------
    InputError
        Where the track cannot be read.
    """
    used = np.count_nonzero(faders.to_array())
    if analysis.response is None or not used:
        return None
    correctable = by_all and analysis.slopes is not None and track.sounding_s > WHOLE_S
    if used == 1 and not correctable:
        return None
    with one_blas_thread():
        if not correctable:
            return _by_excerpts(track, analysis, faders, model)
        found = _by_wide_excerpts(track, analysis, faders, model, before=before, torch_free=torch_free)
        if track.sounding_s <= WIDE_S:
            return found
        threads = working_threads()
        predict = _predict_by(model, threads)
        corrected = _corrected_by(
            PiecewisePredictions(track, analysis.mask_labels, predict, threads=threads), analysis
        )
        if (best := corrected(found)).error > WIDE_UNMEASURED:  # (parts of the track can lead astray)
            begun = starting_setting(faders.to_array(), analysis.mask_weights, analysis.response)
            best = min(best, corrected(begun), key=lambda setting: setting.error)
        return best


def solve_preset(track: Track, analysis: Analysis, faders: Faders, model: Model) -> FaderSetting | None:
    """Solve a preset as `play` does, and the render of a performance: `solve_whole` by all of the track.

    None for one fader alone, whose mask is right as it is. A track longer than a minute is solved without torch,
    which would take too much memory in a process beside the sound. Raises InputError where the track cannot be read.
    """
    if np.count_nonzero(faders.to_array()) == 1:
        return None
    return solve_whole(track, analysis, faders, model, by_all=True, before=analysis.prediction, torch_free=True)


def _by_wide_excerpts(
    track: Track, analysis: Analysis, faders: Faders, model: Model, *, before: Prediction | None, torch_free: bool
) -> FaderSetting:
    """Solve by up to five minutes of the track; from a second start too where the first misses by GOOD or more."""
    assert analysis.response is not None
    wide = _wide_excerpts(track, analysis, model, before)
    corrected = _corrected_by(wide, analysis)
    asked = faders.to_array(), analysis.mask_weights, analysis.response
    found = corrected(starting_setting(*asked))
    if np.count_nonzero(faders.to_array()) == 1 or found.error < GOOD:
        return found
    if not torch_free:
        other = corrected(_by_excerpts(track, analysis, faders, model))
    else:  # (strong gains are so far from linear that no slopes lead on from there)
        share = analysis.clip_seconds / analysis.sounding_s
        slopes = segment_slopes(analysis.weights, analysis.response_per_db, share=share)
        sizes = (
            np.bincount(analysis.mask_labels.ravel(), minlength=len(analysis.mask_weights)) / analysis.segments.size
        )
        slopes = wide.loudness_matched_slopes(divided_by_size(slopes, sizes))
        fields = even_fields(slopes, sizes)
        other = corrected(sum_of_faders(*asked, share=STARTS[1]), extra=(fields, slopes @ fields.T))
    return min(found, other, key=lambda setting: setting.error)


def _by_excerpts(track: Track, analysis: Analysis, faders: Faders, model: Model) -> FaderSetting:
    assert analysis.response is not None
    excerpts = placed_excerpts(track, spread_stretches(track))
    threads = working_threads()

    def by_gradients() -> "SegmentExcerpts":
        from ..steering.faders.segment_excerpts import SegmentExcerpts
        from ..steering.listeners import NetworkListener  # (torch)

        return SegmentExcerpts(excerpts, analysis.mask_labels, [NetworkListener(model)])

    return solve_setting(
        faders.to_array(),
        analysis.mask_weights,
        analysis.explained_masks,
        analysis.response,
        analysis.slopes,
        SegmentPredictions(excerpts, analysis.mask_labels, [_predict_by(model, threads)], threads=threads),
        by_gradients,
    )


def _wide_excerpts(track: Track, analysis: Analysis, model: Model, before: Prediction | None) -> SegmentPredictions:
    """Predictions of up to five minutes of the track (wide_stretches) under gains of its segments."""
    threads = working_threads()
    known: Floats | None = None
    if before is not None and track.sounding_s <= WIDE_S:  # (a prediction of all of it is none of its parts)
        known = before.to_array()[None]
    parts, predict = placed_excerpts(track, wide_stretches(track)), [_predict_by(model, threads)]
    return SegmentPredictions(parts, analysis.mask_labels, predict, threads=threads, before=known)


def _corrected_by(wide: SegmentPredictions | PiecewisePredictions, analysis: Analysis) -> "partial[FaderSetting]":
    assert analysis.slopes is not None
    return partial(
        correct_setting,
        masks=analysis.mask_weights,
        explained=analysis.explained_masks,
        slopes=analysis.slopes,
        wide=wide,
    )


def _predict_by(model: Model, threads: int) -> Predict:
    return partial(predict_spectrograms, model=model, threads=threads)
