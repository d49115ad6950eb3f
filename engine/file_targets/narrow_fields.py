"""Narrow gain fields: smoothed gradients of the default network, which judges hardly follow.

A field says where a decibel moves one output of a listener most: its gradient, smoothed, within -1..1. A decibel of
it moves a network as much as some decibels of a handle (steering/handles.py). Targets are solved by handles; what
these leave undone at the network within the permitted gain, and what they move of the emotions that are kept, is put
right by these.

A network bends: after a decibel or two its gradient is another one. So narrow fields come in stages, each stage the
gradients under the gain field of those before it. What that was is written down (a stage's base), so that the fields
of a whole track are made as those of the excerpts by which it was solved.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from ...models.common.arrays import FloatArray, Floats
from ..excerpts.array_path import band_k_power
from ..steering.handles import LIMIT_DB
from ..steering.listeners import Listener

SMOOTHINGS: Final = 2
_NEPER: Final = math.log(10) / 20
_FULL: Final = 6.0
"""So many times the root mean square of the gradient is 1."""


class NarrowFields:
    """Makes the narrow fields of some outputs of a listener."""

    def __init__(self, listener: Listener, outputs: Sequence[int]) -> None:
        """outputs: their numbers."""
        self._listener, self.outputs = listener, tuple(outputs)

    def at(self, spectrogram: FloatArray, field_db: FloatArray | None = None) -> FloatArray:
        """Fields of a log-spectrogram [frames, bands] under a gain field in dB (by default none), as loud as before.

        float32 [outputs, frames, bands] in -1..1.
        """
        plain = torch.pow(10.0, torch.from_numpy(np.ascontiguousarray(spectrogram, np.float32))) - 1
        power = plain**2 * torch.from_numpy(band_k_power())
        field = torch.zeros_like(plain) if field_db is None else torch.from_numpy(np.asarray(field_db, np.float32))
        field = field.clone().requires_grad_()
        factor = torch.exp(_smoothed(field[None], 1)[0] * _NEPER)  # (as the mask filter smooths)
        factor = factor * torch.sqrt(power.sum() / ((power * factor**2).sum() + 1e-20))
        outputs = self._listener(torch.log10(1 + plain * factor))
        slopes = [torch.autograd.grad(outputs[output], field, retain_graph=True)[0] for output in self.outputs]
        smooth = _smoothed(torch.stack(slopes), SMOOTHINGS)
        size = smooth.square().mean((1, 2), keepdim=True).sqrt() * _FULL + 1e-20
        return np.asarray((smooth / size).clamp(-1, 1).numpy(), np.float32)

    def beside(self, handles: FloatArray, spectrogram: FloatArray, bases: Sequence[Floats]) -> FloatArray:
        """Handles [handles, frames, bands] of a log-spectrogram, then the fields of the stages: [all, frames, bands].

        bases: by stage the coefficients in dB of the fields before it, [frames, fields], under which it is made.
        """
        fields = handles
        for base in bases:
            field = LIMIT_DB * np.tanh(np.einsum("fh,hfb->fb", base.astype(np.float32), fields) / LIMIT_DB)
            fields = np.concatenate((fields, self.at(spectrogram, field)))
        return fields


def _smoothed(fields: torch.Tensor, times: int) -> torch.Tensor:
    """1-2-1 over frames and bands of fields [n, frames, bands]."""
    kernel = torch.tensor([1.0, 2.0, 1.0])
    kernel = (kernel[:, None] * kernel / 16)[None, None]
    for _ in range(times):
        padded = torch.nn.functional.pad(fields[:, None], (1, 1, 1, 1), mode="replicate")
        fields = torch.nn.functional.conv2d(padded, kernel)[:, 0]
    return fields
