"""Models whose predictions the solver moves: the default network, and a linear model of broad spectral statistics.

A network follows patterns that no listener hears; a target that is reached at it alone is hardly there for anybody
else. The broad listener knows only the level, its changes over time, the onsets and the peakedness of each part of
the spectrum, and is linear in that: what moves both moves other judges too (docs/steering.md has the measurements).
"""

import importlib.resources
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ...models.common.constants import EMOTIONS, MIDLEVEL, N_BANDS
from ...models.common.errors import InputError
from ...models.inference.checkpoint import Model, load_model

OUTPUTS: Final = (*MIDLEVEL, *EMOTIONS)
"""What a listener says of a spectrogram, in this order."""
_REGIONS: Final = 15
_CONTRAST_REGIONS: Final = 9
_CONTRAST_BANDS: Final = 15
_FURTHEST: Final = 6.0


class Listener(Protocol):
    """Log-spectrogram [frames, bands] -> features and emotions [15] on the scale 0..1, differentiable."""

    name: str

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor: ...


class NetworkListener:
    """A trained network."""

    def __init__(self, model: Model, name: str = "network") -> None:
        self.name = name
        self._network = model.network

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor:
        midlevel, emotions = self._network(spectrogram[None].to(self._network.device))
        return torch.cat((midlevel[0], emotions[0])).cpu()


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
