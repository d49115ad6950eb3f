"""Means and maxima as libraries do them quickest, forth and back: pooling keeps the order of things in memory.

Where several are the largest, the way back goes to the first. After a rectifier they are either different or 0, where
it lets nothing back.
"""

import torch
from torch import nn

from .precision import at_least_single


def moving_mean(x: torch.Tensor, count: int) -> torch.Tensor:
    """Means of `count` steps in time: [batch, channels, steps, places] -> [..., steps - count + 1, places]."""
    return nn.functional.avg_pool2d(at_least_single(x), (count, 1), 1)


def mean(x: torch.Tensor, axis: int) -> torch.Tensor:
    """[batch, channels, times, places] without axis 2 or 3: the mean over it."""
    return nn.functional.avg_pool2d(x, _all_of(x, axis)).squeeze(axis)


def largest(x: torch.Tensor, axis: int) -> torch.Tensor:
    """[batch, channels, times, places] without axis 2 or 3: the largest along it."""
    return nn.functional.max_pool2d(x, _all_of(x, axis)).squeeze(axis)


def _all_of(x: torch.Tensor, axis: int) -> tuple[int, int]:
    return (x.shape[2], 1) if axis == 2 else (1, x.shape[3])
