"""Solves for coefficients of gain fields that move outputs of listeners by given targets, with bounded gain.

Rows that must be met (firm: the network that ships, what is kept) are equations; rows that should be met (soft: the
other listeners) are met as far as the permitted gain allows, the one that is reached least counting most. In the
metric of the gain (W = L L'), with x = L' c, the firm rows' solution of least gain and a move in their null space:

    x = A+ b + z,   A z = 0,   z the least squares solution of the soft rows, damped (Levenberg 1944) until rms fits.

A *row* is one output of one listener. Each try takes the listeners as linear; Broyden's method (1965) then corrects
the slopes by their measured outputs, a rank one update a try, so no further gradients are needed. The best try is
kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import Floats

METRIC_RIDGE: Final = 1e-4
TRIES: Final = 8
TOLERANCE: Final = 0.02
WORST_FIRST: Final = 3.0
SOFT_SHARE: Final = 0.1
"""How much the largest miss of a soft row counts beside one of a firm row, when tries are compared."""
NO_STEP: Final = 1e-8
"""A step whose square length is less (in square dB of gain) is none."""
_TINY: Final = 1e-18
ROW_RIDGE: Final = 1e-6
"""What is added to the Gram matrix of the rows, as a share of its mean diagonal."""
_NOTHING: Final = 1e-6
_MIN_DAMPING: Final = 1e-3
_STRONGEST: Final = 1e6
_BISECTIONS: Final = 12
_REWEIGHTINGS: Final = 3
_WEIGHTS: Final = (0.1, 10.0)


@dataclass(frozen=True)
class Solution:
    """Coefficients of fields, and what they do.

    Attributes
    ----------
    coefficients
        In dB, [fields].
    moved
        Changes of the rows as measured, [rows].
    error
        The largest miss of a firm row, as a share of their largest target, and SOFT_SHARE of the largest miss of a
        soft row, as a share of its own target.
    tries
        How often the listeners were measured.
    """

    coefficients: Floats
    moved: Floats
    error: float
    tries: int


def inverse_root(metric: Floats, *, ridge: float = METRIC_RIDGE) -> Floats:
    """L^-T of the metric W = L L' [handles, handles], by which gain is measured as length: [handles, handles].

    ridge: what is added to the metric, as a share of its mean.
    """
    lift = ridge * np.trace(metric) / len(metric) * np.eye(len(metric))
    return np.asarray(np.linalg.inv(np.linalg.cholesky(metric + lift)).T)


def regularized_gram(rows: Floats, *, ridge: float) -> Floats:
    """R R' of rows R [rows, fields], its diagonal raised so that it can be inverted (Tikhonov): [rows, rows].

    ridge: what is added to the diagonal, as a share of its mean.
    """
    gram = rows @ rows.T
    gram += (ridge * np.trace(gram) / max(len(gram), 1) + _TINY) * np.eye(len(gram))
    return np.asarray(gram)


def solve(
    measure: Callable[[Floats], Floats],
    slopes: Floats,
    targets: Floats,
    metric: Floats,
    *,
    rms_of: Callable[[Floats], float],
    max_rms_db: float,
    soft: npt.NDArray[np.bool_] | None = None,
    tries: int = TRIES,
    tolerance: float = TOLERANCE,
    ridge: float = METRIC_RIDGE,
    worst_first: float = WORST_FIRST,
) -> Solution:
    """Find coefficients that move rows (outputs of listeners) by targets, within a limit of the gain.

    Parameters
    ----------
    measure
        Coefficients [fields] in dB -> changes of the rows [rows].
    slopes
        Of the rows at zero, per dB of each field, [rows, fields].
    targets
        Wanted changes of the rows, [rows].
    metric
        c' metric c is the mean square gain of coefficients c, [fields, fields].
    rms_of
        Coefficients -> rms gain in dB of the field that they make.
    max_rms_db
        Limit of that.
    soft
        Which rows are met only as far as the gain allows, [rows]; None: no row.
    tries
        At most so many measurements.
    tolerance
        A largest miss of a firm row, as a share of their largest target, that is small enough.
    ridge
        See `inverse_root`.
    worst_first
        How much more a soft row counts that is reached less than the others; 0: all count alike.

    Returns
    -------
    Solution
        The try with the least error.
    """
    soft = np.zeros(len(targets), bool) if soft is None else soft
    root = inverse_root(metric, ridge=ridge)
    scale = largest_of(targets[~soft] if (~soft).any() else targets)
    units = np.where(np.abs(targets) > _NOTHING * scale, targets, scale)
    slopes = slopes.copy()
    coefficients, moved = np.zeros(slopes.shape[1]), np.zeros(len(targets))
    best = Solution(coefficients, moved, np.inf, 0)
    for count in range(1, tries + 1):
        wanted = targets - moved + slopes @ coefficients
        proposed = _Linear(slopes, wanted, units, soft, root, worst_first).within(rms_of, max_rms_db)
        step, before = proposed - coefficients, moved
        coefficients, moved = proposed, measure(proposed)
        misses = np.abs(moved - targets) / np.where(soft, np.abs(units), scale)
        error = float(misses[~soft].max(initial=0.0) + SOFT_SHARE * misses[soft].max(initial=0.0))
        if error < best.error:
            best = Solution(coefficients, moved, error, count)
        if misses[~soft].max(initial=0.0) < tolerance or float(step @ metric @ step) < NO_STEP:
            break
        slopes = corrected_slopes(slopes, step, moved - before, metric)
    return best


def largest_of(targets: Floats) -> float:
    """The largest of targets [rows] whichever way, by which misses are measured; never zero."""
    return max(float(np.abs(targets).max(initial=0.0)), 1e-9)


def corrected_slopes(slopes: Floats, step: Floats, moved: Floats, metric: Floats) -> Floats:
    """Slopes [rows, handles] after a step by which rows were moved: Broyden's update that is least in the metric.

    A step of no length leaves them as they are.
    """
    length = float(step @ metric @ step)
    if length < NO_STEP:
        return slopes
    return np.asarray(slopes + np.outer(moved - slopes @ step, metric @ step) / length)


class _Linear:
    """The rows as linear: slopes @ coefficients shall be `wanted` [rows]."""

    def __init__(
        self,
        slopes: Floats,
        wanted: Floats,
        units: Floats,
        soft: npt.NDArray[np.bool_],
        root: Floats,
        worst_first: float,
    ) -> None:
        """Take the rows as they are; units [rows]: what the soft rows' misses are shares of."""
        rows = slopes @ root
        self._root, self._worst_first = root, worst_first
        firm = rows[~soft]
        gram = regularized_gram(firm, ridge=ROW_RIDGE)
        self._firm = firm.T @ np.linalg.solve(gram, wanted[~soft]) if len(firm) else np.zeros(rows.shape[1])
        free = np.eye(rows.shape[1]) - (firm.T @ np.linalg.solve(gram, firm) if len(firm) else 0.0)
        self._soft = rows[soft] @ free / units[soft, None]
        self._missing = (wanted[soft] - rows[soft] @ self._firm) / units[soft]

    def within(self, rms_of: Callable[[Floats], float], limit: float) -> Floats:
        """The coefficients whose rms gain is within the limit: less of the soft rows first, then less of all."""
        if rms_of(self._at(np.inf)) > limit:
            low, high = 0.0, 1.0
            for _ in range(_BISECTIONS):
                middle = (low + high) / 2
                low, high = (low, middle) if rms_of(middle * self._at(np.inf)) > limit else (middle, high)
            return low * self._at(np.inf)
        if rms_of(self._at(_MIN_DAMPING)) <= limit:
            return self._at(_MIN_DAMPING)
        low, high = np.log(_MIN_DAMPING), np.log(_STRONGEST)
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            low, high = (low, middle) if rms_of(self._at(np.exp(middle))) <= limit else (middle, high)
        return self._at(float(np.exp(high)))

    def _at(self, damping: float) -> Floats:
        """Firm rows met, soft rows with this damping; the least reached of them is given more weight."""
        if np.isinf(damping) or not len(self._soft):
            return np.asarray(self._root @ self._firm)
        gram = self._soft @ self._soft.T
        lift = damping * (np.trace(gram) / len(gram) + 1e-15)
        weights = np.ones(len(self._missing))
        for _ in range(_REWEIGHTINGS):
            # (S S' + lift / w) y = missing: weighted damped least squares in the rows' own space
            solved = self._soft.T @ np.linalg.solve(gram + lift * np.diag(1 / weights), self._missing)
            short = self._missing - self._soft @ solved
            weights = np.clip(weights * np.exp(self._worst_first * (short - short.mean())), *_WEIGHTS)
        return np.asarray(self._root @ (self._firm + solved))
