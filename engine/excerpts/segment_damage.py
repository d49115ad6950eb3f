"""Estimates how much Zimtohrli's mean opinion score falls under gains of segments, without computing it.

Two estimates. One depends on the gains alone: their squares, in some bands more than in others, and those of their
steps from frame to frame and over half a second (a steady gain is perceived as a change of tone, a moving one as a
fault). The other depends on the sound. The score compares the loudness of a sound in its bands, moment by moment,
with that of the original, after both were brought to one level by their loudest moments. So what counts of a gain is
the loudness that it adds or takes (nothing where there is no sound, most around 5 kHz), and what it does to the
loudest moment: a fader that lowers that one makes everything else too loud. And the score seeks for each moment of
the one sound that of the other which is most like it: where a difference is larger than what the sound changes by
itself, it finds the wrong one, and the score falls by a point or more.

    A = w (log(1 + E / N) + floor)       loudness of a pixel: E energy, N hearing threshold, w weight of its band
    B = r (A + s (g + c))                under a gain of g dB: s = dA / dg, c the loudness match, r = max A / max B
    loss = a mean (B - A)^2 + b mean (step of s g from frame to frame)^2
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import FloatArray, Floats, Labels
from ...models.common.constants import N_BANDS
from .array_path import band_k_power

BAND_LOSS: Final = (0.0117, 0.009, 0.036, 0.0207, 0.0099, 0.009, 0.0162, 0.0405, 0.0252)
"""Mean opinion score that a square dB of gain costs at nine bands, the lowest first, evenly spread, and between."""
STEP_LOSS: Final = {1: 0.0047, 16: 0.0117}
"""By frames: what the square of a dB more or less after so many of them costs."""
BAND_WEIGHT: Final = (
    *(0.69, 0.68, 0.72, 0.92, 0.42, 0.73, 0.97, 1.21, 1.15),
    *(0.77, 0.92, 1.08, 0.97, 1.60, 1.67, 1.21, 1.41),
)
"""Loudness that a neper of energy adds, at seventeen bands evenly spread over the spectrum, the lowest first.

