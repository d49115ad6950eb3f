"""Type aliases of arrays and of the progress callback, shared by all layers."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

Floats = npt.NDArray[np.float64]

Labels = npt.NDArray[np.int32]
"""Segment numbers of a spectrogram, [frames, bands]."""

ProgressCallback = Callable[[float], None]
"""A progress callback; takes the fraction done, 0..1."""
