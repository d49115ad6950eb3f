"""Targets corrected with the network in the loop, on the stretches of the track that come next."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.arrays import Floats
from ...models.common.constants import EMOTIONS, HOP_LENGTH, MIDLEVEL, SAMPLE_RATE
from ...models.common.filterbank import frame_count
from ...models.inference.threads import torch_threads
from ..dsp.segment_mask import segment_gain_db
from ..processes.messages import SolveTargets, TargetsSolved
from ..steering.excerpts import Excerpts, read_excerpts
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


class MeasuredShifts:
    """What the network says of stretches of a track under its faders.

    Parameters
    ----------
    track
        The track.
    model
        The model that is asked.
    tables
        Of its analysis: segments int [frames, bands], mask_weights [segments, 7].
    position_s
        Where the track is now.
    """

    def __init__(
        self, track: "Track", model: "Model", tables: Mapping[str, npt.NDArray[np.generic]], position_s: float
    ) -> None:
        self._mask_weights = np.asarray(tables["mask_weights"], np.float32)
        segments = np.asarray(tables["segments"])
        stretches = stretches_ahead(track, position_s)
        firsts = [round(start * SAMPLE_RATE) for start, _ in stretches]
        sounds = read_excerpts(track, stretches)
        self._labels = []
        for sound, first in zip(sounds, firsts, strict=True):
            frame = first // HOP_LENGTH
            labels = segments[frame : frame + frame_count(len(sound)) + 1].astype(np.int64)
            self._labels.append(torch.from_numpy(labels))
        self._excerpts = Excerpts(
            sounds,
            [NetworkListener(model)],
            fields=[np.zeros((1, *labels.shape), np.float32) for labels in self._labels],
            offsets=[first % HOP_LENGTH for first in firsts],
            costs=np.ones(1),
        )

    def __call__(self, faders_db: Floats) -> Floats:
        """Shifts of the emotions [8] under faders [7] in dB."""
        gains_db = torch.from_numpy(segment_gain_db(self._mask_weights, faders_db.astype(np.float32)))
        said = self._excerpts.heard([gains_db[labels] for labels in self._labels], listeners=1)
        return np.asarray(said - self._excerpts.before, np.float64)[0, len(MIDLEVEL) :]


def answer(
    request: SolveTargets, track: "Track", model: "Model", tables: Mapping[str, npt.NDArray[np.generic]]
) -> TargetsSolved:
    """Correct the estimate of a request by what the network says, in some twenty evaluations.

    Parameters
    ----------
    request
        What is asked, and the estimate.
    track, model
        The track and the model.
    tables
        Of its analysis, as for `MeasuredShifts`.

    Raises
    ------
    InputError
        If the track cannot be read.
    """
    with torch_threads(1):  # (many small operations: a second thread waits more than it works)
        shifts_of = MeasuredShifts(track, model, tables, request.position_s)
        start = np.array(request.faders_db)
        slopes = slopes_at(shifts_of, start)
        found = solve_faders(shifts_of, Asked(request.asked), start=start, slopes=slopes, tries=TRIES)
    shifts = dict(zip(EMOTIONS, map(float, found.shifts), strict=True))
    return TargetsSolved(request.number, request.track, tuple(map(float, found.faders_db)), shifts)
