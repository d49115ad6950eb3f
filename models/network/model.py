"""Networks whose prediction is a mean of local outputs: spectrogram -> 7 mid-level features -> 8 emotions.

A stack of convolutions, the trunk, predicts the seven features from a patch of the spectrogram around each position;
the prediction of a sound is the mean over all positions, and the emotions are a linear function of it (Chowdhury et
al. 2019, "A2Mid2E-Joint"). Where the architecture has context, one more column of
positions sees all bands and some seconds at once: the trunk goes on there, beside a branch for keys
(key_branch.py or key_change_branch.py) and one for pulses (rhythm_branch.py). Convolutions in time are not padded
inside of the network: before, the sound is continued at each end by its other end (padding.py). So a long sound can
be cut anywhere and predicted in pieces with the same result.

Shapes: spectrogram [batch, frames, bands]; local outputs [batch, 7, positions in time, columns].
"""

from typing import Final

import torch
from torch import nn

from ..common.constants import EMOTIONS, MIDLEVEL, N_BANDS
from . import rhythm_branch
from .architectures import ARCHITECTURES, KeyMethod
from .key_branch import KeyBranch
from .key_change_branch import KeyChangeBranch
from .layers import ChannelDropout, FrequencyBias, conv_bn_relu, global_max, global_mean, soft_limit
from .padding import PaddedSpectrogram, circle_of
from .pitch_class_branch import OUT as KEYS_OUT
from .pitch_class_branch import QUARTER_TONES, PitchClassBranch
from .receptive_field import CONTEXT_STEPS, ReceptiveField, receptive_field_of, receptive_field_until_pool

_KEY_BRANCHES: Final[dict[KeyMethod, type[PitchClassBranch]]] = {"key": KeyBranch, "key_change": KeyChangeBranch}
_CONTEXT_CHANNELS: Final = 56
_CONTEXT_HIDDEN: Final = 64


