"""Chords and keys: what needs pitch and three seconds of it.

Chords are heard as they come, keys in the mean of three seconds; of all twelve transpositions (pitch_classes.py) the
largest and the mean answer remain.

Shapes: sound [batch, frames, N_BANDS], frames = field + 8 * (times - 1); output [batch, OUT, times].
"""

from typing import Final

import torch
from torch import nn

from .layers import CircleConvolution, largest, mean, moving_mean, normalised
from .padding import Surrounded
from .pitch_class_branch import OUT, SEMITONES, SIGHT, STRIDE, PitchClasses

_SLOW: Final = 12  # steps of 8 frames that a key is heard in


class TonalBranch(PitchClasses):
    """See the module's text."""

    field = 8 * (_SLOW + 2) + 1

    def __init__(self, bands_first: nn.Module) -> None:
        super().__init__(bands_first)
        self.keys = nn.Sequential(
            *normalised(CircleConvolution(64, 48, SEMITONES)),
            *normalised(nn.Conv2d(48, 48, 1, bias=False)),
        )
        self.out = normalised(nn.Conv1d(128, OUT, 3, bias=False))

    def forward(self, sound: Surrounded) -> torch.Tensor:
        x, chords = sound.through(self.heard, field=SIGHT, stride=STRIDE)
        keys = self.keys(moving_mean(torch.cat([x, chords], 1), _SLOW))
        middle = chords[:, :, _SLOW // 2 : _SLOW // 2 + keys.shape[2]]
        return torch.as_tensor(self.out(torch.cat([largest(keys, 3), mean(keys, 3), largest(middle, 3)], 1)))
