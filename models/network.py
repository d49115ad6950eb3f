"""Networks whose prediction is a mean of local outputs: spectrogram -> 7 mid-level features -> 8 emotions.

A stack of convolutions sees a patch of the spectrogram around each position and says the seven features of what it
sees there; the prediction of a sound is the mean over all positions, and the emotions are a linear function of it
(Chowdhury et al. 2019, "A2Mid2E-Joint"). Convolutions in time are not padded inside of the network: the sound is
extended by silence once, before. So a long sound can be cut anywhere and predicted in pieces with the same result.

Shapes: spectrogram [batch, frames, bands]; local outputs [batch, 7, positions in time, positions in frequency].
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import nn

from .vocabulary import EMOTIONS, MIDLEVEL, N_BANDS

Layer = tuple[str, int, int, int]
"""("conv", kernel, stride, channels) or ("pool", size, size, 0)."""

ARCHITECTURES: Final[dict[str, tuple[Layer, ...]]] = {
    # 53 x 53 pixels are seen by each local output, one position every 8 frames
    "small": (
        ("conv", 5, 2, 16),
        ("conv", 3, 2, 32),
        ("conv", 3, 1, 48),
        ("pool", 2, 2, 0),
        ("conv", 3, 1, 64),
        ("conv", 3, 1, 64),
    ),
    # the network of Chowdhury et al. (2019)
    "vgg": (
        ("conv", 5, 2, 64),
        ("conv", 3, 1, 64),
        ("pool", 2, 2, 0),
        ("conv", 3, 1, 128),
        ("conv", 3, 1, 128),
        ("pool", 2, 2, 0),
        ("conv", 3, 1, 256),
        ("conv", 3, 1, 256),
        ("conv", 3, 1, 384),
        ("conv", 3, 1, 512),
        ("conv", 1, 1, 256),
    ),
}


@dataclass(frozen=True)
class Geometry:
    """What a local output sees: position p sees `field` frames from p * stride - left on, likewise in bands."""

    field: int
    stride: int
    left_bands: int
    positions_bands: int

    @property
    def left(self) -> int:
        return (self.field - self.stride) // 2

    def positions(self, frames: int) -> int:
        """Positions in time of a sound of that many frames."""
        return -(-frames // self.stride)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Frames [begin, end) that the positions first..last-1 see; may reach outside of the sound."""
        begin = first * self.stride - self.left
        return begin, begin + (last - first - 1) * self.stride + self.field


def geometry_of(layers: tuple[Layer, ...]) -> Geometry:
    field = stride = 1
    left = 0
    bands = N_BANDS
    for kind, kernel, step, _ in layers:
        padding = kernel // 2 if kind == "conv" else 0  # in frequency only
        left += padding * stride
        bands = (bands + 2 * padding - kernel) // step + 1
        field += (kernel - 1) * stride
        stride *= step
    return Geometry(field=field, stride=stride, left_bands=left, positions_bands=bands)


class MidlevelNetwork(nn.Module):
    """Fully convolutional; see the module's text.

    architecture: a key of ARCHITECTURES. dropout: of whole channels, before the last local layer, while training.
    """

    def __init__(self, architecture: str = "small", *, dropout: float = 0.0) -> None:
        super().__init__()
        self.architecture = architecture
        layers = ARCHITECTURES[architecture]
        self.geometry = geometry_of(layers)
        modules: list[nn.Module] = []
        channels = 1
        bands = N_BANDS
        for kind, kernel, stride, width in layers:
            if kind == "pool":
                modules.append(nn.AvgPool2d((stride, stride)))
                bands //= stride
                continue
            padding = kernel // 2  # in frequency only
            modules.append(nn.Conv2d(channels, width, kernel, stride, (0, padding), bias=False))
            modules.append(nn.BatchNorm2d(width))
            bands = (bands + 2 * padding - kernel) // stride + 1
            if stride > 1:
                # A convolution hears a fifth anywhere alike; this lets it know high from low.
                modules.append(BandBias(width, bands))
            modules.append(nn.ReLU())
            channels = width
        self.trunk = nn.Sequential(*modules)
        self.channels = channels
        self.dropout = nn.Dropout2d(dropout)
        self.midlevel = nn.Conv2d(channels, len(MIDLEVEL), 1)
        self.emotions = nn.Linear(len(MIDLEVEL), len(EMOTIONS))

    def features(self, padded: torch.Tensor) -> torch.Tensor:
        """Extended spectrogram [batch, frames, bands] -> [batch, channels, time, frequency]."""
        x = padded.unsqueeze(1).contiguous(memory_format=torch.channels_last)
        return torch.as_tensor(self.trunk(x))

    def local(self, padded: torch.Tensor) -> torch.Tensor:
        """Extended spectrogram [batch, frames, bands] -> local outputs [batch, 7, time, frequency]."""
        return torch.as_tensor(self.midlevel(self.features(padded)))

    def extend(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """Add the silence before and after that makes one position of every `stride` frames begun."""
        frames = spectrogram.shape[-2]
        begin, end = self.geometry.span(0, self.geometry.positions(frames))
        return nn.functional.pad(spectrogram, (0, 0, -begin, end - frames))

    def forward(self, spectrogram: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[batch, frames, bands] -> mid-level [batch, 7] and emotions [batch, 8], on the scale 0..1."""
        features = self.dropout(self.features(self.extend(spectrogram)))
        midlevel = self.midlevel(features).mean((2, 3))
        return midlevel, self.emotions(midlevel)


class BandBias(nn.Module):
    """A learned offset for every channel and position in frequency."""

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, bands))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.bias


def fuse_normalisation(network: MidlevelNetwork) -> None:
    """Fold each batch normalisation into the convolution before it, in place: the same numbers, less work.

    Afterwards the network can only predict: it adds and rectifies where the numbers are.
    """
    network.eval()
    modules = list(network.trunk)
    fused: list[nn.Module] = []
    for module in modules:
        if isinstance(module, nn.BatchNorm2d):
            convolution = fused.pop()
            assert isinstance(convolution, nn.Conv2d)
            fused.append(nn.utils.fusion.fuse_conv_bn_eval(convolution, module))
        elif isinstance(module, BandBias):
            fused.append(_BandBiasInPlace(module))
        elif isinstance(module, nn.ReLU):
            fused.append(nn.ReLU(inplace=True))
        else:
            fused.append(module)
    network.trunk = nn.Sequential(*fused)
    network.to(memory_format=torch.channels_last)


class _BandBiasInPlace(nn.Module):
    """The same for prediction, with the offsets in the order in which the channels lie in memory."""

    bias: torch.Tensor

    def __init__(self, learned: BandBias) -> None:
        super().__init__()
        bias = learned.bias.detach().unsqueeze(0).contiguous(memory_format=torch.channels_last)
        self.register_buffer("bias", bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.add_(self.bias)
