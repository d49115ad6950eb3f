"""Corrections of gain fields' coefficients from a start on, by steps of least gain with the listeners in the loop.

Newton's method for fewer rows than unknowns: the step of least gain whose rows, as linear, move by what is missing;
Broyden's method (1965) corrects their slopes by what every step has really moved. With new slopes in every round, as
one step that is not measured, or damped (Levenberg 1944), for strong gains.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from ...models.common.arrays import Floats
from .solver import NO_STEP, TINY, TOLERANCE, Solution, corrected_slopes, inverse_root, largest_of

ROUND_STEPS: Final = 3
FIRST_STEPS: Final = 5
"""By first slopes, which are not quite right: five measurements take as long as new slopes."""
_STEP_RIDGE: Final = 1e-3
_FIRST_DAMPING: Final = 1e-2
_LEAST_DAMPING: Final = 1e-4
_LESS_DAMPING: Final = 3.0
_MORE_DAMPING: Final = 8.0
_SHORTENINGS: Final = 4


def correct(
    measure: Callable[[Floats], Floats],
    slopes_at: Callable[[Floats], Floats],
    targets: Floats,
    metric: Floats,
    *,
    start: Floats,
    rms_of: Callable[[Floats], float],
    max_rms_db: float,
    rounds: int,
    steps: int = ROUND_STEPS,
    tolerance: float = TOLERANCE,
    held: Floats | None = None,
    first_slopes: Floats | None = None,
) -> Solution:
    """Move firm rows from a start on by the smallest steps, with new slopes_at(coefficients) in every round.

    As `solve`, for what bends too much for one set of slopes; all rows are firm. held [rows, handles]: slopes of what
    the steps shall leave where it is. first_slopes [rows, handles]: about those at the start; with these there is one
    more round, which begins with them.
    """
    held = np.zeros((0, len(start))) if held is None else held
    root, scale = inverse_root(metric), largest_of(targets)
    moved = measure(start)
    best = Solution(start, moved, float(np.abs(moved - targets).max()) / scale, 1)
    tries = 1
    for number in range(rounds if first_slopes is None else rounds + 1):
        if best.error < tolerance:
            break
        begun, furthest = best.error, np.inf  # (after a step that made it worse the next is at most half as long)
        by_first = number == 0 and first_slopes is not None
        slopes = first_slopes if first_slopes is not None and by_first else slopes_at(best.coefficients)
        for _ in range(FIRST_STEPS if by_first else steps):
            missing = np.concatenate((targets - best.moved, np.zeros(len(held))))
            step = _least_step(np.concatenate((slopes, held)), missing, root)
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
                best, furthest = Solution(proposed, moved, error, tries), np.inf
            else:
                furthest = _length(step, metric) / 2
            if error < tolerance:
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
    """Move firm rows from a start on, where they are moved by `moved` as measured, by one step of least gain.

    As `correct`, for what takes long to measure: moved and error of the result are what the slopes [rows, handles] at
    the start expect of it.
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
    """Move all rows from a start on by damped steps of least gain (Levenberg 1944), from first slopes on.

    For strong gains, where `solve`'s steps go astray: after a step that came no nearer the next is damped more, most
    where rows hardly answer, and every measurement corrects the slopes [rows, handles] (Broyden's update). Needs no
    gradients; measures `tries` times at most. moved: what the start moves, where that is known. Gives coefficients
    and what they move; ends where the length of what is missed is within tolerance, per length of the targets.
    unmeasured: where no more than this is missed, per length of the targets, one more step is the last and is not
    measured; what it moves is then as the slopes say.
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
    """The step of least gain by which rows of these slopes [rows, handles] move by what is missing.

    ridge: damping, as a share of what the rows answer on the mean.
    """
    rows = slopes @ root
    gram = rows @ rows.T
    lift = (ridge * np.trace(gram) / max(len(gram), 1) + TINY) * np.eye(len(gram))
    return np.asarray(root @ rows.T @ np.linalg.solve(gram + lift, missing))