class MidlevelNetwork(nn.Module):
    """Fully convolutional; see the module's text.

    architecture: a key of ARCHITECTURES. dropout: of whole channels, before the last local layer, while training.
    """

    def __init__(self, architecture: str = "modulation", *, dropout: float = 0.0) -> None:
        super().__init__()
        self.architecture = architecture
        self.geometry = receptive_field_of(ARCHITECTURES[architecture])
        modules: list[nn.Module] = []
        channels = 1
        bands = N_BANDS
        for kind, kernel, stride, width in ARCHITECTURES[architecture].layers:
            if kind == "pool":
                modules.append(nn.AvgPool2d((stride, stride)))
                bands //= stride
                continue
            padding = kernel // 2  # in frequency only
            bands = (bands + 2 * padding - kernel) // stride + 1
            # A convolution answers to an interval in any register alike; this lets it tell high from low.
            place = [FrequencyBias(width, bands)] if stride > 1 else []
            modules += conv_bn_relu(nn.Conv2d(channels, width, kernel, stride, (0, padding), bias=False), *place)
            channels = width
        self.trunk = nn.Sequential(*modules)
        self.begun = receptive_field_until_pool(ARCHITECTURES[architecture])
        self.dropout = ChannelDropout(dropout)
        self.midlevel = nn.Conv2d(channels, len(MIDLEVEL), 1)
        keys = ARCHITECTURES[architecture].context
        self.context = (
            None if keys is None else ContextBranch(channels, bands, self.geometry, dropout, _KEY_BRANCHES[keys])
        )
        self.emotions = nn.Linear(len(MIDLEVEL), len(EMOTIONS))

    @property
    def device(self) -> torch.device:
        """Where its weights are, and its input has to be."""
        return self.emotions.weight.device

    def branch_outputs(self, extended: torch.Tensor | PaddedSpectrogram) -> list[torch.Tensor]:
        """Extended spectrogram [batch, frames, bands] -> outputs whose means over time and frequency add up.

        Of the trunk [batch, 7, time, frequency], and of the context [batch, 7, time, 1] if there is one. It is
        quicker where the spectrogram says what of it is repeated.
        """
        sound = extended if isinstance(extended, PaddedSpectrogram) else PaddedSpectrogram(extended)
        if self.context is None:
            return [self.midlevel(self.dropout(self._features(sound)))]
        spare = self.geometry.field - self.geometry.patch - 2 * CONTEXT_STEPS * self.geometry.stride
        features = self._features(sound.crop(spare))
        own = features[:, :, CONTEXT_STEPS:-CONTEXT_STEPS]
        return [self.midlevel(self.dropout(own)), self.context(sound, features)]

    def _features(self, sound: PaddedSpectrogram) -> torch.Tensor:
        """Output of the trunk: [batch, channels, time, frequency]."""
        begin, go_on = self.trunk_parts

        def begun(x: torch.Tensor) -> tuple[torch.Tensor]:
            return (begin(x.unsqueeze(1).contiguous(memory_format=torch.channels_last)),)

        (x,) = sound.apply(begun, field=self.begun.patch, stride=self.begun.stride)
        return torch.as_tensor(go_on(x))

    @property
    def trunk_parts(self) -> tuple[nn.Sequential, nn.Sequential]:
        """The trunk until its first pooling, and what follows."""
        pool = next(place for place, part in enumerate(self.trunk) if isinstance(part, nn.AvgPool2d))
        return self.trunk[: pool + 1], self.trunk[pool + 1 :]

    def local(self, extended: torch.Tensor | PaddedSpectrogram) -> torch.Tensor:
        """Extended spectrogram [batch, frames, bands] -> local outputs [batch, 7, time, columns].

        Their mean is the prediction: with context, each column is scaled by what it is outnumbered by.
        """
        maps = self.branch_outputs(extended)
        if len(maps) == 1:
            return maps[0]
        columns = self.geometry.columns
        return torch.cat([part * (columns / part.shape[3]) for part in maps], 3)

    def pad(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """Written out: what all positions of a sound see, its ends continued by each other."""
        return torch.as_tensor(self.around(spectrogram).materialise().sound)

    def around(self, spectrogram: torch.Tensor) -> PaddedSpectrogram:
        """[batch, frames, bands], each end continued by the other one, as far as the positions see."""
        return circle_of(spectrogram, self.geometry)

    def forward(self, spectrogram: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[batch, frames, bands] -> mid-level [batch, 7] and emotions [batch, 8], within 0..1."""
        return self.read(self.pooled(spectrogram))

    def pooled(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """[batch, frames, bands] -> the mean of the local outputs [batch, 7]."""
        parts = [part.mean((2, 3)) for part in self.branch_outputs(self.around(spectrogram))]
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]

    def read(self, pooled: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Means of local outputs [batch, 7] -> mid-level [batch, 7] and emotions [batch, 8], within 0..1."""
        midlevel = soft_limit(pooled.float())
        return midlevel, soft_limit(self.emotions(midlevel))


class ContextBranch(nn.Module):
    """The column that sees all bands and the whole field: [batch, 7, time, 1]."""

    def __init__(
        self, channels: int, bands: int, geometry: ReceptiveField, dropout: float, keys: type[PitchClassBranch]
    ) -> None:
        """Channels and bands are those of the trunk's features; keys: the branch for keys."""
        super().__init__()
        self.geometry = geometry
        width = _CONTEXT_CHANNELS
        self.further = nn.Sequential(
            nn.AvgPool2d((1, 2)),
            *conv_bn_relu(
                nn.Conv2d(channels, width, 3, 1, (0, 1), (2, 1), bias=False), FrequencyBias(width, bands // 2)
            ),
            *conv_bn_relu(nn.Conv2d(width, width, 3, 1, (0, 1), (2, 1), bias=False)),
        )
        self.tonal = keys(FrequencyBias(8, QUARTER_TONES))
        self.rhythm = rhythm_branch.RhythmBranch(FrequencyBias(8, (N_BANDS + 3) // 4))
        self.dropout = ChannelDropout(dropout)
        inputs = 2 * width + KEYS_OUT + rhythm_branch.OUT
        self.hidden = conv_bn_relu(nn.Conv1d(inputs, _CONTEXT_HIDDEN, 1, bias=False))
        self.midlevel = nn.Conv1d(_CONTEXT_HIDDEN, len(MIDLEVEL), 1)

    def forward(self, sound: PaddedSpectrogram, features: torch.Tensor) -> torch.Tensor:
        """sound: extended spectrogram [batch, frames, bands]; features: what the trunk makes of it."""
        further = self.further(features)
        parts = [global_mean(further, 3), global_max(further, 3)]
        for branch in (self.tonal, self.rhythm):
            parts.append(branch(sound.crop(self.geometry.field - branch.field)))
        return torch.as_tensor(self.midlevel(self.hidden(self.dropout(torch.cat(parts, 1))))).unsqueeze(3)
