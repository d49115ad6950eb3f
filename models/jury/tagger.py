"""Two networks of somebody else's that tag music, as a source of embeddings: musicnn's `MTT_musicnn` and `MTT_vgg`.

Pons & Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging" (2019), trained on
MagnaTagATune; the checkpoints of the Python package musicnn 0.1.0 (ISC licence, see weights/NOTICE.md), converted
to float16 once. The embedding of a sound is the mean over its windows of three seconds: of musicnn
the mean pool of its 753 channels, of the VGG network the mean of each of the 128 channels after its second to fifth
pooling.

Neither takes part in what ships: MSD_musicnn, of the same architecture but with other weights from other music (the
Million Song Dataset), teaches the network that ships, and with MSD_vgg the taught listener of the solver.
"""

from collections.abc import Mapping
from typing import Final

import torch
from torch import nn
from torch.nn import functional

from .mel import LogMel

WINDOW_FRAMES: Final = 187
"""Three seconds, the length that both networks were trained on."""
_EPSILON: Final = 1e-3
_TEMPORAL: Final = ((2, 128), (3, 64), (4, 32))
"""Convolutions of musicnn's front end that span time, by number, with their length in frames."""

Tensors = Mapping[str, torch.Tensor]


class _Layers:
    """The operations of TensorFlow's graph, by the names that its variables have in the checkpoint."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = {name: tensor.float() for name, tensor in tensors.items()}

    def normalise(self, x: torch.Tensor, number: int) -> torch.Tensor:
        """Batch normalisation `number` of the channels (axis 1)."""
        name = "batch_normalization" + (f"_{number}" if number else "")
        shape = [1, -1] + [1] * (x.dim() - 2)
        mean, variance, gamma, beta = (
            self._tensors[f"{name}/{part}"].reshape(shape)
            for part in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        return (x - mean) / torch.sqrt(variance + _EPSILON) * gamma + beta

    def convolve(self, x: torch.Tensor, name: str, padding: int = 0) -> torch.Tensor:
        kernel = self._tensors[f"{name}/kernel"].permute(3, 2, 0, 1)
        return torch.relu(functional.conv2d(x, kernel, self._tensors[f"{name}/bias"], padding=padding))


class Vgg(_Layers):
    """[windows, 187, 96] -> embeddings [windows, 512]."""

    def __call__(self, windows: torch.Tensor) -> torch.Tensor:
        """Embeddings of mel spectrograms of windows [windows, frames, bands]."""
        x = self.normalise(windows[:, None], 0)
        means = []
        for number in range(1, 6):
            x = self.normalise(self.convolve(x, f"{number}CNN", padding=1), number)
            size, stride = (((4, 1), 2), ((2, 2), 2), ((2, 2), 2), ((2, 2), 2), ((4, 4), 4))[number - 1]
            x = functional.max_pool2d(x, size, stride)
            means.append(x.mean((2, 3)))
        return torch.cat(means[1:], 1)


class Musicnn(_Layers):
    """[windows, 187, 96] -> embeddings [windows, 753]."""

    def __call__(self, windows: torch.Tensor) -> torch.Tensor:
        """Embeddings of mel spectrograms of windows [windows, frames, bands]."""
        x = self.normalise(windows[:, None], 0)
        timbre = functional.pad(x, (0, 0, 3, 3))  # 7 frames long, without a change of length
        parts = [self._front(timbre, number) for number in (0, 1)]
        for number, length in _TEMPORAL:
            before = (length - 1) // 2
            parts.append(self._front(functional.pad(x, (0, 0, before, length - 1 - before)), number))
        front = torch.cat(parts, 1)  # [windows, 561, frames]
        first = self._middle(front, 5)
        second = self._middle(first, 6) + first
        third = self._middle(second, 7) + second
        return torch.cat((front, first, second, third), 1).mean(2)

    def _front(self, x: torch.Tensor, number: int) -> torch.Tensor:
        name = "conv2d" + (f"_{number}" if number else "")
        return self.normalise(self.convolve(x, name), number + 1).amax(3)

    def _middle(self, x: torch.Tensor, number: int) -> torch.Tensor:
        kernel = self._tensors[f"conv2d_{number}/kernel"][:, :, 0].permute(2, 1, 0)
        y = functional.conv1d(functional.pad(x, (3, 3)), kernel, self._tensors[f"conv2d_{number}/bias"])
        return self.normalise(torch.relu(y), number + 1)


class Tagger(nn.Module):
    """Sound [samples] at 16 kHz -> embedding [512] (kind "vgg") or [753] (kind "musicnn")."""

    def __init__(self, kind: str, tensors: Tensors) -> None:
        super().__init__()
        self._mel = LogMel()
        self._network: Vgg | Musicnn = Vgg(tensors) if kind == "vgg" else Musicnn(tensors)

    @torch.inference_mode()
    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        """Mean embedding over the windows of a sound at 16 kHz [samples]."""
        mel = self._mel(sound)
        if len(mel) < WINDOW_FRAMES:  # a short sound is repeated, as in training
            mel = mel[torch.arange(WINDOW_FRAMES) % len(mel)]
        windows = mel.unfold(0, WINDOW_FRAMES, WINDOW_FRAMES).transpose(1, 2)
        return torch.cat([self._network(part) for part in windows.split(8)]).mean(0)
