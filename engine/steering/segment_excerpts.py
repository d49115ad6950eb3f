"""Excerpts of a track whose gain field is one value a segment: what listeners say, and its slopes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import HOP_LENGTH
from ...models.common.filterbank import frame_count
from .excerpts import Excerpt, field_slopes
from .gain_path import GainPath
from .listeners import Listener

Labels = npt.NDArray[np.int32]


class SegmentExcerpts:
    """Some excerpts with the labels of their pixels.

    Attributes
    ----------
    sizes
        Pixels of each segment within the excerpts, as a share of all: float64 [segments].
    steps
        Where a band goes from one segment to another between two frames: segments before and after, int64 [steps],
        and how often, as a share of all pixels, float64 [steps].
    before
        What the listeners say without gain: [listeners, 15].
    """

    def __init__(self, excerpts: Sequence[Excerpt], segments: Labels, listeners: Sequence[Listener]) -> None:
        """Make what the excerpts need; segments [frames, bands] of the whole track."""
        self._listeners = listeners
        self._segments = int(segments.max()) + 1
        self._paths = [GainPath(sound, offset=first % HOP_LENGTH) for sound, first in excerpts]
        self._label_maps = [
            _rows(segments, first // HOP_LENGTH, frame_count(len(sound)) + 1) for sound, first in excerpts
        ]
        self._labels = [torch.from_numpy(one).long() for one in self._label_maps]
        counts = torch.stack([torch.bincount(one.flatten(), minlength=self._segments) for one in self._labels]).sum(0)
        self.sizes: Floats = (counts / counts.sum()).double().numpy()
        self.steps = self._steps()
        self._shares = [len(sound) for sound, _ in excerpts]
        self.before = self.heard(np.zeros(self._segments, np.float32))

    def heard(self, gains_db: FloatArray, *, listeners: int | None = None) -> Floats:
        """What the (first so many) listeners say under gains of the segments [segments]: [listeners, 15]."""
        gains = np.asarray(gains_db, np.float32)
        spectrograms = [
            path.arrays.spectrogram(gains[labels], matched=True)
            for path, labels in zip(self._paths, self._label_maps, strict=True)
        ]
        said = np.stack([one.of_each(spectrograms) for one in self._listeners[:listeners]], axis=1)
        return np.asarray(np.average(said.astype(np.float64), axis=0, weights=self._shares))

    def slopes(self, rows: Sequence[tuple[int, int]], gains_db: FloatArray) -> Floats:
        """Change of outputs (listener, number) per dB of each segment, about, at gains: [rows, segments]."""
        gains = torch.from_numpy(np.asarray(gains_db, np.float32))
        total = torch.zeros(len(rows), self._segments, dtype=torch.float64)
        for path, labels, share in zip(self._paths, self._labels, self._shares, strict=True):
            found = field_slopes(path, gains[labels], self._listeners, rows)
            total.index_add_(1, labels.flatten(), share * found.flatten(1).double())
        return np.asarray(total.numpy() / sum(self._shares))

    def _steps(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
        pairs = torch.cat([(one[:-1] * self._segments + one[1:]).flatten() for one in self._labels])
        pair, often = torch.unique(pairs, return_counts=True)
        first, second = pair // self._segments, pair % self._segments
        changed = first != second
        share = often[changed].double() / sum(one.numel() for one in self._labels)
        return first[changed].numpy(), second[changed].numpy(), share.numpy()


def _rows(segments: Labels, first: int, count: int) -> Labels:
    """So many frames from the first on; beyond the end the last goes on."""
    return np.ascontiguousarray(segments[np.arange(first, first + count).clip(0, len(segments) - 1)])
