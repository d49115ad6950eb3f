"""Prediction of several tracks at once, and of emotions over time.

On a graphics card, windows of several tracks go through the network as one batch; each track has the same windows as
alone, so the result differs by no more than the rounding of the card's kernels. A single track is computed exactly as
by `predict_track`.

Over time: a local output of the network has a place in the track, and the mean of those within a stretch is read as
the mean of all is. Each depends on some seconds around its place (`ReceptiveField.field`), so neighbours are alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

import numpy as np

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import EMOTIONS, HOP_LENGTH, MIDLEVEL, SAMPLE_RATE
from ...models.common.errors import InputError
from ...models.common.filterbank import frame_count
from ...models.inference.checkpoint import Model
from ...models.network.padding import PaddedSpectrogram
from ...models.signal.input_level import between
from ...models.signal.log_spectrogram import spectrogram_blocks
from ..audio.track import Track
from .prediction import Prediction, overlapping_windows, to_prediction

SHORTEST_STEP_S: Final = 0.5
"""Shortest stretch of a curve in seconds; a local output is every quarter of a second."""


@dataclass(frozen=True)
class PredictionCurve:
    """Features and emotions of a track over time.

    Attributes
    ----------
    times_s
        Beginnings of the stretches in seconds, [n]; those without sound are left out.
    midlevel, emotions
        In the order of `constants.py`, 0..1, [n, 7] and [n, 8].
    """

    times_s: Floats
    midlevel: Floats
    emotions: Floats

    def rows(self) -> Iterator[dict[str, float]]:
        """A row for each stretch: time_s, seven features, eight emotions."""
        for time_s, midlevel, emotions in zip(self.times_s, self.midlevel, self.emotions, strict=True):
            values = dict(zip((*MIDLEVEL, *EMOTIONS), map(float, (*midlevel, *emotions)), strict=True))
            yield {"time_s": float(time_s), **values}


class _Sums:
    """What the windows of one track add up to."""

    def __init__(self, *, over_time: bool) -> None:
        self.total = np.zeros(len(MIDLEVEL))
        self.count = 0
        self.windows = 0
        self.columns: list[Floats] | None = [] if over_time else None

    def add(self, local: FloatArray) -> None:
        """Add local outputs [7, time, columns]."""
        self.total += local.sum((1, 2), dtype=np.float64)
        self.count += local.shape[1] * local.shape[2]
        self.windows += 1
        if self.columns is not None:
            self.columns.append(local.mean(2, dtype=np.float64))

    @property
    def mean(self) -> Floats:
        """[7]."""
        return self.total / self.count


def predict_tracks(
    tracks: Sequence[Track], model: Model, *, every_s: float | None = None
) -> list[tuple[Prediction, PredictionCurve | None]]:
    """Predict tracks together: as many windows in a batch as there are tracks.

    Parameters
    ----------
    tracks
        The tracks; memory grows with their number, not with their length.
    model
        The model.
    every_s
        Length of the stretches of a curve in seconds, at least `SHORTEST_STEP_S`; None: no curve.

    Raises
    ------
    InputError
        For stretches that are too short.
    """
    check_step(every_s)
    sums = [_Sums(over_time=every_s is not None) for _ in tracks]
    iterators = [_windows(track, model) for track in tracks]
    results = []
    alive = list(range(len(tracks)))
    while alive:
        taken = [(number, window) for number in alive if (window := next(iterators[number], None)) is not None]
        alive = [number for number, _ in taken]
        for _, group in groupby(sorted(taken, key=lambda one: _shape(one[1])), key=lambda one: _shape(one[1])):
            _add_outputs(list(group), sums, model)
    for track, found in zip(tracks, sums, strict=True):
        prediction = to_prediction(*model.predictor.read(found.mean), duration_s=track.duration_s)
        curve = None if every_s is None else _curve(track, found, model, every_s)
        results.append((prediction, curve))
    return results


def check_step(every_s: float | None) -> None:
    """See that the stretches of a curve are long enough. Raises InputError."""
    if every_s is not None and not SHORTEST_STEP_S <= every_s <= 3600:
        raise InputError(f"emotions every {every_s:g} s: goes from {SHORTEST_STEP_S:g} to 3600 s")


def _windows(track: Track, model: Model) -> Iterator[PaddedSpectrogram]:
    sound = between(track.network_input_blocks(), *track.sounding)
    return overlapping_windows(spectrogram_blocks(sound, scale=track.network_peak), model.predictor.geometry)


def _shape(window: PaddedSpectrogram) -> tuple[Any, ...]:
    return (*window.sound.shape, window.start, window.length)


def _add_outputs(group: list[tuple[int, PaddedSpectrogram]], sums: list[_Sums], model: Model) -> None:
    window = group[0][1]
    if len(group) > 1:
        window = replace(window, sound=np.concatenate([one.sound for _, one in group]))
    for (number, _), local in zip(group, model.predictor.local(window), strict=True):
        sums[number].add(local)


def _curve(track: Track, sums: _Sums, model: Model, every_s: float) -> PredictionCurve:
    geometry = model.predictor.geometry
    columns = np.concatenate(sums.columns or [], 1)  # [7, positions]
    first, end = track.sounding
    if sums.windows > 1:  # (windows begin some positions in, and come round to the beginning at last)
        begin = (geometry.frame_range(0, 1)[0] % geometry.stride + geometry.left_context) // geometry.stride
        columns = np.roll(columns, begin, axis=1)
    frames = np.minimum((np.arange(columns.shape[1]) + 0.5) * geometry.stride, frame_count(end - first) - 1)
    stretch = ((first + frames * HOP_LENGTH) / SAMPLE_RATE // every_s).astype(int)
    numbers = np.unique(stretch)
    means = np.stack([columns[:, stretch == number].mean(1) for number in numbers])
    midlevel, emotions = model.predictor.read(means)
    return PredictionCurve(numbers * float(every_s), midlevel.astype(float), emotions.astype(float))
