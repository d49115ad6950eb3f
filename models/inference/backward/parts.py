"""Backward passes of what the branches are made of beside layers: maxima, moving means, 1 x 1 convolutions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from ...network.layers import global_max, moving_mean
from ...network.padding import PaddedSpectrogram
from .stack import through_matrix


def largest(x: torch.Tensor, axis: int) -> torch.Tensor:
    """Return which of the values along an axis is the largest: 1 there and 0 elsewhere; equal ones share the one."""
    first = (x - global_max(x, axis).unsqueeze(axis)).sign_().add_(1)
    return first.div_(first.sum(axis, keepdim=True))


def mean_of_samples(gradient: torch.Tensor, features: int, samples_per_gate: int) -> torch.Tensor:
    """Return means over groups of samples: [features * samples_per_gate * batch, ...] -> [features * batch, ...]."""
    if samples_per_gate == 1:
        return gradient
    return gradient.view(features, samples_per_gate, -1, *gradient.shape[1:]).mean(1).flatten(0, 1)


def to_largest(gradient: torch.Tensor, route: torch.Tensor, axis: int, samples_per_gate: int) -> torch.Tensor:
    """Backward pass of a maximum along axis 2 or 3, averaged over groups of samples.

    Parameters
    ----------
    gradient
        [features * samples, channels, times].
    route
        As `largest` returns it, [samples, channels, times, places], or places before times with axis 2.
    axis
        The axis of the places.
    samples_per_gate
        Samples of a group, as in `LayerStack`.

    Returns
    -------
    torch.Tensor
        [features * samples / samples_per_gate, channels, times, places], or places before times.
    """
    samples = len(route) // samples_per_gate
    last = route.permute(0, 2, 3, 1)  # channels innermost, as they lie in memory
    # (a copy with the channels innermost as well, which is small: what follows reads it once for each place)
    wide = gradient.transpose(1, 2).contiguous()
    wide = wide.view(-1, samples_per_gate, samples, *wide.shape[1:])
    wide = (wide if samples_per_gate == 1 else wide * (1 / samples_per_gate)).unsqueeze(axis + 1)
    total = wide[:, 0] * last[:samples]
    for sample in range(1, samples_per_gate):
        total.addcmul_(wide[:, sample], last[sample * samples : (sample + 1) * samples])
    return total.flatten(0, 1).permute(0, 3, 1, 2)


def moving_mean_backward(gradient: torch.Tensor, count: int, *, apart: int = 1) -> torch.Tensor:
    """Backward pass of `layers.moving_mean`: [n, channels, positions, places] -> [..., steps, places]."""
    margin = apart * (count - 1)
    return moving_mean(functional.pad(gradient, (0, 0, margin, margin)), count, apart=apart)


def moving_mean_1d_backward(gradient: torch.Tensor, count: int) -> torch.Tensor:
    """Backward pass of means of `count` steps: [n, channels, positions] -> [n, channels, positions + count - 1]."""
    positions = gradient.shape[2]
    means = gradient.new_full((positions, positions + count - 1), 1 / count).triu_().tril_(count - 1)
    return gradient @ means


def through_weights(convolution: nn.Module, gradient: torch.Tensor) -> torch.Tensor:
    """Backward pass of a 1 x 1 convolution: [n, out, times] -> [n, in, times]."""
    assert isinstance(convolution, nn.Conv1d)
    return through_matrix(convolution.weight[:, :, 0].T, gradient)


@dataclass
class SpectrogramGradient:
    """Sum of gradients with respect to a spectrogram's own frames, [features * batch, period, bands]."""

    total: torch.Tensor
    batch: int

    def by_feature(
        self, *gradients: torch.Tensor
    ) -> Iterator[tuple["SpectrogramGradient", tuple[torch.Tensor, ...]]]:
        """Yield the part of each feature, with its part of gradients [features * batch, ...]: these fit in caches."""
        for start in range(0, len(self.total), self.batch):
            rows = slice(start, start + self.batch)
            yield type(self)(self.total[rows], self.batch), tuple(gradient[rows] for gradient in gradients)

    def add(self, sound: PaddedSpectrogram, gradient: torch.Tensor, bands: slice | None = None) -> None:
        """Add that with respect to the first frames of a padded spectrogram, of all bands or some."""
        period, at, done = self.total.shape[1], sound.start % self.total.shape[1], 0
        while done < gradient.shape[1]:
            count = min(period - at, gradient.shape[1] - done)
            self.total[:, at : at + count, bands or slice(None)] += gradient[:, done : done + count]
            done, at = done + count, 0


class Repeated:
    """`PaddedSpectrogram.apply` and its backward pass, through the outputs that it repeats.

    Parameters
    ----------
    sound
        The padded spectrogram.
    stack
        From [batch, frames, bands] to outputs [batch, channels, positions, ...].
    field, stride
        As of `apply`.
    """

    def __init__(
        self,
        sound: PaddedSpectrogram,
        stack: Callable[[torch.Tensor], tuple[torch.Tensor, ...]],
        *,
        field: int,
        stride: int,
    ) -> None:
        self._computed: list[int] = []

        def counted(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            outputs = stack(x)
            self._computed = [part.shape[2] for part in outputs]
            return outputs

        self.outputs = sound.apply(counted, field=field, stride=stride)

    def backward(self, gradients: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        """Return the gradients with respect to the positions that were computed, [n, channels, positions, ...]."""
        return tuple(_summed(part, count) for part, count in zip(gradients, self._computed, strict=True))


def _summed(gradient: torch.Tensor, count: int) -> torch.Tensor:
    if gradient.shape[2] == count:
        return gradient
    total = gradient[:, :, :count].clone()
    for start in range(count, gradient.shape[2], count):
        part = gradient[:, :, start : start + count]
        total[:, :, : part.shape[2]] += part
    return total
