"""Excerpts of a track under gains of its segments, with derivatives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.arrays import FloatArray, Floats, Labels
from ...models.common.constants import HOP_LENGTH, MIDLEVEL, N_BANDS
from ..excerpts.segment_predictions import SegmentPredictions
from ..excerpts.stretches import Excerpt
from .excerpts import field_slopes
from .gain_path import GainPath, band_k_power
from .handles import segment_means
from .listeners import Listener

BAND_LOSS: Final = (0.0117, 0.009, 0.036, 0.0207, 0.0099, 0.009, 0.0162, 0.0405, 0.0252)
"""Mean opinion score that a square dB of gain costs at nine bands, the lowest first, evenly spread, and between."""
_ROWS_AT_ONCE: Final = 4096
STEP_LOSS: Final = {1: 0.0047, 16: 0.0117}
"""By frames: what the square of a dB more or less after so many of them costs."""


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
    def damage(self) -> "SegmentDamage":
        """What gains of the segments do to the sound of these excerpts."""
        return SegmentDamage(self._labels, self._count)


class SegmentDamage:
    """What gains of segments do to the sound: about what Zimtohrli's mean opinion score loses.

    The score loses with the square of the gain, in some bands more than in others, and with the squares of its steps
    from frame to frame and over half a second: a gain that stays is heard as a change of tone, one that moves as a
    fault. Fitted to 336 gain fields of faders on 16 recordings (least squares, none negative, drawn to equal bands);
    on recordings left out it predicts the loss of faders of one size with r .47, gain and steps from frame to frame
    alone with .31. The structural similarity of the spectrograms beside it did not help.
    """

    def __init__(self, labels: Sequence[Labels], count: int) -> None:
        """labels: of the pixels of each excerpt [frames, bands], `count` segments in all."""
        pixels = sum(one.size for one in labels)
        place = np.arange(N_BANDS) / (N_BANDS - 1) * (len(BAND_LOSS) - 1)
        bands = np.interp(place, np.arange(len(BAND_LOSS)), BAND_LOSS)
        weighted = [np.bincount(one.ravel(), np.broadcast_to(bands, one.shape).ravel(), count) for one in labels]
        self._by_segment = np.sum(weighted, axis=0) / pixels
        self._steps = {frames: steps_of(labels, count, frames) for frames in STEP_LOSS}

    def loss(self, gains_db: Floats) -> float:
        """Of gains [segments] in dB."""
        total = float(self._by_segment @ gains_db**2)
        for frames, (first, second, often) in self._steps.items():
            total += STEP_LOSS[frames] * float(often @ (gains_db[first] - gains_db[second]) ** 2)
        return total

    def step_metric(self, fields: Floats) -> Floats:
        """Mean square step from frame to frame, as a metric of coefficients in dB of fields [fields, segments].

        [fields, fields].
        """
        first, second, often = self._steps[1]
        jumps = fields[:, first] - fields[:, second]
        return np.asarray((jumps * often) @ jumps.T)


def steps_of(
    labels: Sequence[Labels], count: int, frames: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Where a band is in one segment, and so many frames later in another.

    Segments before and after, int64 [steps], and how often, as a share of all pixels, float64 [steps]; none in
    excerpts that are shorter. labels: of the pixels of each excerpt [frames, bands].
    """
    pairs = [(one[:-frames].astype(np.int64) * count + one[frames:]).ravel() for one in labels]
    pair, often = np.unique(np.concatenate(pairs), return_counts=True)
    first, second = np.divmod(pair, count)
    changed = first != second
    return first[changed], second[changed], often[changed] / sum(one.size for one in labels)


class FaderGround:
    """What the faders of a track are solved by and the explanation has no part in, so that both are made at a time.

    Attributes
    ----------
    few, many : SegmentExcerpts
        Those by which the faders are solved, and those by which they are corrected and measured.
    listeners : tuple of str
        Their names, the network's first.
    handles : numpy.ndarray
        Mean of each handle over each segment, float32 [handles, segments].
    slopes : numpy.ndarray
        By how much each listener says more per dB of each segment of few, without gain: [listeners, 7, segments].
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
        """Make it.

        spectrogram and segments [frames, bands] of the whole track; few: excerpts by which the faders are solved;
        many: more of the track, by which they are corrected and measured (may be the same object); the first listener
        is the network that ships.
        """
        self.handles = segment_means(spectrogram, segments)
        self.few = SegmentExcerpts(few, segments, listeners)
        self.many = self.few if many is few else SegmentExcerpts(many, segments, listeners[:1])
        self.listeners = tuple(listener.name for listener in listeners)
        rows = [(listener, output) for listener in range(len(listeners)) for output in range(len(MIDLEVEL))]
        flat = np.zeros(self.handles.shape[1], np.float32)
        self.slopes = self.few.slopes(rows, flat).reshape(len(listeners), len(MIDLEVEL), -1)
        self.own_slopes = self.many.slopes(rows[: len(MIDLEVEL)], flat)


@dataclass(frozen=True)
class WholeTrack:
    """All of a track of which a FaderGround has excerpts.

    Attributes
    ----------
    predictions
        Makes what predicts it; asked for once, when it is needed.
    slopes
        By how much the network says more of it per dB of each segment, without gain, about: float64 [7, segments].
    """

    predictions: Callable[[], SegmentPredictions]
    slopes: Floats


def slopes_as_loud(slopes: Floats, spectrogram: FloatArray, segments: Labels) -> Floats:
    """Slopes [7, segments] per dB of each segment, where the track stays as loud, of those where it gets louder.

    What makes a segment louder by a dB makes all of the track softer by its share of the K-weighted power.
    spectrogram (log-spectrogram) and segments: [frames, bands].
    """
    by_band, count = band_k_power(), slopes.shape[1]
    power = np.zeros(count)
    for first in range(0, len(segments), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        of_pixels = np.square(np.power(np.float32(10), spectrogram[rows]) - 1) * by_band
        power += np.bincount(segments[rows].ravel(), of_pixels.ravel(), count)
    return np.asarray(slopes - slopes.sum(1)[:, None] * (power / max(float(power.sum()), 1e-20)))
