"""The gain field of a whole track, as segments of equal gain for the mask filter.

The field is made in pieces from the track's spectrogram, rounded to tenths of a decibel (which the filter smooths),
and kept as a label map: the filter streams, so a track of an hour needs no more than its map. Coefficients may move
in time; between moments they go straight.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import HOP_LENGTH, SAMPLE_RATE
from ...models.inference.threads import torch_threads
from ..dsp.faders import FADER_RANGE_DB, Faders
from ..steering.handles import LIMIT_DB, MARGIN, handle_fields
from .narrow_fields import NarrowFields

STEP_DB: Final = 0.1
_LEVELS: Final = round(2 * LIMIT_DB / STEP_DB) + 1
_FRAMES_AT_ONCE: Final = 1024
_MAX_THREADS: Final = 2
MAX_KEPT: Final = 200_000_000
FULL: Final = Faders(FADER_RANGE_DB[1])
"""The faders under which the mask filter gives a gain map as it is."""


@dataclass(frozen=True)
class Trajectory:
    """Coefficients [moments, fields] in dB at moments [moments] in seconds, rising.

    bases: by stage of narrow fields the coefficients [moments, fields before it] under which it is made.
    """

    times_s: Floats
    coefficients: Floats
    bases: tuple[Floats, ...] = ()

    def at(self, frames: npt.NDArray[np.integer]) -> Floats:
        """Coefficients [frames, fields] at spectrogram frames."""
        return self._between(self.coefficients, frames)

    def bases_at(self, frames: npt.NDArray[np.integer]) -> list[Floats]:
        """By stage the coefficients [frames, fields before it] at spectrogram frames."""
        return [self._between(base, frames) for base in self.bases]

    def _between(self, coefficients: Floats, frames: npt.NDArray[np.integer]) -> Floats:
        seconds = frames * (HOP_LENGTH / SAMPLE_RATE)
        return np.stack([np.interp(seconds, self.times_s, column) for column in coefficients.T], axis=1)


@dataclass(frozen=True)
class GainMap:
    """labels int16 [frames, bands] and mask_weights float32 [levels, 7]: what the mask filter takes, under FULL.

    rms_db and largest_db: root mean square and largest size of the field in dB.
    """

    labels: npt.NDArray[np.int16]
    mask_weights: FloatArray
    rms_db: float
    largest_db: float


class KeptFields:
    """The fields of a track, piece by piece, for the map of a trajectory that goes on from another one."""

    def __init__(self) -> None:
        self._pieces: dict[int, tuple[tuple[Floats, ...], npt.NDArray[np.float16]]] = {}

    def keep(self, start: int, bases: tuple[Floats, ...], fields: FloatArray) -> None:
        """Keep the fields of the piece that starts at a frame; bases: of their stages."""
        self._pieces[start] = bases, fields.astype(np.float16)

    def fields(self, start: int, bases: tuple[Floats, ...]) -> tuple[FloatArray, int] | None:
        """The fields of a piece, and how many stages are among them; None where other ones are needed."""
        if start not in self._pieces:
            return None
        known, fields = self._pieces[start]
        if len(known) > len(bases) or not all(map(np.array_equal, known, bases)):
            return None
        return fields.astype(np.float32), len(known)


def gain_map(
    spectrogram: FloatArray,
    trajectory: Trajectory,
    *,
    narrow: NarrowFields | None = None,
    kept: KeptFields | None = None,
    max_rms_db: float = np.inf,
) -> GainMap:
    """The map of a track's log-spectrogram [frames, bands] under coefficients of the handles, and of narrow fields.

    narrow: makes these, where the trajectory has stages. kept: of the same track, from one call to the next; not used
    for more than MAX_KEPT bytes. max_rms_db: coefficients were solved for excerpts; where the whole track would get
    more, all of the field is made smaller.
    """
    if spectrogram.size * trajectory.coefficients.shape[1] * np.dtype(np.float16).itemsize > MAX_KEPT:
        kept = None
    labels = np.empty(spectrogram.shape, np.int16)
    parts = -(-len(spectrogram) // _FRAMES_AT_ONCE)
    borders = np.linspace(0, len(spectrogram), parts + 1).round().astype(int).tolist()

    def fill(part: tuple[int, int]) -> tuple[float, float]:
        start, stop = part
        begin = max(start - MARGIN, 0)
        around = spectrogram[begin : stop + MARGIN]
        known = None if kept is None else kept.fields(start, trajectory.bases)
        fields, stages = known or (handle_fields(around), 0)
        if narrow is not None:
            bases = trajectory.bases_at(np.arange(begin, begin + len(around)))
            fields = narrow.beside(fields, around, bases[stages:])
        if kept is not None:
            kept.keep(start, trajectory.bases, fields)
        fields = fields[:, start - begin : stop - begin]
        whole = np.einsum("fh,hfb->fb", trajectory.at(np.arange(start, stop)).astype(np.float32), fields)
        field = LIMIT_DB * np.tanh(whole / LIMIT_DB)
        labels[start:stop] = np.rint((field + LIMIT_DB) / STEP_DB)
        return float((field**2).sum(dtype=np.float64)), float(np.abs(field).max())

    threads = min(torch.get_num_threads(), _MAX_THREADS)
    with (
        torch_threads(1),
        ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        squares, largest = np.array(list(pool.map(fill, pairwise(borders)))).T
    weights = np.zeros((_LEVELS, len(FULL.to_array())), np.float32)
    weights[:, 0] = (np.arange(_LEVELS) * STEP_DB - LIMIT_DB) / LIMIT_DB
    rms_db = float(np.sqrt(squares.sum() / labels.size))
    share = min(1.0, max_rms_db / rms_db) if rms_db else 1.0
    return GainMap(labels, weights * np.float32(share), share * rms_db, share * float(largest.max()))
