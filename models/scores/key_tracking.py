"""Key tracking: the key of each bar from its pitch class durations, by template correlation and Viterbi decoding.

A key scores the correlation of its probe-tone profile (Krumhansl & Kessler, Psychological Review 1982) with the
durations of the twelve pitch classes in a bar and, at half weight, in its neighbours. Each change of key has a fixed
cost.

States are the 24 keys: 0..11 for C to B major, 12..23 for C to B minor.
"""

from typing import Final

import numpy as np

MAJOR_PROFILE: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR_PROFILE: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
CHANGE_COST: Final = 0.6


def key_correlations(weights: np.ndarray) -> np.ndarray:
    """Correlate pitch class durations with the key profiles.

    Parameters
    ----------
    weights
        Durations of the pitch classes C to B, shape [bars, 12], any unit.

    Returns
    -------
    numpy.ndarray
        Pearson correlations, shape [bars, 24]; 0 for bars without variation.
    """
    profiles = np.array([np.roll(mode, tonic) for mode in (MAJOR_PROFILE, MINOR_PROFILE) for tonic in range(12)])
    profiles = profiles - profiles.mean(axis=1, keepdims=True)
    centred = weights - weights.mean(axis=1, keepdims=True)
    scale = np.linalg.norm(centred, axis=1)[:, None] * np.linalg.norm(profiles, axis=1)[None]
    fits: np.ndarray = centred @ profiles.T / np.maximum(scale, 1e-9)
    return fits


def track_keys(weights: np.ndarray) -> list[tuple[int, bool]]:
    """Track the key through the bars of a score.

    Parameters
    ----------
    weights
        Durations of the pitch classes C to B, shape [bars, 12], any unit.

    Returns
    -------
    list of (int, bool)
        For each bar the tonic, 0..11, and whether the key is minor.
    """
    padded = np.pad(weights, ((1, 1), (0, 0)))
    fits = key_correlations(weights + 0.5 * (padded[:-2] + padded[2:]))  # [bars, 24]
    score, previous = fits[0].copy(), np.zeros(fits.shape, int)
    for index in range(1, len(fits)):
        stay, leave = score, score.max() - CHANGE_COST
        previous[index] = np.where(stay >= leave, np.arange(24), int(score.argmax()))
        score = np.maximum(stay, leave) + fits[index]
    path = [int(score.argmax())]
    for index in range(len(fits) - 1, 0, -1):
        path.append(int(previous[index, path[-1]]))
    return [(state % 12, state >= 12) for state in reversed(path)]
