"""Least squares with bounds and a ridge, for a handful of variables: min |A x - b|^2 + ridge |x|^2, low <= x <= high.

Where the solution without bounds lies within them it is the one. Otherwise coordinate descent from there: each
variable in turn takes its best value within its bounds, the others held. With a ridge the problem is strictly
convex, and the iterates go to its one solution (Tseng 2001). For seven variables this takes less time than to import
a solver.
"""

from typing import Final

import numpy as np

from ...models.common.arrays import Floats

SWEEPS: Final = 2000
_STILL: Final = 1e-6


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
    for _ in range(SWEEPS):
        largest = 0.0
        for k in range(len(x)):
            best = x[k] + (target[k] - float(gram[k] @ x)) / gram[k, k]
            best = min(max(best, low[k]), high[k])
            largest = max(largest, abs(best - x[k]))
            x[k] = best
        if largest < _STILL:
            break
    return x
