"""The stretches of a track by which targets are solved, and what listeners say of them under a gain field.

A track of up to a minute is taken whole, of a longer one six stretches of ten seconds, evenly spread, or the ten
seconds around a moment. What the written file really says is measured on all of it afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ...models.common.constants import SAMPLE_RATE
from ...models.network.spectrogram import LogSpectrogram
from ..audio.track import Track
from .gain_path import GainPath
from .handles import DAMAGE, HANDLES, field_of, handle_fields
from .listeners import Listener

Doubles = npt.NDArray[np.float64]
WHOLE_S: Final = 60.0
EXCERPT_S: Final = 10.0
EXCERPTS: Final = 6


def spread_starts(duration_s: float) -> list[tuple[float, float]]:
    """(start, length) in seconds of the excerpts of a track: evenly spread, or the whole of a short one."""
    if duration_s <= WHOLE_S:
        return [(0.0, duration_s)]
    return [(float(start), EXCERPT_S) for start in np.linspace(0, duration_s - EXCERPT_S, EXCERPTS)]


def around(moment_s: float, duration_s: float) -> tuple[float, float]:
    """(start, length) in seconds of the stretch around a moment, within the track."""
    length = min(EXCERPT_S, duration_s)
    return float(np.clip(moment_s - length / 2, 0, duration_s - length)), length


def read_excerpts(track: Track, stretches: Sequence[tuple[float, float]]) -> list[npt.NDArray[np.float32]]:
    """Mono sound [samples] at 22,050 Hz of (start, length) in seconds, divided by the track's peak; reads it once."""
    wanted = [(round(start * SAMPLE_RATE), round((start + length) * SAMPLE_RATE)) for start, length in stretches]
    parts: list[list[npt.NDArray[np.float32]]] = [[] for _ in wanted]
    position = 0
    for block in track.network_input_blocks():
        for (begin, end), pieces in zip(wanted, parts, strict=True):
            piece = block[max(begin - position, 0) : max(end - position, 0)]
            if len(piece):
                pieces.append(piece)
        position += len(block)
    return [np.concatenate(pieces) / np.float32(track.network_peak) for pieces in parts]


@dataclass(frozen=True)
class _Part:
    path: GainPath
    fields: torch.Tensor  # [handles, frames, bands]


class Excerpts:
    """Excerpts with their handles: what listeners say for coefficients of the handles, and how that changes."""

    def __init__(self, sounds: Sequence[npt.NDArray[np.float32]], listeners: Sequence[Listener]) -> None:
        """sounds: mono [samples] at 22,050 Hz, on the track's scale."""
        self.listeners = listeners
        self._parts = []
        gram = np.zeros((len(HANDLES), len(HANDLES)))
        pixels = 0
        front_end = LogSpectrogram()
        for sound in sounds:
            with torch.inference_mode():
                picture = front_end(torch.from_numpy(sound)).numpy()
            fields = torch.from_numpy(handle_fields(picture))
            flat = fields.flatten(1)
            gram += (flat @ flat.T).double().numpy()
            pixels += flat.shape[1]
            self._parts.append(_Part(GainPath(sound), fields))
        cost = np.sqrt(DAMAGE)
        self.metric: Doubles = gram / pixels * cost[:, None] * cost
        """[handles, handles]: c' metric c is what coefficients c cost: the mean square of their field in dB (while
        it is small), each handle's by the damage that it does."""
        self._shares = [part.fields.shape[1] for part in self._parts]
        self.before = self.measure(np.zeros(len(HANDLES)))

    def measure(self, coefficients: Doubles) -> Doubles:
        """What the listeners say, [listeners, 15]: the mean over the excerpts, by their length."""
        with torch.inference_mode():
            said = [self._said(part, torch.from_numpy(coefficients).float()) for part in self._parts]
        return np.average(torch.stack(said).double().numpy(), axis=0, weights=self._shares)

    def slopes(self, rows: Sequence[tuple[int, int]]) -> Doubles:
        """Change per dB of each handle, at none, of the outputs (listener, number): [rows, handles]."""
        total = np.zeros((len(rows), len(HANDLES)))
        for part, share in zip(self._parts, self._shares, strict=True):
            coefficients = torch.zeros(len(HANDLES), requires_grad=True)
            said = self._said(part, coefficients)
            for number, (listener, output) in enumerate(rows):
                (slope,) = torch.autograd.grad(said[listener, output], coefficients, retain_graph=True)
                total[number] += share * slope.double().numpy()
        return total / sum(self._shares)

    def rms_db(self, coefficients: Doubles) -> float:
        """Root mean square of the gain field in dB over all excerpts."""
        chosen = torch.from_numpy(coefficients).float()
        squares = [float((field_of(chosen, part.fields) ** 2).mean()) for part in self._parts]
        return float(np.sqrt(np.average(squares, weights=self._shares)))

    def sounds(self, coefficients: Doubles) -> list[npt.NDArray[np.float32]]:
        """The excerpts [samples] under the gain field, as loud as before."""
        chosen = torch.from_numpy(coefficients).float()
        with torch.inference_mode():
            return [part.path.filtered(field_of(chosen, part.fields), matched=True).numpy() for part in self._parts]

    def _said(self, part: _Part, coefficients: torch.Tensor) -> torch.Tensor:
        spectrogram = part.path.spectrogram(field_of(coefficients, part.fields), matched=True)
        return torch.stack([listener(spectrogram) for listener in self.listeners])
