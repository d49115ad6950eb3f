"""From a spectrogram to the twelve pitch classes and the chords among them, equivariant to transposition.

The spectrogram's bands are folded to pitch classes (five octaves from 110 Hz, quarter tones, then semitones);
convolutions around their circle treat all twelve transpositions alike.
"""

from typing import Final

import torch
from torch import nn

from ..common.constants import BANDS_PER_OCTAVE
from ..signal.pitch_classes import FIELD, OCTAVES, QUARTER_TONES, STRIDE, octave_fold
from .layers import CircularConv2d, circular_pad, conv_bn_relu

__all__ = ["FIELD", "OUT", "QUARTER_TONES", "SEMITONES", "STRIDE", "PitchClassBranch"]

OUT: Final = 64
"""Output channels of a branch for keys."""
SEMITONES: Final = 12


class PitchClassBranch(nn.Module):
    """The layers that branches for keys share.

    A branch sees `field` frames for each of its outputs [batch, OUT, times].
    """

    fold: torch.Tensor
    field: int

    def __init__(self, bands_first: nn.Module) -> None:
        """bands_first: offsets for the eight channels and QUARTER_TONES places of the first convolution."""
        super().__init__()
        self.first = conv_bn_relu(nn.Conv2d(1, 8, (5, 9), (4, 1), (0, 4), bias=False), bands_first)
        fold = torch.from_numpy(octave_fold())
        used = fold.any(1).nonzero()
        self.bands = slice(int(used[0]), int(used[-1]) + 1)
        self.register_buffer("fold", fold[self.bands], persistent=False)
        self.mix = conv_bn_relu(_OctavesTogether(8 * OCTAVES, 32, 1, bias=False))
        self.semitones = conv_bn_relu(nn.Conv2d(32, 32, (1, 5), (1, 2), bias=False))
        self.chords = conv_bn_relu(CircularConv2d(32, 32, SEMITONES))

    def pitches_and_chords(self, spectrogram: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[batch, frames, N_BANDS] -> pitch classes and chords, each [batch, 32, steps, 12].

        A step sees FIELD frames and is STRIDE frames after the one before.
        """
        x = self.first((spectrogram[..., self.bands] @ self.fold).unsqueeze(1))  # [..., octaves * 24]
        x = self.mix(x)  # [batch, 32, frames / 4, 24]
        x = self.semitones(circular_pad(x, 2, 2))  # [batch, 32, frames / 4, 12]
        even = x.shape[2] // 2 * 2
        x = (x[:, :, 0:even:2] + x[:, :, 1:even:2]) * 0.5  # a step of 8 frames
        return x, self.chords(x)


class _OctavesTogether(nn.Conv2d):
    """All octaves of each channel as channels of one circle: [batch, 8, times, octaves * 24] -> [..., times, 24].

    A 1 x 1 convolution of channels * octaves, done as one over places an octave apart, so that nothing is copied.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        kernel = self.weight.view(self.out_channels, -1, 1, OCTAVES)
        return nn.functional.conv2d(input, kernel, self.bias, dilation=(1, BANDS_PER_OCTAVE))
