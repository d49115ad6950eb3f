"""Type aliases of arrays, shared by all layers."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

Floats = npt.NDArray[np.float64]

Labels = npt.NDArray[np.int32]
"""Segment numbers of a spectrogram, [frames, bands]."""

Subsegments = npt.NDArray[np.uint8]
"""Numbers of subsegments within their segment, [frames, bands]."""
