"""What is asked of all twelve transpositions, for prediction: the same numbers, a sixth of the multiplications.

A correlation around a circle is diagonal in Fourier's basis. Of twelve places that basis has six pairs: the mean with
the alternation, and the cosine and sine of one to five turns; what each pair of the output is of that of the input is
a matrix over the channels (Davis, Circulant Matrices, 1979, 3.2).
"""

import math

import torch
from torch import nn

from ..network.layers import CircularConv2d


class FourierCircularConv2d(nn.Module):
    """What `convolution` does, pair by pair."""

    basis: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, convolution: CircularConv2d) -> None:
        super().__init__()
        weight = convolution.weight.detach()[:, :, 0]
        channels_out, channels, places = weight.shape
        basis = _basis(places)
        steps = torch.arange(places)
        whole = weight.double()[:, :, (steps - steps[:, None]) % places]  # [out, in, place of out, place of in]
        pairs = basis.view(-1, 2, places)
        each = torch.einsum("pas,ocst,pbt->pbcao", pairs, whole, pairs)
        offsets = torch.zeros(places // 2, 1, 2, channels_out, dtype=torch.float64)
        if convolution.bias is not None:
            offsets[0, :, 0] = convolution.bias.detach() * math.sqrt(places)
        self.register_buffer("basis", basis.to(weight.dtype))
        self.register_buffer("weight", each.reshape(-1, 2 * channels, 2 * channels_out).to(weight.dtype))
        self.register_buffer("bias", offsets.flatten(2).to(weight.dtype))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, times, places = x.shape
        rows = batch * times
        circles = x.permute(0, 2, 3, 1).reshape(rows, places, channels)
        turned = torch.bmm(self.basis.expand(rows, -1, -1), circles).view(rows, places // 2, 2 * channels)
        said = torch.baddbmm(self.bias, turned.transpose(0, 1), self.weight).transpose(0, 1)
        back = torch.bmm(self.basis.T.expand(rows, -1, -1), said.reshape(rows, places, -1))
        return back.view(batch, times, places, -1).permute(0, 3, 1, 2)


def _basis(places: int) -> torch.Tensor:
    """Orthonormal, float64 [places, places], an even number: two rows after each other are a pair."""
    turns = torch.arange(places, dtype=torch.float64) * (2 * math.pi / places)
    mean, alternating = torch.ones(places, dtype=torch.float64), torch.cos(places // 2 * turns)
    rows = [mean / math.sqrt(places), alternating / math.sqrt(places)]
    for count in range(1, places // 2):
        rows += [torch.cos(count * turns) * math.sqrt(2 / places), torch.sin(count * turns) * math.sqrt(2 / places)]
    return torch.stack(rows)
