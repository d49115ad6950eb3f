"""Optimisation of a trained network for inference: batch norm folding, and faster layers with the same result.

The faster layers are in `fast_backward.py` and `circulant_conv.py`.
"""

import torch
from torch import nn

from ..network.layers import CircularConv2d, FrequencyBias
from .circulant_conv import FourierCircularConv2d
from .fast_backward import InplaceReLU, InputConv2d


def optimise_for_inference(network: nn.Module) -> None:
    """Fold batch normalisation into the convolutions, and replace layers by faster ones, in place.

    Results are the same but for rounding. Afterwards the network cannot be trained: some layers work in place.
    """
    network.eval()
    _fuse(network)
    network.to(memory_format=torch.channels_last)


def _fuse(module: nn.Module) -> None:
    """Optimise the sequences of layers in a module and its children."""
    for name, child in module.named_children():
        if not isinstance(child, nn.Sequential):
            _fuse(child)
            continue
        fused: list[nn.Module] = []
        for part in child:
            if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
                convolution = fused.pop()
                assert isinstance(convolution, nn.Conv1d | nn.Conv2d)
                fused.append(nn.utils.fusion.fuse_conv_bn_eval(convolution, part))
            else:
                fused.append(part)
        setattr(module, name, nn.Sequential(*map(_fast_layer, fused)))


def _fast_layer(part: nn.Module) -> nn.Module:
    """The faster replacement of a layer, or the layer itself."""
    match part:
        case FrequencyBias():
            return InplaceFrequencyBias(part)
        case nn.ReLU():
            return InplaceReLU()
        case CircularConv2d():
            return FourierCircularConv2d(part)
        case nn.Conv2d(in_channels=1):
            return InputConv2d(part)
    return part


class InplaceFrequencyBias(nn.Module):
    """FrequencyBias in place, with the biases in channels-last layout."""

    bias: torch.Tensor

    def __init__(self, trained: FrequencyBias) -> None:
        super().__init__()
        bias = trained.bias.detach().unsqueeze(0).contiguous(memory_format=torch.channels_last)
        self.register_buffer("bias", bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the offsets to x, in x."""
        return x.add_(self.bias)
