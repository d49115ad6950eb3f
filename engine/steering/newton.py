"""Newton's method for coefficients of gain fields, from a start on, with fewer rows than unknowns.

Each step is the one of least gain by which the rows (outputs of listeners), taken as linear, move by what is missing;
Broyden's method (1965) corrects their slopes by what the step has moved as measured. In three forms:

* `newton_rounds`: with new gradients in every round;
* `newton_step`: one step, whose result is not measured;
* `damped_newton`: without gradients, damped (Levenberg 1944), for strong gains.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from ...models.common.arrays import Floats
from .solver import NO_STEP, TOLERANCE, Solution, corrected_slopes, inverse_root, largest_of, regularized_gram

ROUND_STEPS: Final = 3
FIRST_STEPS: Final = 5
"""By first slopes, which are not quite right: five measurements take as long as new slopes."""
_FAILURES: Final = 2
"""So many of these steps in a row that come no nearer end them."""
_STEP_RIDGE: Final = 1e-3
_FIRST_DAMPING: Final = 1e-2
_LEAST_DAMPING: Final = 1e-4
_LESS_DAMPING: Final = 3.0
_MORE_DAMPING: Final = 8.0
_SHORTENINGS: Final = 4


def newton_rounds(
    measure: Callable[[Floats], Floats],
    slopes_at: Callable[[Floats], Floats],
    targets: Floats,
    metric: Floats,
    *,
    start: Floats,
    rms_of: Callable[[Floats], float],
    max_rms_db: float,
    rounds: int,
    tolerance: float = TOLERANCE,
    first_slopes: Floats | None = None,
) -> Solution:
    """Move rows to their targets from a start on by steps of least gain, with new gradients in every round.

    For rows that are too nonlinear for one set of slopes. Parameters as of `solve`, where all rows are firm, and:

    Parameters
    ----------
    slopes_at
        Coefficients [fields] -> slopes there, [rows, fields].
    start
        Coefficients to begin with, [fields].
    rounds
        At most so many, each of ROUND_STEPS steps.
    first_slopes
        About those at the start, [rows, fields]: one more round begins with them, instead of with gradients.

    Returns
    -------
    Solution
        The best that was measured, at worst the start.
    """
    root, scale = inverse_root(metric), largest_of(targets)
    moved = measure(start)
    best = Solution(start, moved, float(np.abs(moved - targets).max()) / scale, 1)
    tries = 1
    for number in range(rounds if first_slopes is None else rounds + 1):
        if best.error < tolerance:
            break
        failed, begun, furthest = 0, best.error, np.inf  # (a step that made it worse halves the next)
        by_first = number == 0 and first_slopes is not None
        slopes = first_slopes if first_slopes is not None and by_first else slopes_at(best.coefficients)
        for _ in range(FIRST_STEPS if by_first else ROUND_STEPS):
            step = _least_step(slopes, targets - best.moved, root)
            step *= min(1.0, furthest / max(_length(step, metric), NO_STEP))
            proposed = _within(best.coefficients + step, rms_of, max_rms_db)
            step = proposed - best.coefficients
            if _length(step, metric) ** 2 < NO_STEP:
                break
            moved = measure(proposed)
            tries += 1
            slopes = corrected_slopes(slopes, step, moved - best.moved, metric)
            error = float(np.abs(moved - targets).max()) / scale
            if error < best.error:
                failed, best, furthest = 0, Solution(proposed, moved, error, tries), np.inf
            else:
                failed, furthest = failed + 1, _length(step, metric) / 2
            if error < tolerance or (by_first and failed == _FAILURES):
                break
        if best.error >= begun and not by_first:
            break
    return best


def newton_step(
    moved: Floats,
    slopes: Floats,
    targets: Floats,
    metric: Floats,
    *,
    start: Floats,
    rms_of: Callable[[Floats], float],
    max_rms_db: float,
) -> Solution:
    """Move rows to their targets by one step of least gain, which is not measured.

    Parameters as of `newton_rounds`, and moved: changes of the rows at the start as measured, [rows]. The `moved` and
    `error` of the result are what the slopes [rows, fields] at the start predict.
    """
    step = _least_step(slopes, targets - moved, inverse_root(metric))
    coefficients = _within(start + step, rms_of, max_rms_db)
    expected = moved + slopes @ (coefficients - start)
    return Solution(coefficients, expected, float(np.abs(expected - targets).max()) / largest_of(targets), 1)


def _length(step: Floats, metric: Floats) -> float:
    return float(np.sqrt(max(float(step @ metric @ step), 0.0)))


def _within(coefficients: Floats, rms_of: Callable[[Floats], float], limit: float) -> Floats:
    """Coefficients made smaller until their rms gain is within the limit."""
    for _ in range(_SHORTENINGS):  # (gains are limited, so their rms is not in proportion)
        if (rms := rms_of(coefficients)) <= limit:
            break
        coefficients = coefficients * (0.999 * limit / rms)
    return coefficients


def damped_newton(
    measure: Callable[[Floats], Floats],
    slopes: Floats,
    targets: Floats,
    metric: Floats,
    *,
    start: Floats,
    tries: int,
    tolerance: float,
    moved: Floats | None = None,
    unmeasured: float = 0.0,
) -> tuple[Floats, Floats]:
    """Move rows to their targets by damped steps of least gain (Levenberg 1944), without gradients.

    For strong gains, where the steps of `solve` diverge: after a step that came no nearer the next is damped more,
    most along rows with small slopes. Every measurement corrects the slopes (Broyden's update).

    Parameters
    ----------
    measure, targets, metric, start
        As of `newton_rounds`.
    slopes
        Those to begin with, [rows, fields].
    tries
        At most so many measurements.
    tolerance
        Ends where the length of the miss, per length of the targets, is no more than this.
    moved
        Changes of the rows at the start, [rows]; None: measured.
    unmeasured
        Where the miss, per length of the targets, is no more than this, one more step is the last: it is not
        measured, and its changes are those that the slopes predict.

    Returns
    -------
    coefficients, moved
        The nearest that was found [fields], and its changes of the rows [rows].
    """
    root = inverse_root(metric)
    length = max(float(np.linalg.norm(targets)), 1e-9)
    coefficients, damping = start, _FIRST_DAMPING
    if moved is None:
        moved, tries = measure(start), tries - 1
    for _ in range(tries):
        missed = float(np.linalg.norm(targets - moved))
        step = _least_step(slopes, targets - moved, root, ridge=damping)
        if missed <= tolerance * length or float(step @ metric @ step) < NO_STEP:
            break
        if missed <= unmeasured * length:
            return coefficients + step, moved + slopes @ step
        found = measure(coefficients + step)
        slopes = corrected_slopes(slopes, step, found - moved, metric)
        if float(np.linalg.norm(targets - found)) < missed:
            coefficients, moved, damping = coefficients + step, found, max(damping / _LESS_DAMPING, _LEAST_DAMPING)
        else:
            damping *= _MORE_DAMPING
    return coefficients, moved


def _least_step(slopes: Floats, missing: Floats, root: Floats, *, ridge: float = _STEP_RIDGE) -> Floats:
    """The step of least gain by which rows of these slopes [rows, fields] move by what is missing [rows].

    ridge: damping, as a share of the mean square length of the rows.
    """
    rows = slopes @ root
    return np.asarray(root @ rows.T @ np.linalg.solve(regularized_gram(rows, ridge=ridge), missing))
