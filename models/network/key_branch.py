"""Branch for chords and keys: pitch classes over three seconds.

Chords are found in each step, keys in the mean of three seconds; of all twelve transpositions
(pitch_class_branch.py) the largest and the mean activation remain.

Shapes: sound [batch, frames, N_BANDS], frames = field + 8 * (times - 1); output [batch, OUT, times].
"""

from typing import Final

import torch
from torch import nn

from .architectures import KEY_FIELDS
from .layers import CircularConv2d, conv_bn_relu, global_max, global_mean, moving_mean
from .padding import PaddedSpectrogram
from .pitch_class_branch import FIELD, OUT, SEMITONES, STRIDE, PitchClassBranch

_SLOW: Final = 12  # length of the moving mean in which keys are found, in steps of 8 frames


class KeyBranch(PitchClassBranch):
    """Adds keys, in the mean of three seconds, to the chords of its parent."""

    field = KEY_FIELDS["key"]

    def __init__(self, bands_first: nn.Module) -> None:
        super().__init__(bands_first)
        self.keys = nn.Sequential(
            *conv_bn_relu(CircularConv2d(64, 48, SEMITONES)),
            *conv_bn_relu(nn.Conv2d(48, 48, 1, bias=False)),
        )
        self.out = conv_bn_relu(nn.Conv1d(128, OUT, 3, bias=False))

    def forward(self, sound: PaddedSpectrogram) -> torch.Tensor:
        """Outputs of the branch, by position in time."""
        x, chords = sound.apply(self.pitches_and_chords, field=FIELD, stride=STRIDE)
        keys = self.keys(moving_mean(torch.cat([x, chords], 1), _SLOW))
        middle = chords[:, :, _SLOW // 2 : _SLOW // 2 + keys.shape[2]]
        return torch.as_tensor(
            self.out(torch.cat([global_max(keys, 3), global_mean(keys, 3), global_max(middle, 3)], 1))
        )
