"""Divides the segments of a track into subsegments, on which the masks of decoupled faders lie.

A segment has one weight in the explanation, but the network does not answer alike everywhere in it, nor is a handle
(a partial, an onset) the same all over it. Each segment is divided in two where its pixels' slopes (the change of the
seven features per dB of a pixel) differ most: by the sign of the first principal component of what differs from their
mean. Each half is divided again, up to MAX_SUBSEGMENTS. So masks can follow the broad fields of the handles, and hold
the other six features with much less gain.

The slopes are those without gain: one backward pass through the network, in pieces of the track.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from ...models.common.arrays import FloatArray, Floats, Labels, Subsegments
from ...models.common.constants import MIDLEVEL, N_BANDS
from ...models.inference.backward.network import BackwardPass, feature_gradients
from ...models.inference.checkpoint import Model
from ..dsp.segment_mask import MAX_SUBSEGMENTS, subsegment_labels
from ..explain.perturbation import cut_window

MOST: Final = 1 << 18
"""No track has more subsegments (tables of a long track stay small); one of five minutes has about 150,000."""
_PIECE_POSITIONS: Final = 256
"""Output positions of the network whose frames are divided together: about a minute."""
_ITERATIONS: Final = 8
"""Of the power method, for the first principal component."""
_FEATURES: Final = len(MIDLEVEL)
_PAIRS: Final = [(row, column) for row in range(_FEATURES) for column in range(row, _FEATURES)]


@dataclass(frozen=True)
class DividedSegments:
    """The segments of a track, divided.

    Attributes
    ----------
    numbers
        Of each pixel the number of its subsegment within its segment, uint8 [frames, bands].
    count
        Subsegments of a segment.
    slopes
        Change of the network's features per dB of each subsegment, without gain and where the loudness is not
        matched, float64 [7, segments * count].
    """

    numbers: Subsegments
    count: int
    slopes: Floats

    def labels(self, segments: Labels) -> Labels:
        """Labels of the subsegments [frames, bands] of those of the segments."""
        return subsegment_labels(segments, self.numbers, self.count)


def divide_segments(spectrogram: FloatArray, segments: Labels, model: Model, sounding: slice) -> DividedSegments:
    """Divide the segments of a track.

    spectrogram (log-spectrogram) and segments: [frames, bands]; sounding: the frames between its silent ends, outside
    of which no segment is divided.
    """
    in_all = int(segments.max()) + 1
    rounds = 0
    while 2 << rounds <= MAX_SUBSEGMENTS and in_all * (2 << rounds) <= MOST:
        rounds += 1
    count = 1 << rounds
    numbers = np.zeros(segments.shape, np.uint8)
    slopes = np.zeros((_FEATURES, in_all * count))
    sounds, of_sounds = spectrogram[sounding], segments[sounding]
    for piece in _pieces(len(sounds), model):
        by_pixel = pixel_slopes(sounds, of_sounds, model, piece)
        numbers[sounding][piece] = divided(of_sounds[piece], by_pixel, rounds)
        labels = subsegment_labels(of_sounds[piece], numbers[sounding][piece], count).ravel()
        for feature, one in enumerate(by_pixel):
            slopes[feature] += np.bincount(labels, one.ravel(), in_all * count)
    # The largest label tells how many rows the tables have: it must be there.
    in_last = segments == in_all - 1
    largest = int(numbers[in_last].max())
    numbers[in_last & (numbers == largest)] = count - 1
    slopes[:, [largest - count, -1]] = slopes[:, [-1, largest - count]]
    return DividedSegments(numbers, count, slopes)


def _pieces(frames: int, model: Model) -> Iterator[slice]:
    """Pieces of a track of so many frames, each of whole output positions."""
    length = _PIECE_POSITIONS * model.network.geometry.stride
    for start in range(0, frames, length):
        yield slice(start, min(start + length, frames))


def pixel_slopes(spectrogram: FloatArray, segments: Labels, model: Model, piece: slice) -> FloatArray:
    """Change of the network's mean features of the whole track per dB of gain of a piece's pixels.

    float32 [7, frames of the piece, bands]. At the ends of the track, whose other end the network sees too, about.
    """
    geometry = model.network.geometry
    positions = geometry.positions(len(spectrogram))
    around = -(-geometry.field // geometry.stride)
    first = max(piece.start // geometry.stride - around, 0)
    last = min(-(-piece.stop // geometry.stride) + around, positions)
    begin, _ = geometry.frame_range(first, last)
    window = cut_window(spectrogram, segments, model, first, last)
    sound = window.padded(torch.from_numpy(window.spectrogram[None]).to(model.device))
    if BackwardPass.supports(model.network):
        backward_pass = BackwardPass(model.network)
        with torch.inference_mode():
            _, trace = backward_pass.forward(sound)
            gradient = backward_pass.backward(trace)[:, 0]
    else:
        gradient = torch.stack([one[0] for one in feature_gradients(model.network, sound)[1]])
    turn = len(window.spectrogram)
    rows = (np.arange(piece.start, piece.stop) - begin + window.start) % turn
    gradient_of_piece = gradient.cpu().numpy()[:, rows] * np.float32((last - first) / positions)
    # s = log10(1 + m): a dB of gain of the magnitude m changes it by m / (1 + m) / 20
    per_db = (1 - np.power(np.float32(10), -spectrogram[piece])) / np.float32(20)
    return _smoothed(np.asarray(gradient_of_piece * per_db, np.float32))


def divided(segments: Labels, slopes: FloatArray, rounds: int) -> Subsegments:
    """Divide each segment `rounds` times in two: uint8 [frames, bands], numbers below 2 ** rounds.

    segments [frames, bands]; slopes [7, frames, bands].
    """
    flat = slopes.reshape(_FEATURES, -1)
    size = np.sqrt(np.square(flat, dtype=np.float64).mean(1, keepdims=True))
    points = (flat / np.maximum(size, 1e-30)).astype(np.float64)
    present, labels = np.unique(segments.ravel(), return_inverse=True)
    numbers = np.zeros(labels.size, np.int64)
    for done in range(rounds):
        parts = len(present) << done
        where = (labels << done) + numbers
        sizes = np.maximum(np.bincount(where, minlength=parts), 1)
        means = np.stack([np.bincount(where, one, parts) / sizes for one in points])
        rest = points - means[:, where]
        spread = np.zeros((parts, _FEATURES, _FEATURES))
        for row, column in _PAIRS:
            spread[:, row, column] = spread[:, column, row] = np.bincount(where, rest[row] * rest[column], parts)
        axes = _first_components(spread).T
        above = sum(one * axis[where] for one, axis in zip(rest, axes, strict=True)) > 0
        numbers = numbers * 2 + above
    return numbers.reshape(segments.shape).astype(np.uint8)


def _first_components(spread: Floats) -> Floats:
    """The first eigenvector of each of some covariances [n, 7, 7], about, its largest component positive: [n, 7]."""
    largest = spread.diagonal(axis1=1, axis2=2).argmax(1)
    axes = np.take_along_axis(spread, largest[:, None, None], axis=1)[:, 0]
    for _ in range(_ITERATIONS):
        axes = axes / np.maximum(np.abs(axes).max(1, keepdims=True), 1e-300)
        axes = (spread @ axes[:, :, None])[:, :, 0]
    strongest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], axis=1)
    return np.asarray(axes * np.where(strongest < 0, -1.0, 1.0))


def _smoothed(fields: FloatArray) -> FloatArray:
    """1-2-1 over frames and bands of fields [fields, frames, bands], as gains are smoothed (mask_filter.py)."""
    for axis in (1, 2):
        ends = [fields.take([place], axis) for place in (0, fields.shape[axis] - 1)]
        padded = np.concatenate((ends[0], fields, ends[1]), axis=axis)
        lower, middle, upper = (
            padded[:, k : k + fields.shape[1]] if axis == 1 else padded[:, :, k : k + N_BANDS] for k in range(3)
        )
        fields = np.asarray((lower + 2 * middle + upper) / 4, np.float32)
    return fields
