"""Inference-only layers with a fast gradient with respect to the input: the same result as torch's layers.

The gradient with respect to a one-channel input is a transposed convolution with one output channel, which libraries
compute far below their usual speed. Here it is an ordinary convolution with one output channel per phase of the
stride, whose outputs are interleaved (sub-pixel convolution, Shi et al., CVPR 2016). The gradient of the ReLU is
first brought into the memory layout of its output.
"""

from typing import Any, cast

import torch
from torch import nn


class InputConv2d(nn.Module):
    """A trained convolution of a one-channel input; its weights get no gradient.

    Parameters
    ----------
    convolution
        The trained layer, with one input channel and a bias.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    phases: torch.Tensor

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        assert convolution.in_channels == 1
        assert convolution.bias is not None
        self.stride = cast(tuple[int, int], convolution.stride)
        self.padding = cast(tuple[int, int], convolution.padding)
        self.register_buffer("weight", convolution.weight.detach())
        self.register_buffer("bias", convolution.bias.detach())
        self.register_buffer("phases", phases_of(convolution.weight.detach(), self.stride))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As a convolution, with derivatives for the input alone."""
        return cast(
            torch.Tensor, _Convolution.apply(x, self.weight, self.bias, self.phases, self.stride, self.padding)
        )


def phases_of(weight: torch.Tensor, stride: tuple[int, int]) -> torch.Tensor:
    """Kernels of the phases of the input's gradient, [stride 0 * stride 1, channels, rows, columns]."""
    channels, _, rows, columns = weight.shape
    (down, right), counts = stride, (-(-rows // stride[0]), -(-columns // stride[1]))
    padded = nn.functional.pad(weight, (0, counts[1] * right - columns, 0, counts[0] * down - rows))
    split = padded.view(channels, counts[0], down, counts[1], right).flip(1, 3)
    return split.permute(2, 4, 0, 1, 3).reshape(down * right, channels, *counts).contiguous()


class _Convolution(torch.autograd.Function):
    """conv2d whose gradient is computed for the input only."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        phases: torch.Tensor,
        stride: tuple[int, int],
        padding: tuple[int, int],
    ) -> torch.Tensor:
        ctx.save_for_backward(phases)
        ctx.stride, ctx.padding, ctx.size = stride, padding, x.shape[2:]
        return nn.functional.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401
        (phases,), (down, right), (top, left) = ctx.saved_tensors, ctx.stride, ctx.padding
        frames, bands = ctx.size
        margins = phases.shape[2] - 1, phases.shape[3] - 1
        by_phase = nn.functional.conv2d(gradient, phases, padding=margins)  # [batch, phases, ...]
        batch, _, rows, columns = by_phase.shape
        interleaved = by_phase.view(batch, down, right, rows, columns).permute(0, 3, 1, 4, 2)
        result = interleaved.reshape(batch, 1, rows * down, columns * right)[:, :, top:, left:]
        # Zero for pixels that are in no receptive field.
        missing = max(frames - result.shape[2], 0), max(bands - result.shape[3], 0)
        result = nn.functional.pad(result, (0, missing[1], 0, missing[0]))[:, :, :frames, :bands]
        return result, None, None, None, None, None


class InplaceReLU(nn.Module):
    """ReLU in place, for inference; its gradient has the memory layout of its output."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As a ReLU, in place."""
        return cast(torch.Tensor, _Rectification.apply(x))


class _Rectification(torch.autograd.Function):
    """ReLU in place."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
        ctx.mark_dirty(x)
        ctx.save_for_backward(x.clamp_(min=0))
        return x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
        (output,) = ctx.saved_tensors
        if gradient.stride() != output.stride():
            gradient = torch.empty_like(output).copy_(gradient)
        return cast(torch.Tensor, torch.ops.aten.threshold_backward(gradient, output, 0))
