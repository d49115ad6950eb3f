"""The key of each bar: the path through 24 keys that fits what sounds, by Viterbi's algorithm.

A key fits as the correlation of its probe tone profile (Krumhansl & Kessler 1982) with the durations of the
twelve pitch classes in a bar and its neighbours; each change of key costs a fixed amount.
"""

from typing import Final

import numpy as np

MAJOR_PROFILE: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR_PROFILE: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
CHANGE_COST: Final = 0.6


def key_correlations(weights: np.ndarray) -> np.ndarray:
    """How pitch class weights [bars, 12] fit 24 keys, C to B major and C to B minor: correlations [bars, 24]."""
    profiles = np.array([np.roll(mode, tonic) for mode in (MAJOR_PROFILE, MINOR_PROFILE) for tonic in range(12)])
    profiles = profiles - profiles.mean(axis=1, keepdims=True)
    centred = weights - weights.mean(axis=1, keepdims=True)
    scale = np.linalg.norm(centred, axis=1)[:, None] * np.linalg.norm(profiles, axis=1)[None]
    fits: np.ndarray = centred @ profiles.T / np.maximum(scale, 1e-9)
    return fits


def track_keys(weights: np.ndarray) -> list[tuple[int, bool]]:
    """Keys of bars as (tonic 0..11, minor) from their pitch class durations [bars, 12]."""
    around = np.pad(weights, ((1, 1), (0, 0)))
    fits = key_correlations(weights + 0.5 * (around[:-2] + around[2:]))  # [bars, 24]
    best, back = fits[0].copy(), np.zeros(fits.shape, int)
    for index in range(1, len(fits)):
        stay, leave = best, best.max() - CHANGE_COST
        back[index] = np.where(stay >= leave, np.arange(24), int(best.argmax()))
        best = np.maximum(stay, leave) + fits[index]
    path = [int(best.argmax())]
    for index in range(len(fits) - 1, 0, -1):
        path.append(int(back[index, path[-1]]))
    return [(state % 12, state >= 12) for state in reversed(path)]
