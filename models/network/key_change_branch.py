"""Branch for keys and key changes: pitch classes over three and seven seconds.

Keys are found in the mean of three seconds and in that of seven: a key that stays fits the longer mean as well as the
shorter ones in it, one that is left does not. Otherwise like key_branch.py.

Shapes: sound [batch, frames, N_BANDS], frames = field + 8 * (times - 1); output [batch, OUT, times].
"""

from typing import Final

import torch
from torch import nn

from .architectures import KEY_FIELDS
from .layers import CircularConv2d, conv_bn_relu, global_max, global_mean, moving_mean
from .padding import PaddedSpectrogram
from .pitch_class_branch import FIELD, OUT, SEMITONES, STRIDE, PitchClassBranch

SHORT: Final = 12
LONG: Final = 28
"""Steps of 8 frames whose mean keys are found in."""
BOTH: Final = 4
"""Steps that both are made of."""


class KeyChangeBranch(PitchClassBranch):
    """See the module's text."""

    field = KEY_FIELDS["key_change"]

    def __init__(self, bands_first: nn.Module) -> None:
        super().__init__(bands_first)
        # (a template's fit to a mean is the mean of its fits: one for both lengths)
        self.keys = nn.Sequential(CircularConv2d(64, 48, SEMITONES), nn.BatchNorm2d(48))
        self.short = conv_bn_relu(nn.Conv2d(48, 48, 1, bias=False))
        self.long = conv_bn_relu(nn.Conv2d(48, 48, 1, bias=False))
        self.out = conv_bn_relu(nn.Conv1d(32 + 4 * 48, OUT, 1, bias=False))

    def chords_and_keys(self, spectrogram: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of each step: [batch, 32, steps, 12] and how each key fits it [batch, 48, steps, 12]."""
        x, chords = self.pitches_and_chords(spectrogram)
        return chords, self.keys(torch.cat([x, chords], 1))

    def forward(self, sound: PaddedSpectrogram) -> torch.Tensor:
        """Outputs of the branch, by position in time."""
        chords, keys = sound.apply(self.chords_and_keys, field=FIELD, stride=STRIDE)
        fours = moving_mean(keys, BOTH)
        short, long = (moving_mean(fours, steps // BOTH, apart=BOTH) for steps in (SHORT, LONG))
        short, long = self.short(torch.relu(short)), self.long(torch.relu(long))
        aside = (LONG - SHORT) // 2
        parts = [
            global_max(long, 3),
            global_mean(long, 3),
            nn.functional.avg_pool1d(global_max(short, 3), LONG - SHORT + 1, 1),
            global_mean(short, 3)[:, :, aside : aside + long.shape[2]],
            nn.functional.avg_pool1d(global_max(chords, 3), LONG, 1),
        ]
        return torch.as_tensor(self.out(torch.cat(parts, 1)))
