"""Listeners: models whose outputs the solver moves, the default network and four that follow no narrow pattern.

A *listener* takes part in solving, a *judge* (models/jury) in nothing but judging the result. A network follows
patterns of the spectrogram that other models do not: a target that is reached at it alone is hardly there for anybody
else. The broad listener knows only the level, its changes over time, the onsets and the peakedness of each part of
the spectrum, and is linear in that; the shape listener knows only the levels of parts of the spectrum beside each
other; the companion is a small network that was trained against gain fields; the taught listener, linear in both
kinds of statistics, answers gain fields as readouts of two music taggers' embeddings do. What moves all of them
moves other judges too (docs/steering.md has the measurements).
"""

import importlib.resources
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ...models.common.arrays import FloatArray
from ...models.common.constants import N_BANDS
from ...models.common.errors import InputError
from ...models.inference.backward.network import BackwardPass
from ...models.inference.checkpoint import Model, load_model
from ...models.network.padding import filling
from ..excerpts.segment_predictions import predict_by_length

_REGIONS: Final = 15
_CONTRAST_REGIONS: Final = 9
_CONTRAST_BANDS: Final = 15
_SHAPE_REGIONS: Final = 24
_CEPSTRUM: Final = 12
_SOFTEST: Final = 0.01
"""Magnitude that is added before the logarithm, so that noise below it has no level of its own."""
_FURTHEST: Final = 6.0


class Listener(Protocol):
    """A model from a log-spectrogram [frames, bands] to OUTPUTS, features and emotions [15] on the scale 0..1."""

    name: str

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """Return the outputs [15] for a spectrogram [frames, bands], differentiable."""

    def of_each(self, spectrograms: Sequence[FloatArray]) -> FloatArray:
        """Return the outputs for each spectrogram [frames, bands], without derivatives: [spectrograms, 15]."""

    def gradients(self, spectrogram: torch.Tensor, outputs: Sequence[int]) -> torch.Tensor:
        """Return the gradients of outputs (their numbers) by the spectrogram: [outputs, frames, bands]."""


class NetworkListener:
    """A trained network."""

    def __init__(self, model: Model, name: str = "network") -> None:
        self.name = name
        self._network = model.network
        self._backward_pass = BackwardPass(self._network) if BackwardPass.supports(self._network) else None

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """See `Listener`."""
        return torch.cat(self._network(spectrogram[None].to(self._network.device)), 1)[0].cpu()

    def of_each(self, spectrograms: Sequence[FloatArray]) -> FloatArray:
        """See `Listener`; spectrograms of one length go through the network together."""

        def predict_batch(alike: FloatArray) -> FloatArray:
            return np.asarray(torch.cat(self._network(torch.from_numpy(alike).to(self._network.device)), 1).cpu())

        with torch.inference_mode():
            return predict_by_length(spectrograms, predict_batch)

    def gradients(self, spectrogram: torch.Tensor, outputs: Sequence[int]) -> torch.Tensor:
        """See `Listener`; the seven features go back together, and emotions are linear in them."""
        if self._backward_pass is None:
            return _gradients_by_autograd(self, spectrogram, outputs)
        frames = len(spectrogram)
        with torch.inference_mode():
            sound = self._network.around(spectrogram[None].to(self._network.device))
            pooled, trace = self._backward_pass.forward(sound)
            turn = self._backward_pass.backward(trace)[:, 0]  # [7, frames and what fills them up, bands]
            pixels = turn[:, :frames].clone()
            rest = filling(frames, self._network.geometry.stride)
            pixels.index_add_(1, torch.from_numpy(rest).to(pixels.device), turn[:, frames:])
        pooled = pooled.clone().requires_grad_()
        values = torch.cat(self._network.read(pooled), 1)[0]
        layer = torch.stack([torch.autograd.grad(values[k], pooled, retain_graph=True)[0][0] for k in outputs])
        return torch.as_tensor(torch.tensordot(layer, pixels.clone(), 1)).cpu()


