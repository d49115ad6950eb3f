"""Solves several faders together for a track, so that each feature moves as its own fader alone would move it."""

from typing import TYPE_CHECKING

import numpy as np

from ...models.inference.checkpoint import Model
from ...models.inference.threads import one_blas_thread
from ..analysis.analysis import Analysis
from ..audio.track import Track
from ..dsp.faders import Faders
from ..excerpts.segment_predictions import SegmentPredictions, predict_by
from ..excerpts.stretches import placed_excerpts, spread_starts
from ..steering.fader_setting import FaderSetting, solve_setting

if TYPE_CHECKING:
    from ..steering.segment_excerpts import SegmentExcerpts


def solve_whole(track: Track, analysis: Analysis, faders: Faders, model: Model) -> FaderSetting | None:
    """Gains by which each feature moves by what its own fader says; None for one fader, none, and coupled ones.

    Raises InputError where the track cannot be read.
    """
    if analysis.response is None or np.count_nonzero(faders.to_array()) < 2:
        return None
    excerpts = placed_excerpts(track, spread_starts(track))

    def by_gradients() -> "SegmentExcerpts":
        from ..steering.listeners import NetworkListener  # (torch)
        from ..steering.segment_excerpts import SegmentExcerpts

        return SegmentExcerpts(excerpts, analysis.segments, [NetworkListener(model)])

    with one_blas_thread():
        return solve_setting(
            faders.to_array(),
            analysis.mask_weights,
            analysis.selected_weights,
            analysis.response,
            analysis.slopes,
            SegmentPredictions(excerpts, analysis.segments, [predict_by(model)]),
            by_gradients,
        )
