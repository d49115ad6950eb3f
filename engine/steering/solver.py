"""Coefficients of handles that move what listeners say by as much as was asked, with the least gain.

Each try takes the listeners as linear and finds, of all coefficients that come as close to the targets as can be,
those of the least mean square gain (metric W = Phi Phi' / N); where that is more than is permitted, a damping is
raised until it is not (Levenberg 1944). Then Broyden's method (1965) corrects the slopes by what the listeners
really say, a rank one update a try: no further gradients are needed. The best try is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
DAMPING: Final = 1e-3
METRIC_RIDGE: Final = 1e-4
TRIES: Final = 8
TOLERANCE: Final = 0.02
SOFT_WEIGHTS: Final = (0.4, 0.13, 0.04, 0.013, 0.004)
"""How much a miss of a soft row counts beside one of a firm row: the first with which the firm rows are met."""
_MET: Final = 0.04
_SOFT_SHARE: Final = 0.1
_STRONGEST: Final = 1e6
_BISECTIONS: Final = 12


@dataclass(frozen=True)
class Solution:
    """coefficients [handles] in dB; moved [rows]: what they move, as measured; error: the largest miss of a firm
    row and a tenth of that of a soft one, per largest target; tries: how often the listeners were asked.
    """

    coefficients: Doubles
    moved: Doubles
    error: float
    tries: int


def solve(
    measure: Callable[[Doubles], Doubles],
    slopes: Doubles,
    targets: Doubles,
    metric: Doubles,
    *,
    rms_of: Callable[[Doubles], float],
    max_rms_db: float,
    soft: npt.NDArray[np.bool_] | None = None,
    tries: int = TRIES,
    damping: float = DAMPING,
    ridge: float = METRIC_RIDGE,
) -> Solution:
    """Move rows by `targets` [rows]: measure(coefficients) says by how much they are moved.

    slopes [rows, handles] at zero, per dB; metric [handles, handles], the mean square gain of coefficients c being
    c' metric c; rms_of gives the rms gain in dB of the field that they make; soft [rows]: which rows stand back where
    not all can be reached.
    """
    soft = np.zeros(len(targets), bool) if soft is None else soft
    lift = ridge * np.trace(metric) / len(metric) * np.eye(len(metric))
    inverse_root = np.linalg.inv(np.linalg.cholesky(metric + lift)).T  # L^-T
    scale = max(float(np.abs(targets).max(initial=0.0)), 1e-9)
    slopes = slopes.copy()
    coefficients, moved = np.zeros(slopes.shape[1]), np.zeros(len(targets))
    best = Solution(coefficients, moved, np.inf, 0)
    for count in range(1, tries + 1):
        wanted = targets - moved + slopes @ coefficients
        for weight in SOFT_WEIGHTS:
            nearest = _Nearest(slopes, wanted, np.where(soft, weight, 1.0), inverse_root)
            proposed = nearest.within(rms_of, max_rms_db, damping)
            if np.abs(slopes @ proposed - wanted)[~soft].max(initial=0.0) <= _MET * scale or not soft.any():
                break
        step, before = proposed - coefficients, moved
        coefficients = proposed
        moved = measure(coefficients)
        misses = np.abs(moved - targets) / scale
        error = float(misses[~soft].max(initial=0.0) + _SOFT_SHARE * misses[soft].max(initial=0.0))
        if error < best.error:
            best = Solution(coefficients, moved, error, count)
        size = float(step @ metric @ step)
        if error < TOLERANCE or size < 1e-8:
            break
        slopes += np.outer(moved - before - slopes @ step, metric @ step) / size  # Broyden, least in the metric
    return best


class _Nearest:
    """Coefficients for which slopes @ coefficients is nearest to `wanted` [rows], by the damping of their gain."""

    def __init__(self, slopes: Doubles, wanted: Doubles, weights: Doubles, inverse_root: Doubles) -> None:
        root = np.sqrt(weights)
        self._rows = root[:, None] * slopes @ inverse_root  # M
        self._wanted = root * wanted
        self._gram = self._rows @ self._rows.T
        self._mean = float(np.trace(self._gram)) / len(self._gram) + 1e-15
        self._inverse_root = inverse_root

    def at(self, damping: float) -> Doubles:
        """L^-T M' (M M' + damping * mean * I)^-1 wanted."""
        lifted = self._gram + damping * self._mean * np.eye(len(self._gram))
        return np.asarray(self._inverse_root @ self._rows.T @ np.linalg.solve(lifted, self._wanted))

    def within(self, rms_of: Callable[[Doubles], float], limit: float, damping: float) -> Doubles:
        """With this damping, or as much more as keeps the gain within the limit."""
        found = self.at(damping)
        if rms_of(found) <= limit:
            return found
        low, high = np.log(damping), np.log(_STRONGEST)
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            low, high = (low, middle) if rms_of(self.at(np.exp(middle))) <= limit else (middle, high)
        return self.at(float(np.exp(high)))
