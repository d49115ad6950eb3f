"""What needs pitch and some seconds of it: a branch that hears intervals and keys, whatever the key's name is.

The spectrogram's bands are folded to pitch classes (five octaves from 110 Hz, quarter tones, then semitones), and
what is asked of them is asked of all twelve transpositions by convolutions around the circle; the largest and the
mean answer remain. Chords are heard as they come, keys in the mean of three seconds.

Shapes: spectrogram [batch, frames, N_BANDS], frames = FIELD + 8 * (times - 1); output [batch, OUT, times].
"""

from typing import Final

import numpy as np
import torch
from torch import nn

from .bands import band_frequencies
from .vocabulary import BANDS_PER_OCTAVE, N_BANDS

FIELD: Final = 113
"""Frames that one output sees: 3.6 s."""
OUT: Final = 64
_F_LOWEST: Final = 110.0  # a semitone below is narrower than a frame's resolution
_OCTAVES: Final = 5
QUARTER_TONES: Final = _OCTAVES * BANDS_PER_OCTAVE
_SEMITONES: Final = 12
_SLOW: Final = 12  # steps of 8 frames that a key is heard in


def fold_matrix() -> torch.Tensor:
    """Linear interpolation from bands to equal quarter tones [N_BANDS, octaves * 24]."""
    octaves = np.log2(band_frequencies())
    places = np.log2(_F_LOWEST) + np.arange(QUARTER_TONES) / BANDS_PER_OCTAVE
    below = np.searchsorted(octaves, places) - 1
    above_share = (places - octaves[below]) / (octaves[below + 1] - octaves[below])
    matrix = np.zeros((N_BANDS, len(places)), np.float32)
    matrix[below, np.arange(len(places))] = 1 - above_share
    matrix[below + 1, np.arange(len(places))] = above_share
    return torch.from_numpy(matrix)


class TonalBranch(nn.Module):
    """See the module's text."""

    fold: torch.Tensor

    def __init__(self, bands_first: nn.Module) -> None:
        """bands_first: offsets for the eight channels and QUARTER_TONES places of the first convolution."""
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(1, 8, (5, 9), (4, 1), (0, 4), bias=False), nn.BatchNorm2d(8), bands_first, nn.ReLU()
        )
        self.register_buffer("fold", fold_matrix(), persistent=False)
        self.mix = _normalised(_OctavesTogether(8 * _OCTAVES, 32, 1, bias=False), 32)
        self.semitones = _normalised(nn.Conv2d(32, 32, (1, 5), (1, 2), bias=False), 32)
        self.chords = _normalised(nn.Conv2d(32, 32, (1, _SEMITONES), bias=False), 32)
        self.keys = nn.Sequential(
            *_normalised(nn.Conv2d(64, 48, (1, _SEMITONES), bias=False), 48),
            *_normalised(nn.Conv2d(48, 48, 1, bias=False), 48),
        )
        self.out = nn.Sequential(nn.Conv1d(128, OUT, 3, bias=False), nn.BatchNorm1d(OUT), nn.ReLU())

    def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
        x = self.first((spectrogram @ self.fold).unsqueeze(1))  # [batch, 8, frames / 4, octaves * 24]
        x = self.mix(x)  # [batch, 32, frames / 4, 24]
        x = self.semitones(_around(x, 2, 2))  # [batch, 32, frames / 4, 12]
        x = x[:, :, : x.shape[2] // 2 * 2].unflatten(2, (-1, 2)).mean(3)  # a step of 8 frames
        chords = self.chords(_around(x, 0, _SEMITONES - 1))
        keys = self.keys(_around(_moving_mean(torch.cat([x, chords], 1)), 0, _SEMITONES - 1))
        steps = keys.shape[2]
        middle = chords[:, :, _SLOW // 2 : _SLOW // 2 + steps]
        return torch.as_tensor(self.out(torch.cat([keys.amax(3), keys.mean(3), middle.amax(3)], 1)))


class _OctavesTogether(nn.Conv2d):
    """All octaves of each channel as channels of one circle: [batch, 8, times, octaves * 24] -> [..., times, 24].

    A 1 x 1 convolution of channels * octaves, done as one over places an octave apart, so that nothing is copied.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        kernel = self.weight.view(self.out_channels, -1, 1, _OCTAVES)
        return nn.functional.conv2d(input, kernel, self.bias, dilation=(1, BANDS_PER_OCTAVE))


def _normalised(convolution: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.ReLU())


def _around(x: torch.Tensor, before: int, after: int) -> torch.Tensor:
    """Continue the circle of pitch classes, the last axis."""
    ends = [x[..., x.shape[3] - before :]] if before else []  # (F.pad's own way back is slow)
    return torch.cat([*ends, x, x[..., :after]], 3)


def _moving_mean(x: torch.Tensor) -> torch.Tensor:
    """Means of _SLOW steps in time: [batch, channels, steps, 12] -> [..., steps - _SLOW + 1, 12]."""
    sums = nn.functional.pad(x.float(), (0, 0, 1, 0)).cumsum(2)
    return (sums[:, :, _SLOW:] - sums[:, :, :-_SLOW]) / _SLOW
