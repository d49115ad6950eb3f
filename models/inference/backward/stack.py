"""Backward passes (vector-Jacobian products) of `nn.Sequential` stacks for several outputs at once, without autograd.

Between its ReLUs a network is linear, so all that its backward pass needs of the forward pass is where each ReLU's
input was above zero: the gates, 1 or 0 (or, where they are means over samples, between). The gradients of all
features pass the same gates, so they are one batch [features * batch, ...], with the feature as the outermost axis.

The gradient of a convolution with respect to its input is an ordinary convolution of the gradient with the flipped
kernel; with a stride and a single input channel it is one convolution for each phase of the stride
(fast_backward.py).
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from ..circulant_conv import FourierCircularConv2d
from ..fast_backward import InplaceReLU, InputConv2d, phases_of
from ..fold import InplaceFrequencyBias

_LANES = 16
"""Numbers in a vector register of 512 bits: with fewer outputs than that a convolution computes some for nothing."""


class LayerBackward(Protocol):
    """The backward pass of a linear layer."""

    def __call__(self, gradient: torch.Tensor, size: torch.Size) -> torch.Tensor:
        """Return the gradient [n, channels in, ...] with respect to an input of `size`."""


def gate_of(x: torch.Tensor, samples_per_gate: int) -> torch.Tensor:
    """Return the mean mask (0..1) of where a ReLU's output [samples_per_gate * batch, ...] is not 0: [batch, ...]."""
    samples = x.view(samples_per_gate, -1, *x.shape[1:])
    gate = samples[0].sign()  # (never negative; a comparison and its conversion take longer)
    for sample in samples[1:]:
        gate += sample.sign()
    return gate if samples_per_gate == 1 else gate.mul_(1 / samples_per_gate)


