"""Two small networks that judge, of other architectures than the one that ships, trained from random weights.

Both take the mel spectrogram at 16 kHz (every second frame) and end in a vector from which seven features and eight
emotions are read by two linear layers. `statistics` pools mean, deviation and maximum of convolutions over time;
`recurrent` reads on with a gated recurrent network in both directions (Cho et al. 2014) and takes the mean.
"""

import torch
from torch import nn

from ..common.constants import EMOTIONS, MIDLEVEL
from .mel import MEL_BANDS


def _block(inside: int, outside: int, stride: tuple[int, int]) -> list[nn.Module]:
    return [nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()]


class JudgeNetwork(nn.Module):
    """Mel spectrogram [batch, frames, 96] -> features [batch, 7] and emotions [batch, 8], on the scale 0..1."""

    def __init__(self, kind: str) -> None:
        """kind: "statistics" or "recurrent"."""
        super().__init__()
        self.kind = kind
        width = {"statistics": 72, "recurrent": 40}[kind]
        self.normalise = nn.BatchNorm1d(MEL_BANDS)
        self.front = nn.Sequential(
            *_block(1, 24, (2, 2)), *_block(24, 40, (1, 2)), *_block(40, width // 2, (2, 2)), nn.Dropout2d(0.1)
        )
        places = MEL_BANDS // 8 * (width // 2)
        self.middle = nn.Sequential(
            nn.Conv1d(places, width, 3, padding=1, bias=False), nn.BatchNorm1d(width), nn.ReLU()
        )
        self.recurrent = nn.GRU(width, 32, batch_first=True, bidirectional=True) if kind == "recurrent" else None
        pooled = 64 if self.recurrent is not None else 3 * width
        self.dropout = nn.Dropout(0.3)
        self.midlevel = nn.Linear(pooled, len(MIDLEVEL))
        self.emotions = nn.Linear(pooled, len(EMOTIONS))
        nn.init.constant_(self.midlevel.bias, 0.5)
        nn.init.constant_(self.emotions.bias, 0.4)

    def forward(self, mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features [batch, 7] and emotions [batch, 8] of mel spectrograms [batch, frames, bands]."""
        x = self.normalise(mel.transpose(1, 2)).transpose(1, 2)
        x = self.front(x[:, None])  # [batch, channels, frames / 4, 12]
        x = self.middle(x.permute(0, 1, 3, 2).flatten(1, 2))  # [batch, width, frames / 4]
        if self.recurrent is not None:
            states, _ = self.recurrent(x.transpose(1, 2))
            vector = states.mean(1)
        else:
            vector = torch.cat((x.mean(2), x.std(2), x.amax(2)), 1)
        vector = self.dropout(vector)
        return self.midlevel(vector), self.emotions(vector)
