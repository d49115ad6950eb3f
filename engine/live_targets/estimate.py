"""Targets from the analysis alone, in milliseconds and without torch: the measured response of the track's faders."""

from typing import TYPE_CHECKING

import numpy as np

from ...models.common.arrays import Floats
from ...models.common.constants import EMOTIONS
from .fader_solver import Asked, FaderSolution, solve_faders

if TYPE_CHECKING:
    from ..analysis.surrogate import Surrogate

_FURTHEST = 0.5


def expected_shifts(surrogate: "Surrogate", faders_db: Floats) -> Floats:
    """Shifts of the emotions [8] that the surrogate expects of faders [7] in dB."""
    effect = surrogate.expected_effect(faders_db.astype(np.float32))
    return np.array([effect[name] for name in EMOTIONS])


def estimate_faders(surrogate: "Surrogate", asked: Asked) -> FaderSolution:
    """Faders that the surrogate expects to bring about what is asked."""
    return solve_faders(lambda faders_db: expected_shifts(surrogate, faders_db), asked)


def reachable_shifts(surrogate: "Surrogate") -> dict[str, tuple[float, float]]:
    """Lowest and highest shift of each emotion that the surrogate expects of any setting, if it alone is wanted."""
    found = {}
    for row, name in enumerate(EMOTIONS):
        low, high = (
            float(estimate_faders(surrogate, Asked({name: sign * _FURTHEST})).shifts[row]) for sign in (-1, 1)
        )
        found[name] = (min(low, 0.0), max(high, 0.0))
    return found