(Measured with tones of two levels; ABOVE_FLOOR is a mean over 32 recordings.)
"""
ABOVE_FLOOR: Final = (
    *(4.9, 6.9, 7.8, 8.4, 8.6, 9.0, 9.2, 7.9, 8.9),
    *(8.2, 9.0, 8.7, 13.2, 14.0, 14.2, 12.9, 14.1),
)
"""By how many nepers the energy of a magnitude of one lies above the threshold of hearing, at the same bands."""
FLOOR: Final = 13.53
"""Nepers that the score counts at the threshold of hearing."""
LOUDNESS_LOSS: Final = 0.22
"""What the mean square of the difference in loudness takes from the score (with LOUDNESS_STEP_LOSS fitted to 672
fields of faders on 48 recordings).
"""
LOUDNESS_STEP_LOSS: Final = 3.1
"""What the mean square step of the loudness from frame to frame takes."""
MAX_LOUDNESS_LOSS: Final = 0.38
"""What the score may be expected to lose by the change of loudness. Of the fields of faders four in ten would lose
more; they are made smaller as a whole. (Solved for a smaller loss, a field finds another way to lose it.)
"""
SMOOTHED: Final = 0.375
"""So much of the square of a step is left, and as much lost on both its sides together, as gains are smoothed."""
LEAST_SMOOTH: Final = 0.25
"""No less than this is left of the mean square of any gain (SMOOTHED holds for steps that stand alone)."""
_KERNEL: Final = np.outer((0.25, 0.5, 0.25), (0.25, 0.5, 0.25)).ravel()
_SHORTENINGS: Final = 4
_NEPERS_PER_DB: Final = float(np.log(10) / 10)
_NEAR_LOUDEST: Final = 8.0
"""So far below the loudest pixel others may become the loudest one."""
_TINY: Final = 1e-30


class GainDamage:
    """What gains of segments do to any sound.

    Fitted to 336 gain fields of faders on 16 recordings (least squares, none negative, drawn to equal bands); on
    recordings left out it predicts the loss of faders of one size with r .47, gain and steps from frame to frame
    alone with .31.
    """

    def __init__(self, labels: Sequence[Labels], count: int) -> None:
        """labels: of the pixels of each excerpt [frames, bands], `count` segments in all."""
        pixels = sum(one.size for one in labels)
        bands = _at_bands(BAND_LOSS)
        weighted = [np.bincount(one.ravel(), np.broadcast_to(bands, one.shape).ravel(), count) for one in labels]
        self._by_segment = np.sum(weighted, axis=0) / pixels
        self._steps = {frames: steps_of(labels, count, frames=frames) for frames in STEP_LOSS}

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


class LoudnessDamage:
    """What gains of segments do to the loudness of these excerpts.

    On recordings left out it predicts the loss of faders, whose size the other estimate bounds, with r .57 (both of
    the same ten seconds; that other one .34). Without what a gain does to the loudest moment r is next to zero.
    """

    def __init__(self, labels: Sequence[Labels], spectrograms: Sequence[FloatArray], count: int) -> None:
        """Labels and log-spectrograms: of the pixels of each excerpt [frames, bands], `count` segments in all."""
        pixels = sum(one.size for one in labels)
        loudness, slope, power = zip(*(_pixels(one) for one in spectrograms), strict=True)
        flat, level, per_db, energy = (
            np.concatenate([one.ravel() for one in parts]) for parts in (labels, loudness, slope, power)
        )
        self._square = np.bincount(flat, per_db * per_db, count) / pixels
        self._product = np.bincount(flat, per_db * level, count) / pixels
        self._level_square = float(np.vdot(level, level)) / pixels
        by_segment = np.bincount(flat, energy, count)
        self._power = by_segment / max(float(by_segment.sum()), _TINY)
        near = np.flatnonzero(level > level.max() - _NEAR_LOUDEST)
        near = near[np.argsort(-level[near], kind="stable")]
        near = near[np.unique(flat[near], return_index=True)[1]]  # (the loudest pixel of each segment)
        self._near_level, self._near_slope = level[near].astype(np.float64), per_db[near].astype(np.float64)
        self._near = np.concatenate([_around(one) for one in labels])[near]
        self._steps = steps_of(labels, count, weights=slope)
        self._edges = steps_of(labels, count, axis=1, weights=slope)

    def differences(self, gains_db: Floats) -> tuple[float, float]:
        """Mean squares under gains [segments] in dB: of the difference in loudness, and of its step a frame."""
        matched = gains_db - 10 * np.log10(max(float(self._power @ 10 ** (gains_db / 10)), _TINY))
        loudest = float((self._near_level + self._near_slope * (matched[self._near] @ _KERNEL)).max())
        scale = float(self._near_level.max()) / max(loudest, 1e-9)
        steps, edges = (
            float(often @ (gains_db[first] - gains_db[second]) ** 2)
            for first, second, often in (self._steps, self._edges)
        )
        square = float(self._square @ matched**2)
        square = scale**2 * max(square - SMOOTHED * (steps + edges), LEAST_SMOOTH * square)
        square += (scale - 1) ** 2 * self._level_square + 2 * (scale - 1) * scale * float(self._product @ matched)
        return max(square, 0.0), SMOOTHED * steps

    def loss(self, gains_db: Floats) -> float:
        """Of gains [segments] in dB."""
        square, step = self.differences(gains_db)
        return LOUDNESS_LOSS * square + LOUDNESS_STEP_LOSS * step

    def share_within_limit(self, gains_of: Callable[[float], Floats]) -> float:
        """The share of a field, 0..1, of which the loss is about MAX_LOUDNESS_LOSS at most.

        gains_of: gains [segments] in dB of a share of the field.
        """
        share = 1.0
        for _ in range(_SHORTENINGS):
            loss = self.loss(gains_of(share))
            if loss <= MAX_LOUDNESS_LOSS:
                break
            share *= float(np.sqrt(MAX_LOUDNESS_LOSS / loss))
        return share


def _at_bands(values: Sequence[float]) -> Floats:
    """Values evenly spread over the spectrum at all bands [bands]."""
    place = np.linspace(0, len(values) - 1, N_BANDS)
    return np.asarray(np.interp(place, np.arange(len(values)), values))


def _pixels(spectrogram: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Loudness of each pixel [frames, bands], what a dB of gain adds to it, and its K-weighted power."""
    weight = _at_bands(BAND_WEIGHT).astype(np.float32)
    energy = np.square(np.float32(10) ** spectrogram - 1)
    over_threshold = energy * np.exp(_at_bands(ABOVE_FLOOR)).astype(np.float32)
    loudness = weight * (np.log1p(over_threshold) + np.float32(FLOOR))
    slope = weight * np.float32(_NEPERS_PER_DB) * (over_threshold / (1 + over_threshold))
    return loudness, slope, energy * band_k_power()


def _around(labels: Labels) -> Labels:
    """Those of each pixel and its eight neighbours, as gains are smoothed: [pixels, 9]."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(labels, 1, mode="edge"), (3, 3))
    return np.asarray(windows.reshape(labels.size, 9))


def steps_of(
    labels: Sequence[Labels],
    count: int,
    *,
    frames: int = 1,
    axis: int = 0,
    weights: Sequence[FloatArray] | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
    """Where a pixel is in one segment, and so many frames later (axis 1: bands higher) in another.

    Segments before and after, int64 [steps], and how often, as a share of all pixels, float64 [steps]; none in
    excerpts that are shorter. labels: of the pixels of each excerpt [frames, bands], `count` segments in all;
    weights: of these pixels, a step counts as the product of those on both its sides (else each counts as one).
    """
    pairs, counts = [], []
    for number, one in enumerate(labels):
        turned = np.swapaxes(one, 0, axis)
        before, after = turned[:-frames].astype(np.int64), turned[frames:]
        changed = before != after
        pairs.append((before * count + after)[changed])
        if weights is not None:
            weight = np.swapaxes(weights[number], 0, axis)
            counts.append((weight[:-frames] * weight[frames:])[changed])
    together = np.concatenate(pairs)
    pair, place = np.unique(together, return_inverse=True)
    first, second = np.divmod(pair, count)
    often = np.bincount(place, None if weights is None else np.concatenate(counts), len(pair))
    return first, second, often / sum(one.size for one in labels)
