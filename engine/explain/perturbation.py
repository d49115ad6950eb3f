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
from ...models.network.padding import PaddedSpectrogram

PERTURBATIONS: Final = ("gain", "hide")
GAIN_DB: Final = 6.0
BATCH_SIZE: Final = 32
_ROWS_AT_ONCE: Final = 4096


def apply_gain_db(picture: torch.Tensor, gain_db: float) -> torch.Tensor:
    """The log10(1 + x) spectrogram of the same sound, louder by gain_db."""
    return torch.log10(1.0 + (torch.pow(10.0, picture) - 1.0) * 10 ** (gain_db / 20))


def perturbation_range(picture: torch.Tensor, perturbation: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The picture [frames, bands] with all bits at 1 and with all bits at 0."""
    if perturbation == "hide":
        return picture, torch.zeros_like(picture)
    return apply_gain_db(picture, GAIN_DB), apply_gain_db(picture, -GAIN_DB)


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
        step = apply_gain_db(here, GAIN_DB) - apply_gain_db(here, -GAIN_DB)
        change += np.bincount(labels[rows].ravel(), weights=step.numpy().ravel(), minlength=count)
        whole += np.bincount(labels[rows].ravel(), weights=picture[rows].ravel(), minlength=count)
    per_db = np.divide(change, 2 * GAIN_DB * whole, out=np.zeros(count), where=whole > 0)
    return np.asarray(per_db, np.float32)


@dataclass(frozen=True)
class AnalysisWindow:
    """A stretch of the spectrogram that local outputs see, with what can be hidden in it.

    labels [frames, bands] are extended by silence (label -1) to what the positions first..last-1 of the network see;
    picture is the track's part of that, the frames `sound`. labels are numbers of `segments`, the track's own labels
    of what occurs here.
    """

    spectrogram: FloatArray
    labels: Labels
    segments: npt.NDArray[np.int64]
    first: int
    last: int
    sound: slice

    def segment_index(self, device: torch.device) -> torch.Tensor:
        """The segment of each pixel of the picture, one row after the other."""
        return torch.from_numpy(self.labels[self.sound].ravel()).to(device)

    def padded(self, pictures: torch.Tensor) -> PaddedSpectrogram:
        """Pictures [samples, frames, bands] made of the window's, with the silence around it."""
        return PaddedSpectrogram(pictures, self.sound.start, len(self.labels) - self.sound.stop)


def cut_window(spectrogram: FloatArray, labels: Labels, model: Model, first: int, last: int) -> AnalysisWindow:
    """Cut what the positions first..last-1 see out of the track's spectrogram and labels [frames, bands]."""
    begin, end = model.network.geometry.frame_range(first, last)
    inside = slice(max(begin, 0), min(end, len(spectrogram)))
    rest = ((max(-begin, 0), max(end - len(spectrogram), 0)), (0, 0))
    seen, numbers = np.unique(labels[inside], return_inverse=True)
    own = np.pad(numbers.reshape(labels[inside].shape), rest, constant_values=-1)
    sound = slice(inside.start - begin, inside.stop - begin)
    return AnalysisWindow(spectrogram[inside], own.astype(np.int32), seen.astype(np.int64), first, last, sound)


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
