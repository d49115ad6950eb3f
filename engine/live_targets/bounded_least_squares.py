"""Least squares with bounds and a ridge, for a handful of variables: min |A x - b|^2 + ridge |x|^2, low <= x <= high.

Where the solution without bounds lies within them it is the one. Otherwise a primal active set method (Nocedal and
Wright 2006, section 16.5): the variables that stand at a bound are held there and the others solved for; on the way
the first bound that is met is added; where none is met, the variable is let go that gains most. With a ridge the
problem is strictly convex, so this ends at its one solution after some tens of solutions of a small system. For seven
variables this takes less time than to import a solver.
"""

from typing import Final

import numpy as np

from ...models.common.arrays import Floats

_MAX_STEPS: Final = 500
_STILL: Final = 1e-10


def bounded_least_squares(matrix: Floats, wanted: Floats, low: Floats, high: Floats, *, ridge: float) -> Floats:
    """Solve it.

    Parameters
    ----------
    matrix
        A, [rows, variables].
    wanted
        b, [rows].
    low, high
        Bounds, [variables].
    ridge
        More than 0.

    Returns
    -------
    numpy.ndarray
        x, [variables].

    Examples
    --------
    >>> one = np.ones(1)
    >>> bounded_least_squares(np.array([[2.0]]), np.array([10.0]), -3 * one, 3 * one, ridge=1e-9)
    array([3.])
    """
    gram: Floats = matrix.T @ matrix + ridge * np.eye(matrix.shape[1])
    target = matrix.T @ wanted
    x: Floats = np.linalg.solve(gram, target).astype(np.float64)
    if ((x >= low) & (x <= high)).all():
        return x
    x = np.asarray(np.clip(x, low, high), np.float64)
    free = (x > low) & (x < high)
    for _ in range(_MAX_STEPS):
        step = np.zeros_like(x)
        rest = target - gram @ x  # half the slope, downwards
        if free.any():
            step[free] = np.linalg.solve(gram[np.ix_(free, free)], rest[free])
        room = np.where(step > 0, high - x, low - x)
        shares = np.divide(room, step, out=np.full_like(x, np.inf), where=step != 0)
        first = int(shares.argmin())
        if shares[first] < 1:
            x = x + shares[first] * step
            x[first] = high[first] if step[first] > 0 else low[first]
            free[first] = False
            continue
        x = x + step
        gain = np.where(free, 0.0, np.where(x >= high, -1.0, 1.0) * (target - gram @ x))
        most = int(gain.argmax())
        if gain[most] <= _STILL * max(1.0, float(np.abs(target).max())):
            break
        free[most] = True
    return np.asarray(np.clip(x, low, high), np.float64)
