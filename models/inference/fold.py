"""A trained network made quicker for prediction: each normalisation folded into the convolution before it, and parts
that do the same with less work (wayback.py, circle.py) put in the place of those that learn.
"""

import torch
from torch import nn

from ..network.layers import CircularConv2d, FrequencyBias
from .circulant_conv import FourierCircularConv2d
from .fast_backward import InplaceReLU, InputConv2d


def optimise_for_inference(network: nn.Module) -> None:
    """Fold each batch normalisation into the convolution before it, in place: the same numbers, less work.

    Afterwards the network can only predict: it adds and rectifies where the numbers are.
    """
    network.eval()
    _fuse(network)
    network.to(memory_format=torch.channels_last)


def _fuse(module: nn.Module) -> None:
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
        setattr(module, name, nn.Sequential(*map(_quicker, fused)))


def _quicker(part: nn.Module) -> nn.Module:
    """What does the same in prediction with less work, if there is something."""
    match part:
        case FrequencyBias():
            return _BandBiasInPlace(part)
        case nn.ReLU():
            return InplaceReLU()
        case CircularConv2d():
            return FourierCircularConv2d(part)
        case nn.Conv2d(in_channels=1):
            return InputConv2d(part)
    return part


class _BandBiasInPlace(nn.Module):
    """The same for prediction, with the offsets in the order in which the channels lie in memory."""

    bias: torch.Tensor

    def __init__(self, learned: FrequencyBias) -> None:
        super().__init__()
        bias = learned.bias.detach().unsqueeze(0).contiguous(memory_format=torch.channels_last)
        self.register_buffer("bias", bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.add_(self.bias)
