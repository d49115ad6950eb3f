"""Reverse passes of stacks of layers: the gradient of several features with respect to a stack's input.

Between its rectifiers a network is linear, so all that its reverse pass needs of the forward pass is which of them
were open: the gates, 1 or 0 (or, where they are means over samples, between). The gradients of all features pass the
same gates, so they go back together: a batch of gradients [features * batch, ...] has the features outside.

The gradient of a convolution with respect to its input is an ordinary convolution, of the gradient with the kernel
turned round; with a stride and a single input channel one for each phase of the stride (fast_backward.py).
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from ..circulant_conv import FourierCircularConv2d
from ..fast_backward import InplaceReLU, InputConv2d, phases_of
from ..fold import InplaceFrequencyBias


class Reverse(Protocol):
    """A linear layer's reverse pass."""

    def __call__(self, gradient: torch.Tensor, size: torch.Size) -> torch.Tensor:
        """Return the gradient [n, channels in, ...] with respect to an input of `size`."""


def gate_of(x: torch.Tensor, together: int) -> torch.Tensor:
    """Return where a rectifier's output [together * batch, ...] is above zero, as a mean: 0..1, [batch, ...]."""
    samples = x.view(together, -1, *x.shape[1:])
    gate = samples[0].sign()  # (never negative; a comparison and its conversion take longer)
    for sample in samples[1:]:
        gate += sample.sign()
    return gate if together == 1 else gate.mul_(1 / together)