class LinearListener:
    """A linear model of statistics of the spectrogram, with weights as models/weights/<name>.safetensors holds them.

    Attributes
    ----------
    name
        Of the listener and of its weights.
    """

    def __init__(
        self, name: str, statistics: Callable[[torch.Tensor], torch.Tensor], path: Path | None = None
    ) -> None:
        """Load the weights (by default those that ship). Raises InputError where they are missing or damaged."""
        path = path or Path(str(importlib.resources.files("moodfader.models.weights") / f"{name}.safetensors"))
        self.name = name
        self._statistics = statistics
        try:
            tensors = load_file(path)
            self._mean, self._deviation = tensors["mean"], tensors["deviation"]
            self._slopes, self._offset = tensors["slopes"], tensors["offset"]  # [statistics, 15], [15]
        except (OSError, SafetensorError, KeyError) as error:
            raise InputError(f"{path}: not the weights of the {name} listener ({error})") from error

    def __call__(self, spectrogram: torch.Tensor) -> torch.Tensor:
        """See `Listener`."""
        standard = (self._statistics(spectrogram) - self._mean) / self._deviation
        return standard.clamp(-_FURTHEST, _FURTHEST) @ self._slopes + self._offset

    def of_each(self, spectrograms: Sequence[FloatArray]) -> FloatArray:
        """See `Listener`."""
        with torch.inference_mode():
            return np.stack([self(torch.from_numpy(one)).numpy() for one in spectrograms])

    def gradients(self, spectrogram: torch.Tensor, outputs: Sequence[int]) -> torch.Tensor:
        """See `Listener`."""
        return _gradients_by_autograd(self, spectrogram, outputs)


def _gradients_by_autograd(listener: Listener, spectrogram: torch.Tensor, outputs: Sequence[int]) -> torch.Tensor:
    """Gradients of outputs by the spectrogram, by automatic differentiation: [outputs, frames, bands]."""
    pixels = spectrogram.detach().requires_grad_()
    values = listener(pixels)
    return torch.stack([torch.autograd.grad(values[output], pixels, retain_graph=True)[0] for output in outputs])


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
    return torch.cat([_mean_and_deviation(values, floor) for values, floor in parts])


def shape_statistics(spectrogram: torch.Tensor) -> torch.Tensor:
    """Statistics [62] of the shape of the spectrum in a log-spectrogram [frames, bands], differentiable.

    Mean and deviation over time of the levels (logarithms of magnitudes) of 24 overlapping regions of the spectrum
    relative to the frame's mean, the deviation of the first 12 cepstral coefficients of these, and mean and deviation
    of that mean. Broad statistics are of the compressed spectrogram, so what is soft hardly counts in them; here it
    does.
    """
    levels = torch.log10((torch.pow(10.0, spectrogram) - 1).clamp_min(0) + _SOFTEST) @ _triangles(_SHAPE_REGIONS).T
    whole = levels.mean(1, keepdim=True)
    shape = levels - whole
    cepstrum = shape @ _cosines(_SHAPE_REGIONS, _CEPSTRUM).T
    return torch.cat((_mean_and_deviation(shape), _deviation(cepstrum), _mean_and_deviation(whole)))


def all_statistics(spectrogram: torch.Tensor) -> torch.Tensor:
    """The broad statistics, then those of shape [142] of a log-spectrogram [frames, bands], differentiable."""
    return torch.cat((broad_statistics(spectrogram), shape_statistics(spectrogram)))


def _mean_and_deviation(values: torch.Tensor, floor: float = 1e-6) -> torch.Tensor:
    """Over time, of values [frames, n]: [2 n]. floor: least variance (the root has no slope at zero)."""
    return torch.cat((values.mean(0), _deviation(values, floor)))


def _deviation(values: torch.Tensor, floor: float = 1e-6) -> torch.Tensor:
    return (values.var(0) + floor).sqrt()


def _cosines(length: int, count: int) -> torch.Tensor:
    """The first `count` rows, the constant apart, of the orthonormal discrete cosine transform: [count, length]."""
    phase = np.pi / length * np.arange(1, count + 1)[:, None] * (np.arange(length) + 0.5)
    return torch.from_numpy((np.sqrt(2 / length) * np.cos(phase)).astype(np.float32))


def _triangles(count: int) -> torch.Tensor:
    """`count` overlapping triangles over the bands, each with a sum of one: [count, bands]."""
    place = np.arange(N_BANDS) / (N_BANDS - 1) * (count - 1)
    shapes = np.maximum(0, 1 - np.abs(place[None] - np.arange(count)[:, None]))
    return torch.from_numpy((shapes / shapes.sum(1, keepdims=True)).astype(np.float32))


def own_listeners(model: Model) -> tuple[Listener, ...]:
    """The listeners by which faders and targets are solved.

    The model's network first, then the further ones: broad, companion, shape, taught.
    """
    companion = load_model(Path(str(importlib.resources.files("moodfader.models.weights") / "companion.safetensors")))
    return (
        NetworkListener(model),
        LinearListener("broad", broad_statistics),
        NetworkListener(companion, "companion"),
        LinearListener("shape", shape_statistics),
        LinearListener("taught", all_statistics),
    )
