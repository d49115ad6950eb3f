"""Layers of the networks in NumPy: convolutions as matrix products, pooling, moving means.

Shapes: channels come last, [batch, times, places, channels] and [batch, times, channels], so that a patch of all
channels lies together and a convolution is one product of a matrix of patches with a matrix of weights.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..common.arrays import FloatArray

_PATCH_FLOATS: Final = 1 << 18
"""Patches are copied in pieces of 1 MB, which stay in a core's cache until the product has read them."""


def convolve(
    x: FloatArray,
    weight: FloatArray,
    bias: FloatArray,
    *,
    stride: tuple[int, int] = (1, 1),
    padding: int = 0,
    dilation: int = 1,
) -> FloatArray:
    """Convolution over times and places.

    Parameters
    ----------
    x
        [batch, times, places, channels].
    weight
        [kernel times, kernel places, channels, out].
    bias
        [out], or [places out, out]: one for each place.
    stride
        In time and place.
    padding
        Zeros at either end of the places; times are not padded.
    dilation
        Distance in time of the kernel's rows.

    Returns
    -------
    numpy.ndarray
        [batch, times out, places out, out].
    """
    rows, columns, channels, out = weight.shape
    if padding:
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (0, 0)))
    batch, times, places, _ = x.shape
    times_out = (times - dilation * (rows - 1) - 1) // stride[0] + 1
    places_out = (places - columns) // stride[1] + 1
    matrix = weight.reshape(-1, out)
    result = np.empty((batch, times_out, places_out, out), np.float32)
    at_once = max(1, min(times_out, _PATCH_FLOATS // (places_out * len(matrix))))
    patches = np.empty((at_once, places_out, rows, columns, channels), np.float32)
    for one, output in zip(x, result, strict=True):
        seen = sliding_window_view(one, columns, axis=1)[:, :: stride[1]].transpose(0, 1, 3, 2)
        for first in range(0, times_out, at_once):
            count = min(at_once, times_out - first)
            for row in range(rows):
                begin = first * stride[0] + row * dilation
                patches[:count, :, row] = seen[begin : begin + (count - 1) * stride[0] + 1 : stride[0]]
            part = patches[:count].reshape(count * places_out, -1)
            np.matmul(part, matrix, out=output[first : first + count].reshape(count * places_out, out))
    result += bias
    return result


def relu(x: FloatArray) -> FloatArray:
    """The rectifier, in place."""
    return np.maximum(x, 0, out=x)


def halved(x: FloatArray) -> FloatArray:
    """Means of two times by two places; what is left over at the ends is dropped."""
    even_times, even_places = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    pairs = x[:, 0:even_times:2] + x[:, 1:even_times:2]
    return np.asarray((pairs[:, :, 0:even_places:2] + pairs[:, :, 1:even_places:2]) * np.float32(0.25))


def moving_mean(x: FloatArray, count: int, *, apart: int = 1) -> FloatArray:
    """Means of `count` times that are `apart` from each other: [batch, times - apart * (count - 1), ...]."""
    times = x.shape[1] - apart * (count - 1)
    total = x[:, :times].copy()
    for number in range(1, count):
        total += x[:, number * apart : number * apart + times]
    return np.asarray(total / np.float32(count))


def circular_weight(weight: FloatArray) -> FloatArray:
    """A circular convolution as a matrix over all places and channels at once.

    Parameters
    ----------
    weight
        [out, channels, places]: place s of the output sees the input from its own place s on, once around.

    Returns
    -------
    numpy.ndarray
        [places * channels, places * out].
    """
    out, channels, places = weight.shape
    step = (np.arange(places)[:, None] - np.arange(places)) % places  # [place in, place out]
    return np.ascontiguousarray(weight[:, :, step].transpose(2, 1, 3, 0)).reshape(places * channels, places * out)


def apply_circular(x: FloatArray, matrix: FloatArray, bias: FloatArray) -> FloatArray:
    """A circular convolution by its `circular_weight`: [batch, times, places, channels] -> [..., places, out]."""
    batch, times, places, channels = x.shape
    product = x.reshape(batch * times, places * channels) @ matrix
    return np.asarray(product.reshape(batch, times, places, -1) + bias)


Layer = Callable[[FloatArray], FloatArray]


def sequence(*layers: Layer) -> Layer:
    """Layers one after the other, each followed by the rectifier."""

    def apply(x: FloatArray) -> FloatArray:
        for layer in layers:
            x = relu(layer(x))
        return x

    return apply
