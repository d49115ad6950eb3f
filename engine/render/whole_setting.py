"""Solves several faders together for a track, so that each feature moves as its own fader alone would move it."""

import numpy as np

from ...models.inference.checkpoint import Model
from ...models.inference.threads import torch_threads
from ..analysis.analysis import Analysis
from ..audio.track import Track
from ..dsp.faders import Faders
from ..steering.excerpts import placed_excerpts, spread_starts
from ..steering.fader_setting import FaderSetting, solve_setting
from ..steering.listeners import NetworkListener


def solve_whole(track: Track, analysis: Analysis, faders: Faders, model: Model) -> FaderSetting | None:
    """Gains by which each feature moves by what its own fader says; None for one fader, none, and coupled ones.

    Raises InputError where the track cannot be read.
    """
    if analysis.response is None or np.count_nonzero(faders.to_array()) < 2:
        return None
    with torch_threads(1):  # (many small operations: a second thread waits more than it works)
        return solve_setting(
            faders.to_array(),
            analysis.mask_weights,
            analysis.selected_weights,
            analysis.response,
            placed_excerpts(track, spread_starts(track)),
            analysis.segments,
            NetworkListener(model),
        )
