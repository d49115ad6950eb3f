"""The layer that the networks are made of."""

from torch import nn


def normalised(convolution: nn.Conv1d | nn.Conv2d, *between: nn.Module) -> nn.Sequential:
    """The convolution, its channels normalised over the batch, what is put between, and a rectifier."""
    normalisation = nn.BatchNorm1d if isinstance(convolution, nn.Conv1d) else nn.BatchNorm2d
    return nn.Sequential(convolution, normalisation(convolution.out_channels), *between, nn.ReLU())