def gated(gradient: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
    """Multiply gradients [features * batch, ...] by a gate [batch, ...] in place."""
    gradient.view(-1, *gate.shape).mul_(gate)
    return gradient


def through_matrix(matrix: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Return a matrix [in, out] times gradients [n, out, times]: [n, in, times], as one product."""
    n, _, times = gradient.shape
    product = matrix @ gradient.transpose(0, 1).reshape(matrix.shape[1], n * times)
    return product.view(-1, n, times).transpose(0, 1)


class ConvBackward:
    """Backward pass of a Conv1d or Conv2d.

    Parameters
    ----------
    convolution
        The layer; without groups, and without dilation where it has a stride.
    """

    def __init__(self, convolution: nn.Conv1d | nn.Conv2d | InputConv2d) -> None:
        weight = convolution.weight.detach()
        self._flat = weight.dim() == 3  # a 1-D convolution is computed as a 2-D one of height 1
        stride, padding = _two(convolution.stride, 1), _two(convolution.padding, 0)
        dilation = (1, 1) if isinstance(convolution, InputConv2d) else _two(convolution.dilation, 1)
        weight = weight.unsqueeze(2) if self._flat else weight
        self._stride, self._padding, self._dilation = stride, padding, dilation
        single = stride == (1, 1) and padding == (0, 0) and weight.shape[2:] == (1, 1)
        self._matrix = weight[:, :, 0, 0] if single else None
        self._polyphase = weight.shape[1] == 1
        if stride == (1, 1):
            kernel = weight.transpose(0, 1).flip(2, 3)
            extent = [step * (size - 1) for step, size in zip(dilation, weight.shape[2:], strict=True)]
            self._margins = extent[0] - padding[0], extent[1] - padding[1]
        elif self._polyphase:
            phases = phases_of(weight, stride)
            self._margins = phases.shape[2] - 1, phases.shape[3] - 1
            self._together = max(1, _LANES // len(phases))
            kernel = _several_columns(phases, stride[0], self._together)
        else:
            kernel = weight
        self._kernel = kernel.contiguous(memory_format=torch.channels_last)

    def __call__(self, gradient: torch.Tensor, size: torch.Size) -> torch.Tensor:
        """Return the gradient with respect to an input of `size`."""
        if self._matrix is not None:
            if self._flat:
                return through_matrix(self._matrix.T, gradient)
            return (gradient.permute(0, 2, 3, 1) @ self._matrix).permute(0, 3, 1, 2)
        if self._flat:
            return self._both_axes(gradient.unsqueeze(2), (1, size[2])).squeeze(2)
        return self._both_axes(gradient, (size[2], size[3]))

    def _both_axes(self, gradient: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        if self._stride == (1, 1):
            return functional.conv2d(gradient, self._kernel, None, 1, self._margins, self._dilation)
        if self._polyphase:
            return self._phases(gradient, size)
        axes = zip(size, gradient.shape[2:], self._stride, self._padding, self._kernel.shape[2:], strict=True)
        rest = [full - ((count - 1) * step - 2 * pad + extent) for full, count, step, pad, extent in axes]
        return functional.conv_transpose2d(gradient, self._kernel, None, self._stride, self._padding, rest)

    def _phases(self, gradient: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Of an input with one channel, [n, 1, *size], by sub-pixel convolution: all phases of several columns."""
        (down, right), (top, left) = (self._stride[0], self._stride[1] * self._together), self._padding
        columns = -(-(left + size[1]) // right)  # groups of columns that there are in the input
        above, aside = self._margins
        if (gradient.shape[3] + aside) // self._together < columns:  # (more at the right than at the left)
            gradient = functional.pad(gradient, (aside, columns * self._together - gradient.shape[3]))
            aside = 0
        phases = functional.conv2d(gradient, self._kernel, None, (1, self._together), (above, aside))
        batch, _, rows, columns = phases.shape
        joined = phases.view(batch, down, right, rows, columns).permute(0, 3, 1, 4, 2)
        joined = joined.reshape(batch, 1, rows * down, columns * right)
        joined = joined[:, :, top : top + size[0], left : left + size[1]]
        missing = size[0] - joined.shape[2]  # what no output sees
        return functional.pad(joined, (0, 0, 0, missing)) if missing else joined


def _several_columns(phases: torch.Tensor, down: int, count: int) -> torch.Tensor:
    """Kernels of `count` columns at once: [phases * count, channels, rows, columns + count - 1].

    phases [down * right, channels, rows, columns]. The columns lie beside the phases to the right, as in the input.
    """
    number, channels, rows, columns = phases.shape
    kernels = phases.new_zeros(down, count, number // down, channels, rows, columns + count - 1)
    for column in range(count):
        kernels[:, column, ..., column : column + columns] = phases.view(down, -1, channels, rows, columns)
    return kernels.view(number * count, channels, rows, -1)


def _two(values: object, other: int) -> tuple[int, int]:
    """A layer's parameter along two axes."""
    assert isinstance(values, tuple)
    return (int(values[0]), int(values[1])) if len(values) == 2 else (other, int(values[0]))


class PoolBackward:
    """Backward pass of AvgPool2d without overlap; rows and columns beyond the last whole patch get zeros."""

    def __init__(self, pool: nn.AvgPool2d) -> None:
        self._size = pool.kernel_size if isinstance(pool.kernel_size, tuple) else (pool.kernel_size,) * 2

    def __call__(self, gradient: torch.Tensor, size: torch.Size) -> torch.Tensor:
        """Return the gradient with respect to an input of `size`."""
        down, right = self._size
        batch, channels, rows, columns = gradient.shape
        spread = (gradient / (down * right)).permute(0, 2, 3, 1)[:, :, None, :, None]
        wide = spread.expand(batch, rows, down, columns, right, channels)
        wide = wide.reshape(batch, rows * down, columns * right, channels).permute(0, 3, 1, 2)
        missing = size[2] - rows * down, size[3] - columns * right
        return functional.pad(wide, (0, missing[1], 0, missing[0])) if any(missing) else wide


class CircularBackward:
    """Backward pass of a circular convolution in the Fourier basis: each frequency's matrix is transposed."""

    def __init__(self, convolution: nn.Module) -> None:
        assert isinstance(convolution, FourierCircularConv2d)
        self._basis = convolution.basis
        self._weight = convolution.weight.transpose(1, 2).contiguous()

    def __call__(self, gradient: torch.Tensor, size: torch.Size) -> torch.Tensor:
        """Return the gradient with respect to an input of `size`."""
        batch, channels, times, positions = gradient.shape
        rows = batch * times
        circles = gradient.permute(0, 2, 3, 1).reshape(rows, positions, channels)
        spectra = torch.matmul(self._basis, circles).view(rows, positions // 2, 2 * channels)
        products = torch.bmm(spectra.transpose(0, 1), self._weight).transpose(0, 1)
        back = torch.matmul(self._basis.T, products.reshape(rows, positions, -1))
        return back.view(batch, times, positions, -1).permute(0, 3, 1, 2)


@dataclass
class Trace:
    """What a backward pass needs of the forward one: gates of ReLUs [batch, ...] and sizes of layers' inputs."""

    gates: list[torch.Tensor]
    sizes: list[torch.Size]


class LayerStack:
    """An `nn.Sequential` with its backward pass.

    Parameters
    ----------
    layers
        Layers of a network optimised for inference (`fold.optimise_for_inference`).
    samples_per_gate
        Number of samples whose gates are averaged: sample i of a batch [samples_per_gate * n, ...] with samples
        n + i, 2 n + i ...
    """

    def __init__(self, layers: nn.Sequential, samples_per_gate: int = 1) -> None:
        self._layers = layers
        self._samples_per_gate = samples_per_gate
        self._backwards = [_backward_of(layer) for layer in layers]

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, Trace]:
        """Return the output and what `backward` needs."""
        trace = Trace([], [])
        for layer, backward in zip(self._layers, self._backwards, strict=True):
            if backward is not None:
                trace.sizes.append(x.shape)
            x = layer(x)
            if isinstance(layer, InplaceReLU):
                trace.gates.append(gate_of(x, self._samples_per_gate))
        return x, trace

    def backward(self, gradient: torch.Tensor, trace: Trace) -> torch.Tensor:
        """Return the gradient [features * batch, ...] with respect to the input."""
        gates, sizes = iter(reversed(trace.gates)), iter(reversed(trace.sizes))
        for layer, backward in zip(reversed(self._layers), reversed(self._backwards), strict=True):
            if isinstance(layer, InplaceReLU):
                gradient = gated(gradient, next(gates))
            elif backward is not None:
                size = next(sizes)
                gradient = backward(gradient, size)
        return gradient


def _backward_of(layer: nn.Module) -> LayerBackward | None:
    """The backward pass of a layer; None for ReLUs and for constants that are only added."""
    match layer:
        case nn.Conv1d() | nn.Conv2d() | InputConv2d():
            return ConvBackward(layer)
        case nn.AvgPool2d():
            return PoolBackward(layer)
        case FourierCircularConv2d():
            return CircularBackward(layer)
        case InplaceReLU() | InplaceFrequencyBias():
            return None
    raise TypeError(f"no backward pass of {type(layer).__name__} is known")
