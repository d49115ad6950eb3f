"""Predictions of excerpts of a track under gains of its segments."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from ...models.common.arrays import FloatArray, Floats, Labels
from ...models.common.constants import HOP_LENGTH, OUTPUTS
from ...models.common.filterbank import frame_count
from ...models.inference.threads import each_of
from ...models.signal import compiled_scipy
from ...models.signal.log_spectrogram import Fourier
from .array_path import ArrayPath
from .level_match import level_match
from .stretches import Excerpt

Pixels = TypeVar("Pixels", Labels, FloatArray)
Predict = Callable[[Sequence[FloatArray]], FloatArray]
"""Log-spectrograms [frames, bands] -> features and emotions [spectrograms, 15] on the scale 0..1."""


class SegmentPredictions:
    """Some excerpts with the labels of their pixels, and what networks predict of them.

    Attributes
    ----------
    sizes
        Pixels of each segment within the excerpts, as a share of all: float64 [segments].
    before
        Predictions without gain: [networks, 15].
    """

    def __init__(
        self,
        excerpts: Sequence[Excerpt],
        segments: Labels,
        predict: Sequence[Predict],
        *,
        threads: int = 1,
        before: Floats | None = None,
        fourier: Fourier = compiled_scipy,
    ) -> None:
        """Precompute what does not depend on gains; segments [frames, bands] of the whole track.

        threads: so many excerpts are filtered at a time, or parts of a single one, with the same result; before: the
        predictions without gain, where they are known; fourier: the implementation of the Fourier transform.
        """
        self._networks = predict
        within = threads if len(excerpts) == 1 else 1
        self._threads = threads // within
        self._count = int(segments.max()) + 1
        self._paths = each_of(
            lambda one: ArrayPath(one[0], offset=one[1] % HOP_LENGTH, threads=within, fourier=fourier),
            excerpts,
            threads=self._threads,
        )
        self._labels = [
            rows_of(segments, first // HOP_LENGTH, frame_count(len(sound)) + 1) for sound, first in excerpts
        ]
        counts = sum(np.bincount(one.ravel(), minlength=self._count) for one in self._labels)
        self.sizes: Floats = np.asarray(counts / np.sum(counts))
        self._shares = [len(sound) for sound, _ in excerpts]
        self.before = self.predict(np.zeros(self._count, np.float32)) if before is None else before

    def predict(self, gains_db: FloatArray, *, networks: int | None = None) -> Floats:
        """Predictions [networks, 15] under gains [segments] in dB: means over the excerpts, by their length.

        All excerpts together are as loud as before, as the written file is: by BS.1770 with both gates. networks: of
        the first so many only.
        """
        gains = np.asarray(gains_db, np.float32)
        threads = self._threads

        def steer(path: ArrayPath, labels: Labels) -> tuple[FloatArray, Floats]:
            return path.steered_by(lambda rows: gains[labels[rows]], len(labels))

        steered = each_of(steer, self._paths, self._labels, threads=threads)
        level = level_match([path.energies for path in self._paths], [energies for _, energies in steered])
        spectrograms = each_of(
            lambda path, one: path.spectrogram_of(one[0], level), self._paths, steered, threads=threads
        )
        predicted = np.stack([predict(spectrograms) for predict in self._networks[:networks]], axis=1)
        return np.asarray(np.average(predicted.astype(np.float64), axis=0, weights=self._shares))

    def loudness_matched_slopes(self, slopes: Floats) -> Floats:
        """Slopes [rows, segments] per dB of each segment where loudness is matched, of those where it is not."""
        power = np.zeros(self._count)
        for path, labels in zip(self._paths, self._labels, strict=True):
            power += np.bincount(labels.ravel(), path.k_power_of_bands(len(labels)).ravel(), self._count)
        return slopes_at_constant_loudness(slopes, power)


def slopes_at_constant_loudness(slopes: Floats, power: Floats) -> Floats:
    """Slopes [rows, segments] per dB of each segment where loudness is matched, of those where it is not.

    power: K-weighted, [segments]. A segment louder by a dB makes all of the track softer by its share of the power.
    """
    return np.asarray(slopes - slopes.sum(1)[:, None] * (power / max(float(power.sum()), 1e-20)))


def predict_by_length(
    spectrograms: Sequence[FloatArray], predict_batch: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Predictions of spectrograms [spectrograms, 15], those of one length as one batch [n, frames, bands]."""
    predicted = np.empty((len(spectrograms), len(OUTPUTS)), np.float32)
    lengths = np.array([len(one) for one in spectrograms])
    for length in sorted(set(lengths.tolist())):
        places = np.flatnonzero(lengths == length)
        predicted[places] = predict_batch(np.stack([spectrograms[place] for place in places.tolist()]))
    return predicted


def rows_of(pixels: Pixels, first: int, count: int) -> Pixels:
    """So many frames of labels or of a spectrogram from the first on; beyond the end the last goes on."""
    return np.ascontiguousarray(pixels[np.arange(first, first + count).clip(0, len(pixels) - 1)])
