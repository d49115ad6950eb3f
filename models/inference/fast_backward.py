"""Parts of a network for prediction with a quicker way back to the spectrogram: the same numbers, less work.

The gradient in a spectrogram of one channel is a transposed convolution onto that one channel, which libraries do far
below their speed. The same numbers come out of an ordinary convolution of the gradient with as many channels
as the stride has phases, laid between each other afterwards (Shi et al., CVPR 2016, the other way round). And what
comes back to a rectifier is first brought into the order in which its output lies in memory.
"""

from typing import Any, cast

import torch
from torch import nn


class InputConv2d(nn.Module):
    """What `convolution` does to one channel, for prediction only: its weights get no gradient."""

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
        self.register_buffer("phases", _phases(convolution.weight.detach(), self.stride))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return cast(
            torch.Tensor, _Convolution.apply(x, self.weight, self.bias, self.phases, self.stride, self.padding)
        )


def _phases(weight: torch.Tensor, stride: tuple[int, int]) -> torch.Tensor:
    """Kernels [stride 0 * stride 1, channels, rows, columns] that make each phase of the input's gradient."""
    channels, _, rows, columns = weight.shape
    (down, right), counts = stride, (-(-rows // stride[0]), -(-columns // stride[1]))
    filled = nn.functional.pad(weight, (0, counts[1] * right - columns, 0, counts[0] * down - rows))
    split = filled.view(channels, counts[0], down, counts[1], right).flip(1, 3)
    return split.permute(2, 4, 0, 1, 3).reshape(down * right, channels, *counts).contiguous()


class _Convolution(torch.autograd.Function):
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
        (phases,), (down, right), (above, before) = ctx.saved_tensors, ctx.stride, ctx.padding
        frames, bands = ctx.size
        margins = phases.shape[2] - 1, phases.shape[3] - 1
        each = nn.functional.conv2d(gradient, phases, padding=margins)  # [batch, phases, ...]
        batch, _, rows, columns = each.shape
        mixed = each.view(batch, down, right, rows, columns).permute(0, 3, 1, 4, 2)
        whole = mixed.reshape(batch, 1, rows * down, columns * right)[:, :, above:, before:]
        # frames that no output sees
        spare = max(frames - whole.shape[2], 0), max(bands - whole.shape[3], 0)
        whole = nn.functional.pad(whole, (0, spare[1], 0, spare[0]))[:, :, :frames, :bands]
        return whole, None, None, None, None, None


class InplaceReLU(nn.Module):
    """nn.ReLU in place."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return cast(torch.Tensor, _Rectification.apply(x))


class _Rectification(torch.autograd.Function):
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
