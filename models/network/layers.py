"""The layers that the networks are made of."""

import torch
from torch import nn

from ..signal.soft_limit import KNEE


def soft_limit(x: torch.Tensor) -> torch.Tensor:
    """Any numbers -> 0..1: unchanged between the knees, bent beyond them (signal/soft_limit.py)."""
    low = KNEE + KNEE * torch.tanh((x - KNEE) / KNEE)
    high = 1 - KNEE + KNEE * torch.tanh((x - 1 + KNEE) / KNEE)
    return torch.where(x < KNEE, low, torch.where(x > 1 - KNEE, high, x))


def conv_bn_relu(convolution: nn.Conv1d | nn.Conv2d, *between: nn.Module) -> nn.Sequential:
    """The convolution, its channels normalised over the batch, what is put between, and a rectifier."""
    normalisation = nn.BatchNorm1d if isinstance(convolution, nn.Conv1d) else nn.BatchNorm2d
    return nn.Sequential(convolution, normalisation(convolution.out_channels), *between, nn.ReLU())


class FrequencyBias(nn.Module):
    """A learned offset for every channel and position in frequency."""

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, bands))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """X with the bias added."""
        return x + self.bias


def at_least_float32(x: torch.Tensor) -> torch.Tensor:
    """X in single precision if it comes in half, else as it is."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def moving_mean(x: torch.Tensor, count: int, *, apart: int = 1) -> torch.Tensor:
    """Means of `count` steps in time: [batch, channels, steps, places] -> [..., steps - apart * (count - 1), places].

    From one to the next are `apart` steps: of moving means of as many, it makes the moving mean of count * apart.
    """
    batch, channels, steps, places = x.shape
    positions = steps - apart * (count - 1)
    if apart > 1:  # steps that come together are places, so that one of each is a row
        x = nn.functional.pad(x, (0, 0, 0, -steps % apart))
        x = x.permute(0, 2, 3, 1).reshape(batch, -1, apart * places, channels).permute(0, 3, 1, 2)
    x = nn.functional.avg_pool2d(at_least_float32(x), (count, 1), 1)
    return x.permute(0, 2, 3, 1).reshape(batch, -1, places, channels)[:, :positions].permute(0, 3, 1, 2)


def global_mean(x: torch.Tensor, axis: int) -> torch.Tensor:
    """[batch, channels, times, places] without axis 2 or 3: the mean over it."""
    return nn.functional.avg_pool2d(x, _all_of(x, axis)).squeeze(axis)


def global_max(x: torch.Tensor, axis: int) -> torch.Tensor:
    """[batch, channels, times, places] without axis 2 or 3: the largest along it."""
    return nn.functional.max_pool2d(x, _all_of(x, axis)).squeeze(axis)


def _all_of(x: torch.Tensor, axis: int) -> tuple[int, int]:
    return (x.shape[2], 1) if axis == 2 else (1, x.shape[3])


class CircularConv2d(nn.Conv2d):
    """The same weights at every place of the circle, the last axis: [batch, in, times, places] -> [..., places].

    `weight` [out, in, 1, places]; place s of the output takes the input from its own place s on, once around.
    """

    def __init__(self, in_channels: int, out_channels: int, places: int) -> None:
        super().__init__(in_channels, out_channels, (1, places), bias=False)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """The convolution around the circle, the last axis."""
        return nn.functional.conv2d(circular_pad(input, 0, input.shape[3] - 1), self.weight, self.bias)


def circular_pad(x: torch.Tensor, before: int, after: int) -> torch.Tensor:
    """Continue the circle, the last axis."""
    ends = [x[..., x.shape[3] - before :]] if before else []  # (F.pad's own way back is slow)
    return torch.cat([*ends, x, x[..., :after]], 3)


class ChannelDropout(nn.Module):
    """Whole channels of a clip left out while training, alike in clips and in changed copies of them.

    copies: of which clips of a batch its last ones are changed copies, int [copies], or None. What a network predicts
    of the two is compared, and shall not differ by chance.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.copies: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """X without the channels that are dropped, in training; else as it is."""
        if not self.training or self.probability == 0:
            return x
        kept = torch.rand(x.shape[:2], device=x.device) >= self.probability
        if self.copies is not None:
            kept[len(kept) - len(self.copies) :] = kept[self.copies]
        scale = kept.to(x.dtype) / (1 - self.probability)
        return x * scale.view(*x.shape[:2], *[1] * (x.dim() - 2))


def set_copies(module: nn.Module, copies: torch.Tensor | None) -> None:
    """Tell every ChannelDropout in it of which clips the last ones of the next batch are copies."""
    for part in module.modules():
        if isinstance(part, ChannelDropout):
            part.copies = copies
