"""Coefficients of gain fields that move what listeners say by as much as was asked, with bounded gain.

Rows that must be met (firm: the network that ships, what is kept) are equations; rows that should be met (soft: the
other listeners) are met as far as the permitted gain allows, the one that is reached least counting most. In the
metric of the gain (W = L L'), with x = L' c, the firm rows' solution of least gain and a move in their null space:

    x = A+ b + z,   A z = 0,   z the least squares solution of the soft rows, damped (Levenberg 1944) until rms fits.

Each try takes the listeners as linear; Broyden's method (1965) then corrects the slopes by what the listeners really
say, a rank one update a try, so no further gradients are needed. The best try is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import Floats

METRIC_RIDGE: Final = 1e-4
TRIES: Final = 8
ROUND_STEPS: Final = 3
FIRST_STEPS: Final = 5
"""By first slopes, which are not quite right: five measurements take as long as new slopes."""
TOLERANCE: Final = 0.02
WORST_FIRST: Final = 3.0
SOFT_SHARE: Final = 0.1
"""How much the largest miss of a soft row counts beside one of a firm row, when tries are compared."""
_ROW_RIDGE: Final = 1e-6
_NO_STEP: Final = 1e-8
_TINY: Final = 1e-18
_NOTHING: Final = 1e-6
_STEP_RIDGE: Final = 1e-3
_FIRST_DAMPING: Final = 1e-2
_LEAST_DAMPING: Final = 1e-4
_LESS_DAMPING: Final = 3.0
_MORE_DAMPING: Final = 8.0
_MIN_DAMPING: Final = 1e-3
_STRONGEST: Final = 1e6
_BISECTIONS: Final = 12
_SHORTENINGS: Final = 4
_REWEIGHTINGS: Final = 3
_WEIGHTS: Final = (0.1, 10.0)


@dataclass(frozen=True)
class Solution:
    """coefficients [handles] in dB; moved [rows]: what they move, as measured; error: the largest miss of a
    firm row, per largest target of these, and a tenth of that of a soft one, per its own; tries: how often the
    listeners were asked.
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
    """Move rows by `targets` [rows]: measure(coefficients) says by how much they are moved.

    slopes [rows, handles] at zero, per dB; metric [handles, handles], the mean square gain of coefficients c being
    c' metric c; rms_of gives the rms gain in dB of the field that they make; soft [rows]: which rows are met as far
    as the gain allows; ridge: see inverse_root; worst_first: how much more a soft row counts that
    is reached less than the others, 0: all count alike.
    """
    soft = np.zeros(len(targets), bool) if soft is None else soft
    root = inverse_root(metric, ridge=ridge)
    scale = _scale(targets[~soft] if (~soft).any() else targets)
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
        if misses[~soft].max(initial=0.0) < tolerance or float(step @ metric @ step) < _NO_STEP:
            break
        slopes = corrected_slopes(slopes, step, moved - before, metric)
    return best


def _scale(targets: Floats) -> float:
    return max(float(np.abs(targets).max(initial=0.0)), 1e-9)


def corrected_slopes(slopes: Floats, step: Floats, moved: Floats, metric: Floats) -> Floats:
    """Slopes [rows, handles] after a step by which rows were moved: Broyden's update that is least in the metric.

    A step of no length says nothing of them.
    """
    length = float(step @ metric @ step)
    if length < _NO_STEP:
        return slopes
    return np.asarray(slopes + np.outer(moved - slopes @ step, metric @ step) / length)


def _least_step(slopes: Floats, missing: Floats, root: Floats, *, ridge: float = _STEP_RIDGE) -> Floats:
    """The step of least gain by which rows of these slopes [rows, handles] move by what is missing.

    ridge: damping, as a share of what the rows answer on the mean.
    """
    rows = slopes @ root
    gram = rows @ rows.T
    lift = (ridge * np.trace(gram) / max(len(gram), 1) + _TINY) * np.eye(len(gram))
    return np.asarray(root @ rows.T @ np.linalg.solve(gram + lift, missing))


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
        gram = firm @ firm.T
        gram += (_ROW_RIDGE * np.trace(gram) / max(len(gram), 1) + _TINY) * np.eye(len(gram))
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
    root, scale = inverse_root(metric), _scale(targets)
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
            step *= min(1.0, furthest / max(_length(step, metric), _NO_STEP))
            proposed = _within(best.coefficients + step, rms_of, max_rms_db)
            step = proposed - best.coefficients
            if _length(step, metric) ** 2 < _NO_STEP:
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
    return Solution(coefficients, expected, float(np.abs(expected - targets).max()) / _scale(targets), 1)


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
        if missed <= tolerance * length or float(step @ metric @ step) < _NO_STEP:
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
