"""Circular convolution in the Fourier basis, for inference: the same result with a sixth of the multiplications.

Circular correlation is block diagonal in the real Fourier basis (Davis, Circulant Matrices, 1979, section 3.2). For
twelve pitch classes the basis has six pairs of vectors: the mean with the alternating one, and cosine and sine of one
to five cycles. Each pair of the output is the same pair of the input times a matrix over the channels.
"""

import math

import torch
from torch import nn

from ..network.layers import CircularConv2d


class FourierCircularConv2d(nn.Module):
    """A fast replacement of a trained circular convolution. Not trainable.

    Parameters
    ----------
    convolution
        The trained layer; its circle has an even number of positions.

    Shape
    -----
    Input [batch, channels in, times, positions], output [batch, channels out, times, positions].
    """

    basis: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, convolution: CircularConv2d) -> None:
        super().__init__()
        weight = convolution.weight.detach()[:, :, 0]
        channels_out, channels, positions = weight.shape
        basis = _fourier_basis(positions)
        steps = torch.arange(positions)
        # The layer as a matrix: [channels out, channels in, position out, position in].
        matrix = weight.double()[:, :, (steps - steps[:, None]) % positions]
        pairs = basis.view(-1, 2, positions)
        blocks = torch.einsum("pas,ocst,pbt->pbcao", pairs, matrix, pairs)
        offsets = torch.zeros(positions // 2, 1, 2, channels_out, dtype=torch.float64)
        if convolution.bias is not None:
            offsets[0, :, 0] = convolution.bias.detach() * math.sqrt(positions)
        self.register_buffer("basis", basis.to(weight.dtype))
        self.register_buffer("weight", blocks.reshape(-1, 2 * channels, 2 * channels_out).to(weight.dtype))
        self.register_buffer("bias", offsets.flatten(2).to(weight.dtype))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, channels, times, positions] to the same, each position seeing all the others."""
        batch, channels, times, positions = x.shape
        rows = batch * times
        circles = x.permute(0, 2, 3, 1).reshape(rows, positions, channels)
        coefficients = torch.bmm(self.basis.expand(rows, -1, -1), circles).view(rows, positions // 2, 2 * channels)
        products = torch.baddbmm(self.bias, coefficients.transpose(0, 1), self.weight).transpose(0, 1)
        output = torch.bmm(self.basis.T.expand(rows, -1, -1), products.reshape(rows, positions, -1))
        return output.view(batch, times, positions, -1).permute(0, 3, 1, 2)


def _fourier_basis(n: int) -> torch.Tensor:
    """The orthonormal real Fourier basis, float64 [n, n] for an even n; consecutive rows are a pair."""
    angles = torch.arange(n, dtype=torch.float64) * (2 * math.pi / n)
    mean, alternating = torch.ones(n, dtype=torch.float64), torch.cos(n // 2 * angles)
    rows = [mean / math.sqrt(n), alternating / math.sqrt(n)]
    for cycles in range(1, n // 2):
        rows += [torch.cos(cycles * angles) * math.sqrt(2 / n), torch.sin(cycles * angles) * math.sqrt(2 / n)]
    return torch.stack(rows)
