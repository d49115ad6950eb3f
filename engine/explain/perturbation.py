"""Perturbation of segments and the network's predictions of the perturbed spectrograms.

Each segment has a perturbation variable: 1 is "on", 0 is "off". For `gain`, on is +6 dB and off -6 dB, which is what
a fader does; for `hide` (the paper's), on is the unchanged segment and off silence. Samples are processed in batches
on the model's device.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.arrays import FloatArray, Labels
from ...models.inference.checkpoint import Model
from ...models.network.padding import PaddedSpectrogram, circular_frames
from ...models.network.spectrogram import apply_gain_db

GAIN_DB: Final = 6.0
"""Gain of the perturbation `gain`, up and down."""
BATCH_SIZE: Final = 32
_BLOCK_ROWS: Final = 4096


def perturbation_range(spectrogram: torch.Tensor, perturbation: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the spectrogram with all segments on, and with all segments off.

    Parameters
    ----------
    spectrogram
        [frames, bands].
    perturbation
        "gain" or "hide".
    """
    if perturbation == "hide":
        return spectrogram, torch.zeros_like(spectrogram)
    return apply_gain_db(spectrogram, GAIN_DB), apply_gain_db(spectrogram, -GAIN_DB)


def perturbation_per_db(spectrogram: FloatArray, labels: Labels, perturbation: str) -> FloatArray:
    """Return the change of each segment's perturbation variable per decibel of gain.

    Parameters
    ----------
    spectrogram
        Of the track, [frames, bands].
    labels
        Its segments, [frames, bands].
    perturbation
        "gain" or "hide".

    Returns
    -------
    numpy.ndarray
        float32 [segments]. Exact for `gain`: 1/12. For `hide` it is the relative change of the segment's summed log
        magnitude per decibel, measured from -6 to +6 dB.
    """
    count = int(labels.max()) + 1
    if perturbation == "gain":
        return np.full(count, 1 / (2 * GAIN_DB), np.float32)
    change, total = np.zeros(count), np.zeros(count)
    for start in range(0, len(spectrogram), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        block = torch.from_numpy(spectrogram[rows])
        difference = apply_gain_db(block, GAIN_DB) - apply_gain_db(block, -GAIN_DB)
        change += np.bincount(labels[rows].ravel(), weights=difference.numpy().ravel(), minlength=count)
        total += np.bincount(labels[rows].ravel(), weights=spectrogram[rows].ravel(), minlength=count)
    per_db = np.divide(change, 2 * GAIN_DB * total, out=np.zeros(count), where=total > 0)
    return np.asarray(per_db, np.float32)


@dataclass(frozen=True)
class AnalysisWindow:
    """The part of a spectrogram that is the receptive field of consecutive output positions, with its segments.

    Attributes
    ----------
    spectrogram
        The frames that are needed, [rows, bands]: the receptive field or, where that goes round the whole track, one
        turn of the track.
    rows
        Segment of each pixel of `spectrogram` as an index into `segments`, [rows, bands].
    start
        The row of the first frame of the receptive field.
    labels
        As `rows`, for the whole receptive field, in which the ends of the track are continued by each other, [frames,
        bands].
    segments
        The track's labels of the segments that occur here, ascending.
    first, last
        The output positions first..last-1.
    """

    spectrogram: FloatArray
    rows: Labels
    start: int
    labels: Labels
    segments: npt.NDArray[np.int64]
    first: int
    last: int

    def segment_index(self, device: torch.device | str) -> torch.Tensor:
        """Return the segment index of each pixel of the spectrogram, row by row: int [pixels]."""
        return torch.from_numpy(self.rows.ravel()).to(device)

    def padded(self, spectrograms: torch.Tensor) -> PaddedSpectrogram:
        """Continue perturbed spectrograms [samples, rows, bands] as far as the receptive field goes."""
        return PaddedSpectrogram(spectrograms, self.start, len(self.labels))


def cut_window(spectrogram: FloatArray, labels: Labels, model: Model, first: int, last: int) -> AnalysisWindow:
    """Cut the receptive field of some output positions out of a track, its ends continued by each other.

    Parameters
    ----------
    spectrogram, labels
        Of the track, [frames, bands].
    model
        The model whose output positions are meant.
    first, last
        The output positions first..last-1.
    """
    geometry = model.network.geometry
    frames = len(spectrogram)
    begin, end = geometry.frame_range(first, last)
    turn = geometry.positions(frames) * geometry.stride
    seen = circular_frames(frames, geometry.stride, begin, end)
    whole = end - begin > turn
    needed = circular_frames(frames, geometry.stride, 0, turn) if whole else seen
    segments, numbers = np.unique(labels[needed], return_inverse=True)
    rows: Labels = np.asarray(numbers.reshape(len(needed), -1), np.int32)
    start = begin % turn if whole else 0
    return AnalysisWindow(
        spectrogram=spectrogram[needed],
        rows=rows,
        start=start,
        labels=np.asarray(rows[np.arange(begin, end) % turn] if whole else rows, np.int32),
        segments=segments.astype(np.int64),
        first=first,
        last=last,
    )


class SegmentPerturber:
    """Perturbs the segments of a window on the model's device.

    Parameters
    ----------
    window
        The window.
    model
        The model; its device is used.
    perturbation
        "gain" or "hide".
    """

    def __init__(self, window: AnalysisWindow, model: Model, perturbation: str) -> None:
        self.model = model
        on, self._off = (
            end.to(model.device) for end in perturbation_range(torch.from_numpy(window.spectrogram), perturbation)
        )
        self._change = on - self._off
        self._segments = len(window.segments)
        self._add_padding = window.padded
        self._segment_index = window.segment_index(model.device)

    def perturb(self, t: npt.NDArray[np.generic]) -> PaddedSpectrogram:
        """Return perturbed spectrograms.

        Parameters
        ----------
        t
            Perturbation variables from 0 (off) to 1 (on), or booleans, [samples, segments].

        Returns
        -------
        PaddedSpectrogram
            [samples, frames, bands], interpolated linearly between off and on.
        """
        by_pixel = torch.from_numpy(t.astype(np.float32)).to(self.model.device).index_select(1, self._segment_index)
        return self._add_padding(torch.addcmul(self._off, by_pixel.view(-1, *self._change.shape), self._change))

    def sum_by_segment(self, gradient: torch.Tensor) -> torch.Tensor:
        """Convert gradients with respect to pixels to derivatives with respect to the perturbation variables.

        Parameters
        ----------
        gradient
            [samples, frames, bands].

        Returns
        -------
        torch.Tensor
            [samples, segments].
        """
        order, sizes = self._pixels_by_segment
        ordered = (gradient * self._change).flatten(1).index_select(1, order)
        return torch.segment_reduce(ordered, "sum", lengths=sizes.expand(len(gradient), -1), axis=1)

    @cached_property
    def _pixels_by_segment(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The pixels in order of their segment, and the number of pixels of each segment (for derivatives)."""
        order = torch.argsort(self._segment_index, stable=True)
        return order, torch.bincount(self._segment_index, minlength=self._segments)


def local_outputs(
    window: AnalysisWindow,
    bits: npt.NDArray[np.bool_],
    model: Model,
    perturbation: str,
    *,
    batch_size: int = BATCH_SIZE,
) -> Iterator[FloatArray]:
    """Predict the local mid-level outputs of every sample.

    Parameters
    ----------
    window
        The window.
    bits
        Which segments are on, [samples, segments].
    model
        The model.
    perturbation
        "gain" or "hide".
    batch_size
        Samples per batch.

    Yields
    ------
    numpy.ndarray
        float32 [at most batch_size, 7, time, columns], in the order of the samples.
    """
    perturber = SegmentPerturber(window, model, perturbation)
    with torch.inference_mode():
        for start in range(0, len(bits), batch_size):
            yield model.network.local(perturber.perturb(bits[start : start + batch_size])).cpu().numpy()
