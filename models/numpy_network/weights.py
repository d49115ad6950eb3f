"""Weights of a checkpoint as the NumPy layers take them: batch normalisation folded in, channels last."""

from collections.abc import Mapping

import numpy as np

from ..common.arrays import FloatArray

_EPSILON = 1e-5
"""What torch's batch normalisation adds to the variance."""


class FoldedWeights:
    """Reads layers by their names in a checkpoint; each convolution is followed by its batch normalisation."""

    def __init__(self, tensors: Mapping[str, FloatArray]) -> None:
        self._tensors = tensors

    def convolution(self, sequence: str, place: int = 0) -> tuple[FloatArray, FloatArray]:
        """Weight and bias of the convolution at `place` of a sequence, with the normalisation after it.

        Returns
        -------
        weight
            [kernel times, kernel places, channels, out].
        bias
            [out].
        """
        weight, bias = self.by_output(sequence, place)
        return channels_last(weight), bias

    def by_output(self, sequence: str, place: int = 0) -> tuple[FloatArray, FloatArray]:
        """As `convolution`, the weight as the checkpoint has it: [out, channels, ...]."""
        weight = self._tensors[f"{sequence}.{place}.weight"].astype(np.float64)
        mean, variance, scale, offset = (
            self._tensors[f"{sequence}.{place + 1}.{name}"].astype(np.float64)
            for name in ("running_mean", "running_var", "weight", "bias")
        )
        factor = scale / np.sqrt(variance + _EPSILON)
        folded = weight * factor.reshape(-1, *[1] * (weight.ndim - 1))
        return folded.astype(np.float32), (offset - mean * factor).astype(np.float32)

    def place_bias(self, name: str) -> FloatArray:
        """The offsets of a FrequencyBias: [places, channels]."""
        return np.ascontiguousarray(self._tensors[f"{name}.bias"][:, 0].T)

    def plain(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Weight [channels, out] and bias [out] of a 1 x 1 convolution or linear layer without normalisation."""
        weight = self._tensors[f"{name}.weight"]
        return np.ascontiguousarray(weight.reshape(weight.shape[:2]).T), self._tensors[f"{name}.bias"]


def channels_last(weight: FloatArray) -> FloatArray:
    """[out, channels, kernel times(, kernel places)] -> [kernel times, kernel places, channels, out]."""
    weight = weight.reshape(*weight.shape[:3], -1)
    return np.ascontiguousarray(weight.transpose(2, 3, 1, 0))
