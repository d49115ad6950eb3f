"""A trained network's forward pass in NumPy, with the same result as torch's but for rounding.

The definition is `network/model.py`'s; here are only the weights and the arithmetic of inference. It needs no import
of torch (two seconds), and takes about twice as long as torch for the same sound (`bench_network.py`).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ..common.arrays import FloatArray
from ..network.architectures import ARCHITECTURES, KEY_FIELDS, RHYTHM_FIELD, KeyMethod
from ..network.padding import PaddedSpectrogram
from ..network.receptive_field import CONTEXT_STEPS, receptive_field_of, receptive_field_until_pool
from ..signal.soft_limit import soft_limit
from .key_branches import KeyBranch, KeyChangeBranch
from .layers import Layer, convolve, halved, relu
from .rhythm_branch import RhythmBranch
from .weights import FoldedWeights

SUPPORTED: Final = ("context", "modulation", "small")
"""The architectures for which there is a forward pass here; `vgg`, 14 times as slow, is torch's alone."""
_KEY_BRANCHES: Final[dict[KeyMethod, type[KeyBranch] | type[KeyChangeBranch]]] = {
    "key": KeyBranch,
    "key_change": KeyChangeBranch,
}


class NumpyNetwork:
    """A network by its architecture and the tensors of its checkpoint; see `MidlevelNetwork` for the methods."""

    def __init__(self, architecture: str, tensors: Mapping[str, FloatArray]) -> None:
        """architecture: one of SUPPORTED."""
        layers = ARCHITECTURES[architecture].layers
        weights = FoldedWeights(tensors)
        self.geometry = receptive_field_of(ARCHITECTURES[architecture])
        self._begun = receptive_field_until_pool(ARCHITECTURES[architecture])
        self._first, self._then = _trunk(layers, weights)
        self._midlevel, self._midlevel_bias = weights.plain("midlevel")
        self._emotions, self._emotions_bias = weights.plain("emotions")
        keys = ARCHITECTURES[architecture].context
        self._context = None if keys is None else _ContextBranch(weights, keys)

    def local(self, extended: PaddedSpectrogram) -> FloatArray:
        """Extended spectrogram [batch, frames, bands] -> local outputs [batch, 7, time, columns]."""
        if self._context is None:
            own = self._features(extended)
            return np.moveaxis(own @ self._midlevel + self._midlevel_bias, 3, 1)
        geometry = self.geometry
        spare = geometry.field - geometry.patch - 2 * CONTEXT_STEPS * geometry.stride
        features = self._features(extended.crop(spare))
        own = features[:, CONTEXT_STEPS:-CONTEXT_STEPS] @ self._midlevel + self._midlevel_bias
        context = self._context(extended, features, geometry.field)[:, :, None]
        # (scaled so that the mean over all columns is the sum of the means of both parts)
        columns = geometry.columns
        parts = [part * np.float32(columns / part.shape[2]) for part in (own, context)]
        return np.moveaxis(np.concatenate(parts, axis=2), 3, 1)

    def read(self, pooled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean of the local outputs [..., 7] -> mid-level [..., 7] and emotions [..., 8], within 0..1."""
        midlevel = soft_limit(pooled)
        return midlevel, soft_limit(midlevel @ self._emotions.astype(np.float64) + self._emotions_bias)

    def _features(self, sound: PaddedSpectrogram) -> FloatArray:
        """What the trunk says: [batch, time, frequency, channels]."""

        def begun(x: FloatArray) -> tuple[FloatArray]:
            return (self._first(x[..., None]),)

        (x,) = sound.apply(begun, field=self._begun.patch, stride=self._begun.stride, axis=1)
        return self._then(x)


def _trunk(layers: tuple[tuple[str, int, int, int], ...], weights: FoldedWeights) -> tuple[Layer, Layer]:
    """The trunk until its first pooling, and from there on."""
    found: tuple[list[Layer], list[Layer]] = [], []
    place = part = 0
    for kind, kernel, stride, _ in layers:
        if kind == "pool":
            found[part].append(halved)
            part, place = 1, place + 1
            continue
        weight, bias = weights.convolution("trunk", place)
        if stride > 1:  # (an offset for each place follows the normalisation)
            bias = bias + weights.place_bias(f"trunk.{place + 2}")
        found[part].append(_rectified(weight, bias, stride=stride, padding=kernel // 2))
        place += 4 if stride > 1 else 3
    return _chain(found[0]), _chain(found[1])


def _rectified(weight: FloatArray, bias: FloatArray, *, stride: int, padding: int) -> Layer:
    """A convolution and the rectifier."""
    return lambda x: relu(convolve(x, weight, bias, stride=(stride, stride), padding=padding))


def _chain(layers: list[Layer]) -> Layer:
    def apply(x: FloatArray) -> FloatArray:
        for layer in layers:
            x = layer(x)
        return x

    return apply


class _ContextBranch:
    """The column that sees all bands and the whole field: [batch, time, 7]."""

    def __init__(self, weights: FoldedWeights, keys: KeyMethod) -> None:
        weight, bias = weights.convolution("context.further", 1)
        self._further = (
            (weight, bias + weights.place_bias("context.further.3")),
            weights.convolution("context.further", 5),
        )
        self._branches = (
            (_KEY_BRANCHES[keys](weights, "context.tonal"), KEY_FIELDS[keys]),
            (RhythmBranch(weights, "context.rhythm"), RHYTHM_FIELD),
        )
        hidden, self._hidden_bias = weights.convolution("context.hidden")
        self._hidden = hidden[0, 0]
        self._midlevel, self._midlevel_bias = weights.plain("context.midlevel")

    def __call__(self, sound: PaddedSpectrogram, features: FloatArray, field: int) -> FloatArray:
        even = features.shape[2] // 2 * 2
        further = (features[:, :, 0:even:2] + features[:, :, 1:even:2]) * np.float32(0.5)
        for weight, bias in self._further:
            further = relu(convolve(further, weight, bias, padding=1, dilation=2))
        parts = [further.mean(axis=2), further.max(axis=2)]
        parts += [branch(sound.crop(field - seen)) for branch, seen in self._branches]
        hidden = relu(np.concatenate(parts, axis=2) @ self._hidden + self._hidden_bias)
        return np.asarray(hidden @ self._midlevel + self._midlevel_bias)
