"""What the network says when segments are changed at random: the measurement under every explanation.

A sample is one bit a segment. `hide` asks the paper's question (1: as it is, 0: silence), `gain` the question that a
fader asks (1: up by 6 dB, 0: down by 6 dB). Samples are masked and predicted as batches on the model's device.
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
from ...models.network.spectrogram import amplify

PERTURBATIONS: Final = ("gain", "hide")
GAIN_DB: Final = 6.0
BATCH_SIZE: Final = 32
_ROWS_AT_ONCE: Final = 4096


def perturbation_range(picture: torch.Tensor, perturbation: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The picture [frames, bands] with all bits at 1 and with all bits at 0."""
    if perturbation == "hide":
        return picture, torch.zeros_like(picture)
    return amplify(picture, GAIN_DB), amplify(picture, -GAIN_DB)


def perturbation_per_db(picture: FloatArray, labels: Labels, perturbation: str) -> FloatArray:
    """How far a gain of 1 dB moves each segment along its bit: [segments].

    Exact for `gain`: the bit's two ends are 12 dB apart. For `hide` it is the share of the segment's log magnitude
    that 1 dB adds or takes, measured between -6 and +6 dB.
    """
    count = int(labels.max()) + 1
    if perturbation == "gain":
        return np.full(count, 1 / (2 * GAIN_DB), np.float32)
    change, whole = np.zeros(count), np.zeros(count)
    for start in range(0, len(picture), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        here = torch.from_numpy(picture[rows])
        step = amplify(here, GAIN_DB) - amplify(here, -GAIN_DB)
        change += np.bincount(labels[rows].ravel(), weights=step.numpy().ravel(), minlength=count)
        whole += np.bincount(labels[rows].ravel(), weights=picture[rows].ravel(), minlength=count)
    per_db = np.divide(change, 2 * GAIN_DB * whole, out=np.zeros(count), where=whole > 0)
    return np.asarray(per_db, np.float32)


@dataclass(frozen=True)
class AnalysisWindow:
    """A stretch of the spectrogram that local outputs see, with what can be hidden in it.

    labels [frames, bands] are what the positions first..last-1 of the network see, the ends of the track continued by
    each other. picture [rows, bands] holds the frames that are needed for that: these, or, where they go round the
    whole track, one turn of it; rows are its labels, start the row of the first frame. labels are numbers of
    `segments`, the track's own labels of what occurs here.
    """

    spectrogram: FloatArray
    rows: Labels
    start: int
    labels: Labels
    segments: npt.NDArray[np.int64]
    first: int
    last: int

    def segment_index(self, device: torch.device) -> torch.Tensor:
        """The segment of each pixel of the picture, one row after the other."""
        return torch.from_numpy(self.rows.ravel()).to(device)

    def padded(self, pictures: torch.Tensor) -> PaddedSpectrogram:
        """Pictures [samples, rows, bands] made of the window's, as the positions see them."""
        return PaddedSpectrogram(pictures, self.start, len(self.labels))


def cut_window(spectrogram: FloatArray, labels: Labels, model: Model, first: int, last: int) -> AnalysisWindow:
    """Cut what the positions first..last-1 see out of the track's spectrogram and labels [frames, bands]."""
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
    """A window on the model's device, to make pictures of it with each segment turned to a place of its own."""

    def __init__(self, stretch: AnalysisWindow, model: Model, perturbation: str) -> None:
        self.model = model
        on, self._off = (
            side.to(model.device) for side in perturbation_range(torch.from_numpy(stretch.spectrogram), perturbation)
        )
        self._change = on - self._off
        self._segments = len(stretch.segments)
        self._surrounded = stretch.padded
        self._places = stretch.segment_index(model.device)

    def perturb(self, places: npt.NDArray[np.generic]) -> PaddedSpectrogram:
        """Pictures [samples, frames, bands] of segments at places 0 (off) to 1 (on), [samples, segments]."""
        gathered = torch.from_numpy(places.astype(np.float32)).to(self.model.device).index_select(1, self._places)
        return self._surrounded(torch.addcmul(self._off, gathered.view(-1, *self._change.shape), self._change))

    def sum_by_segment(self, gradient: torch.Tensor) -> torch.Tensor:
        """Slopes along each segment [samples, segments] from those in each pixel [samples, frames, bands]."""
        order, sizes = self._pixels_by_segment
        along = (gradient * self._change).flatten(1).index_select(1, order)
        return torch.segment_reduce(along, "sum", lengths=sizes.expand(len(gradient), -1), axis=1)

    @cached_property
    def _pixels_by_segment(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The pixels of each segment one after the other, and how many each has; only slopes need it."""
        order = torch.argsort(self._places, stable=True)
        return order, torch.bincount(self._places, minlength=self._segments)


def local_outputs(
    stretch: AnalysisWindow,
    bits: npt.NDArray[np.bool_],
    model: Model,
    perturbation: str,
    *,
    batch_size: int = BATCH_SIZE,
) -> Iterator[FloatArray]:
    """Local mid-level outputs of every sample: blocks [<= batch_size, 7, time, columns], in order.

    bits is [samples, segments of the window].
    """
    bench = SegmentPerturber(stretch, model, perturbation)
    with torch.inference_mode():
        for start in range(0, len(bits), batch_size):
            yield model.network.local(bench.perturb(bits[start : start + batch_size])).cpu().numpy()