def gated(gradient: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
    """Multiply gradients [features * batch, ...] by a gate [batch, ...] in place."""
    gradient.view(-1, *gate.shape).mul_(gate)
    return gradient


class ConvReverse:
    """Of a convolution along one axis or two.

    Parameters
    ----------
    convolution
        The layer; without groups, and without dilation where it has a stride.
    """

    def __init__(self, convolution: nn.Conv1d | nn.Conv2d | InputConv2d) -> None:
        weight = convolution.weight.detach()
        self._flat = weight.dim() == 3  # one axis: the second of two, in a single row
        stride, padding = _two(convolution.stride, 1), _two(convolution.padding, 0)
        dilation = (1, 1) if isinstance(convolution, InputConv2d) else _two(convolution.dilation, 1)
        weight = weight.unsqueeze(2) if self._flat else weight
        self._stride, self._padding, self._dilation = stride, padding, dilation
        single = stride == (1, 1) and padding == (0, 0) and weight.shape[2:] == (1, 1)
        self._matrix = weight[:, :, 0, 0] if single else None
        self._in_phases = weight.shape[1] == 1
        if stride == (1, 1):
            kernel = weight.transpose(0, 1).flip(2, 3)
            extent = [step * (size - 1) for step, size in zip(dilation, weight.shape[2:], strict=True)]
            self._margins = extent[0] - padding[0], extent[1] - padding[1]
        elif self._in_phases:
            kernel = phases_of(weight, stride)
            self._margins = kernel.shape[2] - 1, kernel.shape[3] - 1
        else:
            kernel = weight
        self._kernel = kernel.contiguous(memory_format=torch.channels_last)

    def __call__(self, gradient: torch.Tensor, size: torch.Size) -> torch.Tensor:
        """As `Reverse`."""
        if self._matrix is not None:
            if self._flat:
                return torch.matmul(self._matrix.T, gradient)
            return (gradient.permute(0, 2, 3, 1) @ self._matrix).permute(0, 3, 1, 2)
        if self._flat:
            return self._both_axes(gradient.unsqueeze(2), (1, size[2])).squeeze(2)
        return self._both_axes(gradient, (size[2], size[3]))

    def _both_axes(self, gradient: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        if self._stride == (1, 1):
            return functional.conv2d(gradient, self._kernel, None, 1, self._margins, self._dilation)
        if self._in_phases:
            return self._interleaved(functional.conv2d(gradient, self._kernel, None, 1, self._margins), size)
        axes = zip(size, gradient.shape[2:], self._stride, self._padding, self._kernel.shape[2:], strict=True)
        rest = [full - ((count - 1) * step - 2 * pad + extent) for full, count, step, pad, extent in axes]
        return functional.conv_transpose2d(gradient, self._kernel, None, self._stride, self._padding, rest)

    def _interleaved(self, phases: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """[n, stride 0 * stride 1, rows, columns] -> [n, 1, *size]."""
        (down, right), (top, left) = self._stride, self._padding
        batch, _, rows, columns = phases.shape
        joined = phases.view(batch, down, right, rows, columns).permute(0, 3, 1, 4, 2)
        joined = joined.reshape(batch, 1, rows * down, columns * right)
        joined = joined[:, :, top : top + size[0], left : left + size[1]]
        missing = size[0] - joined.shape[2], size[1] - joined.shape[3]  # what no output sees
        return functional.pad(joined, (0, missing[1], 0, missing[0])) if any(missing) else joined


def _two(values: object, other: int) -> tuple[int, int]:
    """A layer's parameter along two axes."""
    assert isinstance(values, tuple)
    return (int(values[0]), int(values[1])) if len(values) == 2 else (other, int(values[0]))


class PoolReverse:
    """Of means over patches that do not overlap; rows and columns beyond the last whole patch get zeros."""

    def __init__(self, pool: nn.AvgPool2d) -> None:
        self._size = pool.kernel_size if isinstance(pool.kernel_size, tuple) else (pool.kernel_size,) * 2

    def __call__(self, gradient: torch.Tensor, size: torch.Size) -> torch.Tensor:
        """As `Reverse`."""
        down, right = self._size
        batch, channels, rows, columns = gradient.shape
        spread = (gradient / (down * right)).permute(0, 2, 3, 1)[:, :, None, :, None]
        wide = spread.expand(batch, rows, down, columns, right, channels)
        wide = wide.reshape(batch, rows * down, columns * right, channels).permute(0, 3, 1, 2)
        missing = size[2] - rows * down, size[3] - columns * right
        return functional.pad(wide, (0, missing[1], 0, missing[0])) if any(missing) else wide


class CircularReverse:
    """Of a circular convolution, in the Fourier basis: the same pairs, the matrices the other way round."""

    def __init__(self, convolution: nn.Module) -> None:
        assert isinstance(convolution, FourierCircularConv2d)
        self._basis = convolution.basis
        self._weight = convolution.weight.transpose(1, 2).contiguous()

    def __call__(self, gradient: torch.Tensor, size: torch.Size) -> torch.Tensor:
        """As `Reverse`."""
        batch, channels, times, positions = gradient.shape
        rows = batch * times
        circles = gradient.permute(0, 2, 3, 1).reshape(rows, positions, channels)
        spectra = torch.matmul(self._basis, circles).view(rows, positions // 2, 2 * channels)
        products = torch.bmm(spectra.transpose(0, 1), self._weight).transpose(0, 1)
        back = torch.matmul(self._basis.T, products.reshape(rows, positions, -1))
        return back.view(batch, times, positions, -1).permute(0, 3, 1, 2)


@dataclass
class Trace:
    """What a forward pass leaves for its reverse: the gates [batch, ...], and the sizes of the layers' inputs."""

    gates: list[torch.Tensor]
    sizes: list[torch.Size]


class Stack:
    """A sequence of layers with its reverse pass.

    Parameters
    ----------
    layers
        Layers of a network optimised for inference (`fold.optimise_for_inference`).
    together
        Over so many samples gates are means: sample i of a batch [together * n, ...] with samples n + i, 2 n + i ...
    """

    def __init__(self, layers: nn.Sequential, together: int = 1) -> None:
        self._layers = layers
        self._together = together
        self._reverses = [_reverse_of(layer) for layer in layers]

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, Trace]:
        """Return the output and what `reverse` needs."""
        trace = Trace([], [])
        for layer, reverse in zip(self._layers, self._reverses, strict=True):
            if reverse is not None:
                trace.sizes.append(x.shape)
            x = layer(x)
            if isinstance(layer, InplaceReLU):
                trace.gates.append(gate_of(x, self._together))
        return x, trace

    def reverse(self, gradient: torch.Tensor, trace: Trace) -> torch.Tensor:
        """Return the gradient [features * batch, ...] with respect to the input."""
        gates, sizes = iter(reversed(trace.gates)), iter(reversed(trace.sizes))
        for layer, reverse in zip(reversed(self._layers), reversed(self._reverses), strict=True):
            if isinstance(layer, InplaceReLU):
                gradient = gated(gradient, next(gates))
            elif reverse is not None:
                size = next(sizes)
                gradient = reverse(gradient, size)
        return gradient


def _reverse_of(layer: nn.Module) -> Reverse | None:
    """The reverse pass of a layer; None for rectifiers and for what is only added."""
    match layer:
        case nn.Conv1d() | nn.Conv2d() | InputConv2d():
            return ConvReverse(layer)
        case nn.AvgPool2d():
            return PoolReverse(layer)
        case FourierCircularConv2d():
            return CircularReverse(layer)
        case InplaceReLU() | InplaceFrequencyBias():
            return None
    raise TypeError(f"no reverse pass of {type(layer).__name__} is known")
