"""Designs of experiments for perturbing segments: which outputs see which segments, and balanced sign matrices."""

import numpy as np
import numpy.typing as npt

from ...models.network.receptive_field import ReceptiveField
from .perturbation import AnalysisWindow

_TIMES_AT_ONCE = 16
"""Output positions that see, together, a part of a window's segments."""


def visible_segments(window: AnalysisWindow, geometry: ReceptiveField) -> npt.NDArray[np.bool_]:
    """Return which local output has which segment in its receptive field.

    Parameters
    ----------
    window
        The window.
    geometry
        Receptive field of the network.

    Returns
    -------
    numpy.ndarray
        bool [time, columns, segments].
    """
    times = window.last - window.first
    visible = np.zeros((times, geometry.columns, len(window.segments)), bool)
    for time in range(times):
        rows = window.labels[time * geometry.stride :][: geometry.field]
        for column in range(geometry.columns):
            begin, end, low, high = geometry.extent(column)
            visible[time, column, rows[begin:end, low:high]] = True
    return visible


def paley_hadamard(max_rows: int) -> npt.NDArray[np.bool_]:
    """Return a Hadamard matrix of Paley's first construction (J. Math. Phys. 1933) without its constant column.

    Parameters
    ----------
    max_rows
        At least 4.

    Returns
    -------
    numpy.ndarray
        bool [q + 1, q], True for +1, where q is the largest prime with q % 4 = 3 and q < max_rows.
    """
    q = next(q for q in range(max_rows - 1, 2, -1) if q % 4 == 3 and all(q % d for d in range(3, int(q**0.5) + 1, 2)))
    is_residue = np.zeros(q, bool)
    is_residue[np.arange(1, q) ** 2 % q] = True
    # All rows but the first, with signs that make the constant column positive: -(Q + I).
    residues = ~is_residue[(np.arange(q)[:, None] - np.arange(q)) % q]
    residues[np.arange(q), np.arange(q)] = False
    return np.concatenate([np.ones((1, q), bool), residues])


def sylvester_hadamard(order: int) -> npt.NDArray[np.bool_]:
    """Return a Hadamard matrix of Sylvester's construction (Phil. Mag. 1867) without its constant column.

    Parameters
    ----------
    order
        A power of two, at least 2.

    Returns
    -------
    numpy.ndarray
        bool [order, order - 1], True for +1.
    """
    matrix = np.ones((1, 1), bool)
    while len(matrix) < order:
        matrix = np.block([[matrix, matrix], [matrix, ~matrix]])
    return matrix[:, 1:]


def hadamard(max_rows: int) -> npt.NDArray[np.bool_]:
    """Return the larger of the two matrices that have at most `max_rows` (4 or more) rows: bool [rows, rows - 1]."""
    paley, power = paley_hadamard(max_rows), 1 << (max_rows.bit_length() - 1)
    return sylvester_hadamard(power) if power > len(paley) else paley


def pad_with_random_signs(rows: npt.NDArray[np.bool_], pairs: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Fill a design up with rows of random signs, and shuffle the rows.

    Parameters
    ----------
    rows
        The design, [rows, segments].
    pairs
        Number of rows of the result.
    rng
        Random generator.

    Returns
    -------
    numpy.ndarray
        bool [pairs, segments].
    """
    extra = rng.random((pairs - len(rows), rows.shape[1])) < 0.5
    return np.asarray(rng.permutation(np.concatenate([rows, extra])))


def balanced_signs(
    pairs: int, visible: npt.NDArray[np.bool_], rng: np.random.Generator, *, context: bool
) -> npt.NDArray[np.bool_]:
    """Assign signs to segments so that those with many outputs in common are balanced exactly.

    There are more segments than columns of the Hadamard matrix. Each segment takes the column whose segments have the
    least in common with it: the sum of the squared numbers of outputs that see both. Rows beyond the matrix are
    random.

    Parameters
    ----------
    pairs
        Number of antithetic pairs.
    visible
        As `visible_segments` returns it, [time, columns, segments].
    rng
        Random generator.
    context
        Whether the last column is that of the context branch, which has the weight of all others together.

    Returns
    -------
    numpy.ndarray
        bool [pairs, segments].
    """
    segments = visible.shape[2]
    matrix = hadamard(pairs)
    common = _in_common(visible[:, :-1] if context else visible)
    if context:
        common += (visible.shape[1] - 1) * _in_common(visible[:, -1:])
    common **= 2
    cost = np.zeros((matrix.shape[1], segments))
    signs = np.empty((len(matrix), segments), bool)
    for s in rng.permutation(segments):
        least = np.flatnonzero(cost[:, s] == cost[:, s].min())
        column = least[rng.integers(len(least))]
        signs[:, s] = matrix[:, column] ^ (rng.random() < 0.5)
        cost[column] += common[s]
    return pad_with_random_signs(signs, pairs, rng)


def _in_common(visible: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return how many outputs see both of two segments: [segments, segments]."""
    count = visible.shape[2]
    common = np.zeros((count, count))
    for first in range(0, len(visible), _TIMES_AT_ONCE):
        part = visible[first : first + _TIMES_AT_ONCE].reshape(-1, count)
        seen = np.flatnonzero(part.any(0))
        some = part[:, seen].astype(np.float32)
        common[np.ix_(seen, seen)] += some.T @ some  # (whole numbers, so exact)
    return common
