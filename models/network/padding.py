"""A sound between silences, and what layers make of it: of the silence once, however long it is.

Before its beginning and after its end a sound is extended by silence, so that every position has its field: of ten
seconds the branches hear seventeen. What a stack of layers makes of silence is the same at every position and of
every sound in the batch, so only positions that see something of the sound are computed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

Stack = Callable[[torch.Tensor], tuple[torch.Tensor, ...]]
"""[batch, frames, bands] -> outputs [batch, channels, positions, ...], in prediction each of its own frames only."""


@dataclass(frozen=True)
class PaddedSpectrogram:
    """sound [batch, frames, bands], and how many frames of silence come before and after it."""

    sound: torch.Tensor
    before: int = 0
    after: int = 0

    def materialise(self) -> "PaddedSpectrogram":
        """The same with the silence in the sound."""
        return PaddedSpectrogram(nn.functional.pad(self.sound, (0, 0, self.before, self.after)))

    def crop(self, spare: int) -> "PaddedSpectrogram":
        """Without `spare` frames, half of them at either end."""
        before, after = self.before - spare // 2, self.after - (spare - spare // 2)
        kept = self.sound[:, max(-before, 0) : self.sound.shape[1] - max(-after, 0)]
        return PaddedSpectrogram(kept, max(before, 0), max(after, 0))

    def apply(self, stack: Stack, *, field: int, stride: int) -> tuple[torch.Tensor, ...]:
        """What stack makes of it; its position p sees `field` frames from p * stride on, and no other.

        stride <= field, and no frame is left over after the last position.
        """
        if self.before == self.after == 0:
            return stack(self.sound)
        frames = self.sound.shape[1]
        positions = (self.before + frames + self.after - field) // stride + 1
        end = min(-(-(self.before + frames) // stride), positions)
        first = max((self.before - field) // stride + 1, 0)
        begin = self.before - first * stride
        behind = (end - 1) * stride + field - self.before - frames
        heard = stack(nn.functional.pad(self.sound, (0, 0, begin, behind)))
        nothing = stack(self.sound.new_zeros(1, field, self.sound.shape[2]))
        return tuple(
            _between(silent, first, part, positions - end) for silent, part in zip(nothing, heard, strict=True)
        )


def _between(silent: torch.Tensor, before: int, part: torch.Tensor, after: int) -> torch.Tensor:
    """part with `before` and `after` times what silence gives, [1, channels, 1, ...], around it."""
    layout = torch.channels_last if part.dim() == 4 else torch.contiguous_format  # (that of convolutions)
    ends = [silent.expand(len(part), -1, count, *part.shape[3:]) for count in (before, after)]
    first, last = (end.contiguous(memory_format=layout) for end in ends)
    return torch.cat([first, part, last], 2)
