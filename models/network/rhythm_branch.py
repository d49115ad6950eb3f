"""Branch for rhythm: autocorrelation of twelve learned envelopes, and convolutions along time.

Twelve learned envelopes are compared with themselves up to 1.5 s earlier over 3.6 s (autocorrelation, the measure of
pulse clarity of Lartillot et al., ISMIR 2008), beside convolutions along time.

Shapes: sound [batch, frames, N_BANDS], frames = field + 8 * (times - 1); output [batch, OUT, times].
"""

from itertools import pairwise
from typing import Final

import torch
from torch import nn

from ..common.constants import N_BANDS
from .architectures import RHYTHM_FIELD
from .layers import at_least_float32, conv_bn_relu, global_max, global_mean
from .padding import PaddedSpectrogram

OUT: Final = 48
STRIDE: Final = 8
WINDOW: Final = 112
_LAGS: Final = (6, 49)
FFT_LENGTH: Final = 160
"""The window and the largest lag without wrapping."""
GROUPS: Final = 4
ENERGY_FLOOR: Final = 1e-3
"""Keeps silence from dividing by zero."""
_BANDS: Final = (N_BANDS - 1) // 4 + 1
_CHANNELS: Final = 8


class RhythmBranch(nn.Module):
    """See the module's text."""

    field = RHYTHM_FIELD
    """Frames that one output sees."""
    groups: torch.Tensor
    unbiased: torch.Tensor
    cosines: torch.Tensor

    def __init__(self, bands_first: nn.Module) -> None:
        """bands_first: offsets for the eight channels and a quarter of the bands of the first convolution."""
        super().__init__()
        self.first = conv_bn_relu(nn.Conv2d(1, _CHANNELS, (3, 9), (1, 4), (0, 4), bias=False), bands_first)
        edges = [group * _BANDS // GROUPS for group in range(GROUPS + 1)]
        groups = torch.zeros(_BANDS, _CHANNELS, _CHANNELS, GROUPS)
        for group, (low, high) in enumerate(pairwise(edges)):
            groups[low:high, :, :, group] = torch.eye(_CHANNELS) / (high - low)
        # (the channels beside the bands, as they lie in memory, so that nothing is copied)
        self.register_buffer("groups", groups.view(_BANDS * _CHANNELS, -1), persistent=False)
        lags = torch.arange(*_LAGS, dtype=torch.float32)
        self.register_buffer("unbiased", WINDOW / (WINDOW - lags), persistent=False)
        self.register_buffer("cosines", _cosines(), persistent=False)
        wide = _CHANNELS * GROUPS
        self.envelopes = nn.Sequential(nn.Conv1d(wide, 12, 1, bias=False), nn.BatchNorm1d(12))
        self.lags = conv_bn_relu(nn.Conv2d(12, 24, (5, 1), padding=(2, 0), bias=False))
        steps = ((wide, 32, 2), (32, 32, 2), (32, 48, 2), (48, 48, 1), (48, 48, 1))
        self.along = nn.Sequential(
            *(
                layer
                for before, after, stride in steps
                for layer in conv_bn_relu(nn.Conv1d(before, after, 5, stride, bias=False))
            )
        )
        inputs = 2 * 24 + len(lags) + 48 + 12
        self.out = conv_bn_relu(nn.Conv1d(inputs, OUT, 1, bias=False))

    def in_groups(self, spectrogram: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[batch, frames, N_BANDS] -> groups of bands [batch, 32, frames - 2], envelopes [batch, 12, frames - 2]."""
        x = self.first(spectrogram.unsqueeze(1))  # [batch, 8, frames, bands]
        x = (x.permute(0, 2, 3, 1).flatten(2) @ self.groups).transpose(1, 2)
        return x, self.envelopes(x)

    def forward(self, sound: PaddedSpectrogram) -> torch.Tensor:
        """Outputs of the branch, by position in time."""
        x, envelopes = sound.apply(self.in_groups, field=3, stride=1)
        like, energy = self._alike(at_least_float32(envelopes))
        lags = self.lags(like)
        along = self.along(x)
        times = like.shape[3]
        begin = (along.shape[2] - times) // 2
        along = along[:, :, begin : begin + times]
        parts = [global_max(lags, 2), global_mean(lags, 2), like.mean(1), along, torch.log(energy + ENERGY_FLOOR)]
        return torch.as_tensor(self.out(torch.cat(parts, 1)))

    def _alike(self, envelopes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Autocorrelation of [batch, 12, frames]: [batch, 12, lags, times], and the energy [batch, 12, times]."""
        windows = envelopes.unfold(2, WINDOW, STRIDE)
        windows = windows - windows.mean(3, keepdim=True)
        spectrum = torch.fft.rfft(windows, n=FFT_LENGTH)
        with torch.autocast(envelopes.device.type, enabled=False):
            products = (spectrum.real**2 + spectrum.imag**2) @ self.cosines
        energy = products[..., 0] / WINDOW
        like = products[..., 1:] * self.unbiased / (products[..., :1] + ENERGY_FLOOR * WINDOW)
        return like.transpose(2, 3), energy


def _cosines() -> torch.Tensor:
    """From a power spectrum to the lag 0 and those of _LAGS, a quarter of what the inverse transform gives."""
    cycles = torch.arange(FFT_LENGTH // 2 + 1, dtype=torch.float64)[:, None] * torch.tensor([0, *range(*_LAGS)])
    twice = torch.full((FFT_LENGTH // 2 + 1, 1), 2 / FFT_LENGTH, dtype=torch.float64)
    twice[[0, -1]] /= 2
    return (twice * torch.cos(cycles * (2 * torch.pi / FFT_LENGTH))).float()
