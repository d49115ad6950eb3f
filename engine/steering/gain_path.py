"""From a gain field to the spectrogram of the filtered sound, differentiable and equal to that of the written file.

    gain field [frames, bands] dB -> 1-2-1 smoothing -> gains of the STFT's bins -> overlap-add -> log-spectrogram

`engine/excerpts/array_path.py` has the same in NumPy, twice as quick but without derivatives, and explains it. Here
is also an approximation for derivatives alone (`quick_spectrogram`, `field_slopes`).
"""

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch

from ...models.common.arrays import FloatArray
from ...models.network.spectrogram import LogSpectrogram
from ..dsp.stft import OVERLAP
from ..excerpts.array_path import EDGE, FRAME, HOP, ArrayPath, band_k_power
from .listeners import Listener


class GainPath:
    """Filters a sound by gain fields; everything that does not depend on the field is computed once.

    Attributes
    ----------
    arrays : ArrayPath
        The same in NumPy: quicker, without derivatives.
    front_end : LogSpectrogram
        Sound [samples] -> log-spectrogram [frames, bands].
    """

    def __init__(self, samples: FloatArray, *, offset: int = 0, arrays: ArrayPath | None = None) -> None:
        """Make what is needed of mono sound float32 [samples] at 22,050 Hz, on the scale of the network's input.

        offset: how many samples the first frame of gain fields lies before it; arrays: the path in NumPy, if it is
        there.
        """
        path = self.arrays = arrays or ArrayPath(samples, offset=offset)
        self.samples = path.samples
        self._synthesis, self._spectra, self._to_bins, self._frame, self._fraction = map(
            torch.from_numpy, (path.synthesis, path.spectra, path.to_bins, path.frame, path.fraction)
        )
        self.front_end = LogSpectrogram()
        sound = torch.from_numpy(np.ascontiguousarray(samples, np.float32))
        self._plain = torch.pow(10.0, torch.as_tensor(self.front_end(sound))) - 1  # magnitude [frames, bands]
        self._band_power = self._plain**2 * torch.from_numpy(band_k_power())

    @cached_property
    def _power(self) -> torch.Tensor:
        """K-weighted power of the spectra, [STFT frames, bins]."""
        return self._spectra.abs() ** 2 * torch.from_numpy(self.arrays.k_power)

    def spectrogram(self, field_db: torch.Tensor, *, matched: bool = False) -> torch.Tensor:
        """Log-spectrogram [frames, bands] of the sound under a gain field [frames, bands] in dB."""
        return torch.as_tensor(self.front_end(self.filtered(field_db, matched=matched)))

    def filtered(self, field_db: torch.Tensor, *, matched: bool = False) -> torch.Tensor:
        """The sound [samples] under a gain field [frames, bands] in dB; matched: as loud as without it."""
        logs = _smoothed(field_db) @ self._to_bins  # logarithms of gains: [frames of the field, bins]
        place = (self._frame + EDGE).clamp(0, len(logs) - 2)
        gains = torch.lerp(logs[place], logs[place + 1], self._fraction).exp_()  # [STFT frames, bins]
        frames = torch.fft.irfft(self._spectra * gains, n=FRAME) * self._synthesis
        hops = frames.view(len(frames), OVERLAP, HOP)
        pad = torch.nn.functional.pad
        parts = [pad(hops[:, part], (0, 0, part, OVERLAP - 1 - part)) for part in range(OVERLAP)]
        before = self.arrays.before
        added = (parts[0] + parts[1] + parts[2] + parts[3]).view(-1)[before : before + self.samples]
        if matched:
            added = added * torch.sqrt(self.arrays.energy / ((self._power * gains**2).sum() + 1e-20))
        return added

    def quick_spectrogram(self, field_db: torch.Tensor) -> torch.Tensor:
        """An approximation of `spectrogram` with matched loudness, for slopes only: each frame and band by itself.

        It has the smoothing and the loudness match, but not the overlap of STFT frames.
        """
        frames = len(self._plain)
        gains = _smoothed(field_db)[EDGE : EDGE + frames] * (math.log(10) / 20)
        if len(gains) < frames:
            gains = torch.cat((gains, gains[-1:].expand(frames - len(gains), -1)))
        factor = torch.exp(gains)
        factor = factor * torch.sqrt(self._band_power.sum() / ((self._band_power * factor**2).sum() + 1e-20))
        return torch.log10(1 + self._plain * factor)


def field_slopes(
    path: GainPath, field_db: torch.Tensor, listeners: Sequence[Listener], rows: Sequence[tuple[int, int]]
) -> torch.Tensor:
    """Change of outputs per dB of each pixel of a gain field [frames, bands], about: float32 [rows, frames, bands].

    rows: (number of the listener, number of its output). By the quick spectrogram of the path: `spectrogram` takes
    ten times as long backwards.
    """
    field = field_db.clone().requires_grad_()
    spectrogram = path.quick_spectrogram(field)
    found: dict[tuple[int, int], torch.Tensor] = {}
    for number in {listener for listener, _ in rows}:
        outputs = sorted({output for listener, output in rows if listener == number})
        for output, pixels in zip(outputs, listeners[number].gradients(spectrogram.detach(), outputs), strict=True):
            # (of a sum: torch imports sympy for the gradients of anything but a scalar, a third of a second)
            (found[number, output],) = torch.autograd.grad((spectrogram * pixels).sum(), field, retain_graph=True)
    return torch.stack([found[row] for row in rows])


def _smoothed(field: torch.Tensor) -> torch.Tensor:
    """1-2-1 over bands and frames, as the mask filter smooths, with EDGE frames more before and after.

    Beyond its ends the field goes on as its first and last frame.
    """
    padded = torch.cat((field[:, :1], field, field[:, -1:]), dim=1)
    padded = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    ends = [side.expand(EDGE + 1, -1) for side in (padded[:1], padded[-1:])]
    padded = torch.cat((ends[0], padded, ends[1]), dim=0)
    return (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
