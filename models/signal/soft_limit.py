"""Soft limiting to 0..1: the identity between two knees, a tanh beyond them.

soft_limit(x) = x for KNEE <= x <= 1 - KNEE, and twice differentiable everywhere; network/layers.py has it for
tensors. What is added up (effects of segments, the layer from features to emotions) is added before it.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]

KNEE: Final = 0.05
"""From 0 and from 1, where values begin to be bent."""
_NEARLY_ONE: Final = 1 - 1e-12


def soft_limit(values: npt.ArrayLike) -> Floats:
    """Any numbers -> 0..1, of the same shape."""
    x = np.asarray(values, float)
    low = KNEE + KNEE * np.tanh((np.minimum(x, KNEE) - KNEE) / KNEE)
    high = 1 - KNEE + KNEE * np.tanh((np.maximum(x, 1 - KNEE) - 1 + KNEE) / KNEE)
    return np.where(x < KNEE, low, np.where(x > 1 - KNEE, high, x))


def unlimited(values: npt.ArrayLike) -> Floats:
    """The numbers that soft_limit makes these of, which lie within 0..1."""
    x = np.asarray(values, float)
    below = np.clip((x - KNEE) / KNEE, -_NEARLY_ONE, 0)
    above = np.clip((x - 1 + KNEE) / KNEE, 0, _NEARLY_ONE)
    return np.where(
        x < KNEE, KNEE + KNEE * np.arctanh(below), np.where(x > 1 - KNEE, 1 - KNEE + KNEE * np.arctanh(above), x)
    )
