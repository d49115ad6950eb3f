"""Narrow gain fields: smoothed gradients of the default network, which other judges hardly hear.

A field says where a decibel moves one output of a listener most: its gradient, smoothed, within -1..1. A decibel of
it moves a network as much as some decibels of a handle (steering/handles.py). Targets are solved by handles; what
these leave undone at the network within the permitted gain, and what they move of the emotions that are kept, is put
right by these.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch

from ...models.common.arrays import FloatArray
from ..steering.listeners import Listener

SMOOTHINGS: Final = 2
_NEPER: Final = math.log(10) / 20
_FULL: Final = 3.0
"""So many times the root mean square of the gradient is 1."""


def narrow_fields(picture: FloatArray, listener: Listener, outputs: Sequence[int]) -> FloatArray:
    """Fields of a listener's outputs (by number) in a log-spectrogram: float32 [outputs, frames, bands] in -1..1."""
    plain = torch.pow(10.0, torch.from_numpy(np.ascontiguousarray(picture, np.float32))) - 1
    field = torch.zeros_like(plain, requires_grad=True)
    said = listener(torch.log10(1 + plain * torch.exp(field * _NEPER)))
    slopes = torch.stack([torch.autograd.grad(said[output], field, retain_graph=True)[0] for output in outputs])
    kernel = torch.tensor([1.0, 2.0, 1.0])
    kernel = (kernel[:, None] * kernel / 16)[None, None]
    for _ in range(SMOOTHINGS):
        padded = torch.nn.functional.pad(slopes[:, None], (1, 1, 1, 1), mode="replicate")
        slopes = torch.nn.functional.conv2d(padded, kernel)[:, 0]
    size = slopes.square().mean((1, 2), keepdim=True).sqrt() * _FULL + 1e-20
    return np.asarray((slopes / size).clamp(-1, 1).numpy(), np.float32)
