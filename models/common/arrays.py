"""Type aliases of arrays and of the progress callback, shared by all layers."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

Floats = npt.NDArray[np.float64]

Labels = npt.NDArray[np.int32]

ProgressCallback = Callable[[float], None]
"""Takes the fraction done, 0..1."""
