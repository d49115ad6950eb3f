"""Excerpts of a track under gains of its segments, with derivatives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import torch

from ....models.common.arrays import FloatArray, Floats, Labels
from ....models.common.constants import HOP_LENGTH, MIDLEVEL
from ....models.network.spectrogram import TorchFourier
from ...excerpts.array_path import band_k_power
from ...excerpts.segment_damage import GainDamage, LoudnessDamage
from ...excerpts.segment_predictions import SegmentPredictions, rows_of, slopes_at_constant_loudness
from ...excerpts.stretches import Excerpt
from ..gain_path import GainPath, field_slopes
from ..handles import segment_means
from ..listeners import Listener

_ROWS_AT_ONCE: Final = 4096


class SegmentExcerpts(SegmentPredictions):
    """Predictions of excerpts under gains of segments by listeners, with slopes by these gains."""

    def __init__(self, excerpts: Sequence[Excerpt], segments: Labels, listeners: Sequence[Listener]) -> None:
        """Make what the excerpts need; segments [frames, bands] of the whole track."""
        self._excerpts, self._listeners = excerpts, listeners
        super().__init__(excerpts, segments, [listener.of_each for listener in listeners], fourier=TorchFourier())

    @cached_property
    def _differentiable(self) -> list[tuple[GainPath, torch.Tensor]]:
        """The path of each excerpt, and the labels of its pixels."""
        return [
            (GainPath(sound, offset=first % HOP_LENGTH, arrays=path), torch.from_numpy(labels).long())
            for (sound, first), path, labels in zip(self._excerpts, self._paths, self._labels, strict=True)
        ]

    def slopes(self, rows: Sequence[tuple[int, int]], gains_db: FloatArray) -> Floats:
        """Change of outputs per dB of each segment, about, at gains [segments] in dB: [rows, segments].

        rows: (number of the listener, number of its output).
        """
        gains = torch.from_numpy(np.asarray(gains_db, np.float32))
        total = torch.zeros(len(rows), self._count, dtype=torch.float64)
        for (path, labels), share, (sound, _) in zip(self._differentiable, self._shares, self._excerpts, strict=True):
            if not sound.any():  # (gains change nothing in silence, and a square root has no derivative at zero)
                continue
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


class FaderInputs:
    """All that the masks of a track are solved from but its explanation; the two are made at the same time.

    Attributes
    ----------
    few, many : SegmentExcerpts
        Excerpts by which masks are solved with all listeners, and those by which they are corrected and measured with
        the network alone (`few_stretches` and `spread_stretches` of excerpts/stretches.py).
    listeners : tuple of str
        Their names, the network's first.
    loudness_damage : LoudnessDamage
        What gains of the segments do to the loudness of many.
    sizes : numpy.ndarray
        Of each segment, as a share of the track: float64 [segments].
    handles : numpy.ndarray
        Mean of each handle over each segment, float32 [handles, segments].
    slopes : numpy.ndarray
        Change of each listener's features per dB of each segment on few, without gain: [listeners, 7, segments].
    own_slopes : numpy.ndarray
        The same of the network on many, [7, segments].
    """

    def __init__(
        self,
        spectrogram: FloatArray,
        segments: Labels,
        few: Sequence[Excerpt],
        many: Sequence[Excerpt],
        listeners: Sequence[Listener],
    ) -> None:
        """Measure the slopes of the listeners, and precompute what does not depend on gains.

        spectrogram and segments [frames, bands] of the whole track; few: excerpts by which the faders are solved;
        many: more of the track, by which they are corrected and measured (may be the same object); the first listener
        is the network that ships.
        """
        self.handles = segment_means(spectrogram, segments)
        self.sizes = np.bincount(segments.ravel(), minlength=self.handles.shape[1]) / segments.size
        self.few = SegmentExcerpts(few, segments, listeners)
        self.many = self.few if many is few else SegmentExcerpts(many, segments, listeners[:1])
        self.loudness_damage = self.many.loudness_damage(spectrogram)
        self.listeners = tuple(listener.name for listener in listeners)
        rows = [(listener, output) for listener in range(len(listeners)) for output in range(len(MIDLEVEL))]
        flat = np.zeros(self.handles.shape[1], np.float32)
        self.slopes = self.few.slopes(rows, flat).reshape(len(listeners), len(MIDLEVEL), -1)
        self.own_slopes = self.many.slopes(rows[: len(MIDLEVEL)], flat)


@dataclass(frozen=True)
class WholeTrack:
    """All of a track of which a FaderInputs has excerpts.

    Attributes
    ----------
    predictions
        Gives the predictions of the track under gains; called once, when they are needed.
    slopes
        Change of the network's features per dB of each segment, without gain, by the explanation: float64
        [7, segments].
    """

    predictions: Callable[[], SegmentPredictions]
    slopes: Floats


def whole_track_slopes(slopes: Floats, spectrogram: FloatArray, segments: Labels) -> Floats:
    """Slopes [7, segments] per dB of each segment where a track's loudness is matched, of those where it is not.

    spectrogram (log-spectrogram) and segments: of the whole track, [frames, bands].
    """
    by_band, count = band_k_power(), slopes.shape[1]
    power = np.zeros(count)
    for first in range(0, len(segments), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        of_pixels = np.square(np.power(np.float32(10), spectrogram[rows]) - 1) * by_band
        power += np.bincount(segments[rows].ravel(), of_pixels.ravel(), count)
    return slopes_at_constant_loudness(slopes, power)
