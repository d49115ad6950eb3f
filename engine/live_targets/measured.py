"""Targets corrected with the network in the loop, on the stretches of the track that come next."""

from typing import TYPE_CHECKING, Final

import numpy as np

from ...models.common.arrays import FloatArray, Floats, Labels
from ...models.common.constants import EMOTIONS, MIDLEVEL, SAMPLE_RATE
from ...models.inference.threads import one_blas_thread, torch_threads
from ..dsp.segment_mask import segment_gain_db
from ..excerpts.stretches import placed_excerpts
from ..processes.messages import SolveTargets, TargetsSolved
from ..steering.faders.segment_excerpts import SegmentExcerpts
from ..steering.listeners import NetworkListener
from .fader_solver import Asked, slopes_at, solve_faders

if TYPE_CHECKING:
    from ...models.inference.checkpoint import Model
    from ..audio.track import Track

STRETCH_S: Final = 10.0
TRIES: Final = 8


def stretches_ahead(track: "Track", position_s: float) -> list[tuple[float, float]]:
    """(start, length) in seconds of the ten seconds that come next, and of ten in the middle of what remains.

    Between the silent ends of the track; near its end, and of a short one, the last seconds.
    """
    first, end = (sample / SAMPLE_RATE for sample in track.sounding)
    length = min(STRETCH_S, end - first)
    start = min(max(position_s, first), end - length)
    left = end - start - 2 * length
    if left < length:
        return [(start, length)]
    return [(start, length), (start + length + left / 2, length)]


def answer(request: SolveTargets, track: "Track", model: "Model", masks: tuple[Labels, FloatArray]) -> TargetsSolved:
    """Correct the estimate of a request by predictions of the network, in some twenty evaluations.

    Parameters
    ----------
    request
        What is asked, and the estimate.
    track, model
        The track and the model.
    masks
        Of its analysis: labels int32 [frames, bands], mask weights [subsegments, 7 or 14].

    Raises
    ------
    InputError
        If the track cannot be read.
    """
    with torch_threads(1), one_blas_thread():  # (many small operations: a second thread waits more than it works)
        excerpts = placed_excerpts(track, stretches_ahead(track, request.position_s))
        labels, mask_weights = masks
        asked_of = SegmentExcerpts(excerpts, labels, [NetworkListener(model)])

        def shifts_of(faders_db: Floats) -> Floats:
            moved = asked_of.predict(segment_gain_db(mask_weights, faders_db.astype(np.float32))) - asked_of.before
            return np.asarray(moved[0, len(MIDLEVEL) :])

        start = np.array(request.faders_db)
        slopes = slopes_at(shifts_of, start)
        found = solve_faders(shifts_of, Asked(request.asked), start=start, slopes=slopes, tries=TRIES)
    shifts = dict(zip(EMOTIONS, map(float, found.shifts), strict=True))
    return TargetsSolved(request.number, request.track, tuple(map(float, found.faders_db)), shifts)
