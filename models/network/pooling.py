"""Means and maxima as libraries do them quickest, forth and back: pooling keeps the order of things in memory.

Where several are the largest, the way back goes to the first. After a rectifier they are either different or 0, where
it lets nothing back.
"""

import torch
from torch import nn

from .precision import at_least_single


def moving_mean(x: torch.Tensor, count: int, *, apart: int = 1) -> torch.Tensor:
    """Means of `count` steps in time: [batch, channels, steps, places] -> [..., steps - apart * (count - 1), places].

    From one to the next are `apart` steps: of moving means of as many, it makes the moving mean of count * apart.
    """
    batch, channels, steps, places = x.shape
    positions = steps - apart * (count - 1)
    if apart > 1:  # steps that come together are places, so that one of each is a row
        x = nn.functional.pad(x, (0, 0, 0, -steps % apart))
        x = x.permute(0, 2, 3, 1).reshape(batch, -1, apart * places, channels).permute(0, 3, 1, 2)
    x = nn.functional.avg_pool2d(at_least_single(x), (count, 1), 1)
    return x.permute(0, 2, 3, 1).reshape(batch, -1, places, channels)[:, :positions].permute(0, 3, 1, 2)


def mean(x: torch.Tensor, axis: int) -> torch.Tensor:
    """[batch, channels, times, places] without axis 2 or 3: the mean over it."""
    return nn.functional.avg_pool2d(x, _all_of(x, axis)).squeeze(axis)


def largest(x: torch.Tensor, axis: int) -> torch.Tensor:
    """[batch, channels, times, places] without axis 2 or 3: the largest along it."""
    return nn.functional.max_pool2d(x, _all_of(x, axis)).squeeze(axis)


def _all_of(x: torch.Tensor, axis: int) -> tuple[int, int]:
    return (x.shape[2], 1) if axis == 2 else (1, x.shape[3])
