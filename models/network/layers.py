"""The layers that the networks are made of."""

import torch
from torch import nn


def normalised(convolution: nn.Conv1d | nn.Conv2d, *between: nn.Module) -> nn.Sequential:
    """The convolution, its channels normalised over the batch, what is put between, and a rectifier."""
    normalisation = nn.BatchNorm1d if isinstance(convolution, nn.Conv1d) else nn.BatchNorm2d
    return nn.Sequential(convolution, normalisation(convolution.out_channels), *between, nn.ReLU())


class BandBias(nn.Module):
    """A learned offset for every channel and position in frequency."""

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, bands))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.bias
