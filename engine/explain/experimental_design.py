"""Who sees what together, and balanced plans for turning it: what the estimators share."""

import numpy as np
import numpy.typing as npt

from ...models.network.receptive_field import ReceptiveField
from .perturbation import AnalysisWindow


def visible_segments(stretch: AnalysisWindow, geometry: ReceptiveField) -> npt.NDArray[np.bool_]:
    """Which local output sees which segment of the window: [time, columns, segments]."""
    times = stretch.last - stretch.first
    seen = np.zeros((times, geometry.columns, len(stretch.segments)), bool)
    for time in range(times):
        rows = stretch.labels[time * geometry.stride :][: geometry.field]
        for column in range(geometry.columns):
            begin, end, low, high = geometry.extent(column)
            seen[time, column, np.unique(rows[begin:end, low:high])] = True
    return seen


def paley_hadamard(most: int) -> npt.NDArray[np.bool_]:
    """The largest of Paley's Hadamard matrices of the first kind with at most so many rows, without the constant
    column: [q + 1, q], q a prime with q % 4 = 3 (Paley, J. Math. Phys. 1933)."""
    q = next(q for q in range(most - 1, 2, -1) if q % 4 == 3 and all(q % d for d in range(3, int(q**0.5) + 1, 2)))
    square = np.zeros(q, bool)
    square[np.arange(1, q) ** 2 % q] = True
    # rows below the first, of which the constant column was made positive: -(Q + I)
    residues = ~square[(np.arange(q)[:, None] - np.arange(q)) % q]
    residues[np.arange(q), np.arange(q)] = False
    return np.concatenate([np.ones((1, q), bool), residues])


def pad_with_random_signs(rows: npt.NDArray[np.bool_], pairs: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """The rows of a plan and as many of coins as are missing for so many pairs, in an order by chance."""
    rest = rng.random((pairs - len(rows), rows.shape[1])) < 0.5
    return np.asarray(rng.permutation(np.concatenate([rows, rest])))


def balanced_signs(
    pairs: int, seen: npt.NDArray[np.bool_], rng: np.random.Generator, *, context: bool
) -> npt.NDArray[np.bool_]:
    """A sign for each segment in each pair, [pairs, segments]: what is seen together a lot is balanced exactly.

    seen: [time, columns, segments] as `sight` gives it; context: whether the last column is that of the context.
    There are more segments than columns of Paley's matrix, so each takes the column whose segments it is seen
    together with least: by the outputs that see both, each as much as it counts in the mean, squared. What is left
    of the rows are coins.
    """
    segments = seen.shape[2]
    matrix = paley_hadamard(pairs)
    flat = seen.reshape(-1, segments).astype(np.float32)
    counts = np.ones(seen.shape[:2], np.float32)
    if context:
        counts[:, -1] = seen.shape[1] - 1  # it counts as much as all others
    together = ((flat * counts.reshape(-1, 1)).T @ flat).astype(np.float64) ** 2
    crowd = np.zeros((segments, matrix.shape[1]))
    signs = np.empty((len(matrix), segments), bool)
    for s in rng.permutation(segments):
        column = rng.choice(np.flatnonzero(crowd[s] == crowd[s].min()))
        signs[:, s] = matrix[:, column] ^ (rng.random() < 0.5)
        crowd[:, column] += together[s]
    return pad_with_random_signs(signs, pairs, rng)
