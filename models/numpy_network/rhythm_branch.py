"""The branch for rhythm in NumPy; `network/rhythm_branch.py` says what it is."""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..common.arrays import FloatArray
from ..common.constants import N_BANDS
from ..network.padding import PaddedSpectrogram
from ..signal.compiled_scipy import rfft
from .layers import convolve, relu, sequence
from .weights import FoldedWeights

# As in network/rhythm_branch.py.
_STRIDE: Final = 8
_WINDOW: Final = 112
_LAGS: Final = (6, 49)
_TURN: Final = 160
_GROUPS: Final = 4
_BANDS: Final = (N_BANDS - 1) // 4 + 1
_ALONG: Final = (2, 2, 2, 1, 1)
"""Strides of the convolutions along time."""


class RhythmBranch:
    """Autocorrelation of twelve envelopes, beside convolutions along time."""

    def __init__(self, weights: FoldedWeights, name: str) -> None:
        weight, bias = weights.convolution(f"{name}.first")
        self._first = weight, bias + weights.place_bias(f"{name}.first.2")
        envelopes, self._envelopes_bias = weights.convolution(f"{name}.envelopes")
        self._envelopes = envelopes[0, 0]
        # The lags are places here: [out, channels, 5, 1] -> a kernel of one time and five places.
        lags, lags_bias = weights.convolution(f"{name}.lags")
        self._lags = np.ascontiguousarray(lags.transpose(1, 0, 2, 3)), lags_bias
        steps = [weights.convolution(f"{name}.along", 3 * number) for number in range(len(_ALONG))]
        self._along = sequence(
            *(
                lambda x, weight=weight, bias=bias, stride=stride: convolve(x, weight, bias, stride=(stride, 1))
                for (weight, bias), stride in zip(steps, _ALONG, strict=True)
            )
        )
        out, self._out_bias = weights.convolution(f"{name}.out")
        self._out = out[0, 0]
        lag_numbers = np.arange(*_LAGS, dtype=np.float32)
        self._unbiased = np.float32(_WINDOW) / (np.float32(_WINDOW) - lag_numbers)
        self._cosines = _cosines()

    def in_groups(self, spectrogram: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[batch, frames, bands] -> groups of bands [batch, frames - 2, 32], envelopes [batch, frames - 2, 12]."""
        x = relu(convolve(spectrogram[..., None], *self._first, stride=(1, 4), padding=4))
        edges = [group * _BANDS // _GROUPS for group in range(_GROUPS + 1)]
        means = [x[:, :, low:high].mean(axis=2) for low, high in pairwise(edges)]  # each [batch, frames, 8]
        groups = np.stack(means, axis=3).reshape(*x.shape[:2], -1)
        return groups, groups @ self._envelopes + self._envelopes_bias

    def __call__(self, sound: PaddedSpectrogram) -> FloatArray:
        """[batch, times, OUT]."""
        groups, envelopes = sound.apply(self.in_groups, field=3, stride=1, axis=1)
        alike, energy = self._autocorrelation(envelopes)  # [batch, times, lags, 12], [batch, times, 12]
        lags = relu(convolve(alike, *self._lags, padding=2))
        along = self._along(groups[:, :, None])[:, :, 0]
        times = alike.shape[1]
        begin = (along.shape[1] - times) // 2
        parts = [
            lags.max(axis=2),
            lags.mean(axis=2),
            alike.mean(axis=3),
            along[:, begin : begin + times],
            np.log(energy + np.float32(1e-3)),
        ]
        return relu(np.concatenate(parts, axis=2) @ self._out + self._out_bias)

    def _autocorrelation(self, envelopes: FloatArray) -> tuple[FloatArray, FloatArray]:
        windows = sliding_window_view(envelopes, _WINDOW, axis=1)[:, ::_STRIDE]  # [batch, times, 12, _WINDOW]
        windows = windows - windows.mean(axis=3, keepdims=True)
        spectrum = rfft(np.pad(windows, ((0, 0), (0, 0), (0, 0), (0, _TURN - _WINDOW))))
        products = (spectrum.real**2 + spectrum.imag**2) @ self._cosines
        energy = products[..., 0] / np.float32(_WINDOW)
        alike = products[..., 1:] * self._unbiased / (products[..., :1] + np.float32(1e-3 * _WINDOW))
        return np.ascontiguousarray(alike.transpose(0, 1, 3, 2)), energy


def _cosines() -> FloatArray:
    """From a power spectrum to the lag 0 and those of _LAGS: [_TURN // 2 + 1, 1 + lags]."""
    turns = np.arange(_TURN // 2 + 1)[:, None] * np.array([0, *range(*_LAGS)])
    twice = np.full((_TURN // 2 + 1, 1), 2 / _TURN)
    twice[[0, -1]] /= 2
    return np.asarray(twice * np.cos(turns * (2 * np.pi / _TURN)), np.float32)
