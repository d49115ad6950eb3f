"""Excerpts of a track under gains of its segments, with derivatives."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch

from ...models.common.arrays import FloatArray, Floats, Labels
from ...models.common.constants import HOP_LENGTH
from ..excerpts.segment_damage import GainDamage, LoudnessDamage
from ..excerpts.segment_predictions import SegmentPredictions, rows_of
from ..excerpts.stretches import Excerpt
from .excerpts import field_slopes
from .gain_path import GainPath
from .listeners import Listener


class SegmentExcerpts(SegmentPredictions):
    """Some excerpts with the labels of their pixels, and what listeners say of them."""

    def __init__(self, excerpts: Sequence[Excerpt], segments: Labels, listeners: Sequence[Listener]) -> None:
        """Make what the excerpts need; segments [frames, bands] of the whole track."""
        self._excerpts, self._listeners = excerpts, listeners
        super().__init__(excerpts, segments, [listener.of_each for listener in listeners])

    @cached_property
    def _differentiable(self) -> list[tuple[GainPath, torch.Tensor]]:
        """The path of each excerpt, and the labels of its pixels."""
        return [
            (GainPath(sound, offset=first % HOP_LENGTH, arrays=path), torch.from_numpy(labels).long())
            for (sound, first), path, labels in zip(self._excerpts, self._paths, self._labels, strict=True)
        ]

    def slopes(self, rows: Sequence[tuple[int, int]], gains_db: FloatArray) -> Floats:
        """Change of outputs (listener, number) per dB of each segment, about, at gains: [rows, segments]."""
        gains = torch.from_numpy(np.asarray(gains_db, np.float32))
        total = torch.zeros(len(rows), self._count, dtype=torch.float64)
        for (path, labels), share in zip(self._differentiable, self._shares, strict=True):
            found = field_slopes(path, gains[labels], self._listeners, rows)
            total.index_add_(1, labels.flatten(), share * found.flatten(1).double())
        return np.asarray(total.numpy() / sum(self._shares))

    @cached_property
    def damage(self) -> GainDamage:
        """What gains of the segments do to the sound of these excerpts."""
        return GainDamage(self._labels, self._count)

    def loudness_damage(self, spectrogram: FloatArray) -> LoudnessDamage:
        """What gains of the segments do to the loudness of these excerpts.

        spectrogram: of the whole track [frames, bands].
        """
        rows = [
            rows_of(spectrogram, first // HOP_LENGTH, len(labels))
            for (_, first), labels in zip(self._excerpts, self._labels, strict=True)
        ]
        return LoudnessDamage(self._labels, rows, self._count)
