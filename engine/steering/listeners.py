"""Models whose predictions the solver moves: the default network, and a linear model of broad spectral statistics.

A network follows patterns that no listener hears; a target that is reached at it alone is hardly there for anybody
else. The broad listener knows only the level, its changes over time, the onsets and the peakedness of each part of
the spectrum, and is linear in that: what moves both moves other judges too (docs/steering.md has the measurements).
"""

import importlib.resources
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ...models.common.arrays import FloatArray
from ...models.common.constants import EMOTIONS, MIDLEVEL, N_BANDS
from ...models.common.errors import InputError
from ...models.inference.checkpoint import Model, load_model
from ...models.inference.reverse.network import ReversePass
from ...models.network.padding import filling

OUTPUTS: Final = (*MIDLEVEL, *EMOTIONS)
"""What a listener says of a spectrogram, in this order."""
_REGIONS: Final = 15
_CONTRAST_REGIONS: Final = 9
_CONTRAST_BANDS: Final = 15
_FURTHEST: Final = 6.0


class Listener(Protocol):
    """Log-spectrogram [frames, bands] -> features and emotions [15] on the scale 0..1."""

    name: str

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """Return what it says of a spectrogram, differentiable."""

    def of_each(self, spectrograms: Sequence[FloatArray]) -> FloatArray:
        """Return what it says of each spectrogram: [spectrograms, 15]."""

    def gradients(self, spectrogram: torch.Tensor, outputs: Sequence[int]) -> torch.Tensor:
        """Return the gradients of outputs with respect to a spectrogram: [outputs, frames, bands]."""


class NetworkListener:
    """A trained network."""

    def __init__(self, model: Model, name: str = "network") -> None:
        self.name = name
        self._network = model.network

        self._reverse_pass = ReversePass(self._network) if ReversePass.supports(self._network) else None

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor:
        return torch.cat(self._network(spectrogram[None].to(self._network.device)), 1)[0].cpu()

    def of_each(self, spectrograms: Sequence[FloatArray]) -> FloatArray:
        """See `Listener`; spectrograms of one length go through the network together."""
        said = np.empty((len(spectrograms), len(OUTPUTS)), np.float32)
        lengths = np.array([len(one) for one in spectrograms])
        with torch.inference_mode():
            for length in np.unique(lengths):
                places = np.flatnonzero(lengths == length)
                alike = torch.from_numpy(np.stack([spectrograms[place] for place in places]))
                said[places] = torch.cat(self._network(alike.to(self._network.device)), 1).cpu().numpy()
        return said

    def gradients(self, spectrogram: torch.Tensor, outputs: Sequence[int]) -> torch.Tensor:
        """See `Listener`; the seven features go back together, and emotions are linear in them."""
        if self._reverse_pass is None:
            return _differentiated(self, spectrogram, outputs)
        frames = len(spectrogram)
        with torch.inference_mode():
            sound = self._network.around(spectrogram[None].to(self._network.device))
            pooled, trace = self._reverse_pass.forward(sound)
            turn = self._reverse_pass.reverse(trace)[:, 0]  # [7, frames and what fills them up, bands]
            pixels = turn[:, :frames].clone()
            rest = filling(frames, self._network.geometry.stride)
            pixels.index_add_(1, torch.from_numpy(rest).to(pixels.device), turn[:, frames:])
        pooled = pooled.clone().requires_grad_()
        said = torch.cat(self._network.read(pooled), 1)[0]
        layer = torch.stack([torch.autograd.grad(said[k], pooled, retain_graph=True)[0][0] for k in outputs])
        return torch.tensordot(layer, pixels.clone(), 1).cpu()


class BroadListener:
    """A linear model of broad_statistics; weights as models/weights/broad.safetensors holds them."""

    name = "broad"

    def __init__(self, path: Path | None = None) -> None:
        """Raises InputError for weights that are missing or damaged."""
        path = path or Path(str(importlib.resources.files("moodfader.models.weights") / "broad.safetensors"))
        try:
            tensors = load_file(path)
            self._mean, self._deviation = tensors["mean"], tensors["deviation"]
            self._slopes, self._offset = tensors["slopes"], tensors["offset"]  # [statistics, 15], [15]
        except (OSError, SafetensorError, KeyError) as error:
            raise InputError(f"{path}: not the weights of the broad listener ({error})") from error

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor:
        standard = (broad_statistics(spectrogram) - self._mean) / self._deviation
        return standard.clamp(-_FURTHEST, _FURTHEST) @ self._slopes + self._offset

    def of_each(self, spectrograms: Sequence[FloatArray]) -> FloatArray:
        """See `Listener`."""
        with torch.inference_mode():
            return np.stack([self(torch.from_numpy(one)).numpy() for one in spectrograms])

    def gradients(self, spectrogram: torch.Tensor, outputs: Sequence[int]) -> torch.Tensor:
        """See `Listener`."""
        return _differentiated(self, spectrogram, outputs)


def _differentiated(listener: Listener, spectrogram: torch.Tensor, outputs: Sequence[int]) -> torch.Tensor:
    """Return gradients by automatic differentiation."""
    pixels = spectrogram.detach().requires_grad_()
    said = listener(pixels)
    return torch.stack([torch.autograd.grad(said[output], pixels, retain_graph=True)[0] for output in outputs])


def broad_statistics(spectrogram: torch.Tensor) -> torch.Tensor:
    """Statistics [80] of a log-spectrogram [frames, bands], differentiable.

    Mean and deviation over time of the level of 15 overlapping regions of the spectrum, of its rise from frame to
    frame there, of the height of peaks over their surroundings in 9 regions, and of the whole level.
    """
    regions = _triangles(_REGIONS)
    level = spectrogram @ regions.T
    rise = torch.relu(spectrogram[1:] - spectrogram[:-1]) @ regions.T
    half = _CONTRAST_BANDS // 2
    padded = torch.nn.functional.pad(spectrogram[None], (half, half), mode="replicate")[0]
    around = torch.nn.functional.avg_pool1d(padded[:, None], _CONTRAST_BANDS, 1)[:, 0]
    height = torch.relu(spectrogram - around) @ _triangles(_CONTRAST_REGIONS).T
    whole = spectrogram.mean(1, keepdim=True)
    parts = ((level, 1e-6), (rise, 1e-7), (height, 1e-6), (whole, 1e-6))
    return torch.cat([torch.cat((x.mean(0), (x.var(0) + floor).sqrt())) for x, floor in parts])


def _triangles(count: int) -> torch.Tensor:
    """`count` overlapping triangles over the bands, each with a sum of one: [count, bands]."""
    place = np.arange(N_BANDS) / (N_BANDS - 1) * (count - 1)
    shapes = np.maximum(0, 1 - np.abs(place[None] - np.arange(count)[:, None]))
    return torch.from_numpy((shapes / shapes.sum(1, keepdims=True)).astype(np.float32))


def own_listeners(model: Model) -> tuple[Listener, ...]:
    """Those for which targets are solved: the model's network first, then the broad listener and the companion."""
    companion = load_model(Path(str(importlib.resources.files("moodfader.models.weights") / "companion.safetensors")))
    return NetworkListener(model), BroadListener(), NetworkListener(companion, "companion")
