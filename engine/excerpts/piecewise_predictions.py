"""Predictions of all of a long track under gains of its segments, computed piece by piece."""

from collections.abc import Iterator

import numpy as np

from ...models.common.arrays import FloatArray, Floats, Labels
from ...models.common.constants import HOP_LENGTH
from ...models.common.filterbank import frame_count
from ..audio.track import Track
from .array_path import ArrayPath
from .level_match import level_match
from .segment_predictions import Predict, rows_of
from .stretches import Excerpt, consecutive_excerpts


class PiecewisePredictions:
    """As `SegmentPredictions` with all of a track in consecutive pieces, in the memory that one of them takes.

    The track is read anew for every prediction, and under gains twice: how loud it becomes is known only at its end.

    Attributes
    ----------
    sizes
        Pixels of each segment, as a share of all: float64 [segments].
    before
        Prediction without gain: [1, 15].
    """

    def __init__(self, track: Track, segments: Labels, predict: Predict, *, threads: int = 1) -> None:
        """Predict the track without gain; segments [frames, bands] of all of it.

        threads: so many parts of a piece are filtered at a time, with the same result.

        Raises InputError, as `predict` does, where the track cannot be read.
        """
        self._track, self._segments, self._predict, self._threads = track, segments, predict, threads
        self.sizes: Floats = np.bincount(segments.ravel()) / segments.size
        self.before = self._mean(
            (self._path(one).spectrogram_of(one[0]), len(one[0])) for one in consecutive_excerpts(track)
        )

    def predict(self, gains_db: FloatArray, *, networks: int | None = None) -> Floats:
        """Prediction [1, 15] under gains of the segments [segments] in dB; the track is as loud as before.

        networks: as of `SegmentPredictions.predict`; there is one.
        """
        gains = np.asarray(gains_db, np.float32)
        before, after = [], []
        for excerpt in consecutive_excerpts(self._track):
            path = self._path(excerpt)
            before.append(path.energies)
            after.append(self._steered(path, excerpt, gains)[1])
        level = level_match(before, after)

        def steered() -> Iterator[tuple[FloatArray, int]]:
            for excerpt in consecutive_excerpts(self._track):
                path = self._path(excerpt)
                yield path.spectrogram_of(self._steered(path, excerpt, gains)[0], level), path.samples

        return self._mean(steered())

    def _path(self, excerpt: Excerpt) -> ArrayPath:
        sound, first = excerpt
        return ArrayPath(sound, offset=first % HOP_LENGTH, threads=self._threads)

    def _steered(self, path: ArrayPath, excerpt: Excerpt, gains: FloatArray) -> tuple[FloatArray, Floats]:
        labels = rows_of(self._segments, excerpt[1] // HOP_LENGTH, frame_count(len(excerpt[0])) + 1)
        return path.steered_by(lambda rows: gains[labels[rows]], len(labels))

    def _mean(self, pieces: Iterator[tuple[FloatArray, int]]) -> Floats:
        """Mean prediction of pieces (log-spectrogram, number of samples), by their length: [1, 15]."""
        predicted, samples = zip(
            *((self._predict([spectrogram])[0], count) for spectrogram, count in pieces), strict=True
        )
        return np.asarray(np.average(np.array(predicted, np.float64), axis=0, weights=samples))[None]
