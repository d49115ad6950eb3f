"""The readouts of judges without a network of their own: ridge regressions from measures to features and emotions.

Emotions are fitted to ratings. Features are those seven numbers whose published combination (Chowdhury et al. 2019)
gives the ratings, which are as the perceptual scales say where there are such, and as composed where the music was
composed: one linear least-squares problem in the readout of all seven.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import torch

from ..common.arrays import FloatArray, Floats
from ..common.constants import MIDLEVEL
from ..training.losses import load_published_layer
from .material import JuryMaterial

FELT_WEIGHT: Final = 0.35
PERCEPTUAL_WEIGHT: Final = 1.5
KNOWN_WEIGHT: Final = 0.5
_FURTHEST: Final = 6.0


def fit_readout(
    material: JuryMaterial, measure: Callable[[FloatArray], FloatArray], *, ridge: float, axes: int | None = None
) -> dict[str, torch.Tensor]:
    """Tensors of a LinearReadout (judges.py) on measures [N] of a sound.

    axes: how many principal axes are kept, scaled by the root of their deviation; None: the measures themselves.
    """
    sources = (material.film, material.felt, material.perceptual, material.known)
    film, felt, perceptual, known = (np.stack([measure(sound) for sound in part.sounds]) for part in sources)
    mean, deviation = film.mean(0), film.std(0) + 1e-6

    def standard(values: FloatArray) -> Floats:
        return np.asarray(np.clip((values - mean) / deviation, -_FURTHEST, _FURTHEST), np.float64)

    turn = np.eye(film.shape[1])
    if axes is not None:
        pooled = standard(np.concatenate((film, felt)))
        _, size, directions = np.linalg.svd(pooled - pooled.mean(0), full_matrices=False)
        turn = directions[:axes].T / np.sqrt(size[:axes] * size[0]) * np.sqrt(len(pooled))
    inputs = [standard(part) @ turn for part in (film, felt, perceptual, known)]
    emotions = _emotion_slopes(inputs[0], material.film.targets, inputs[1], material.felt.targets, ridge)
    features = _feature_slopes(inputs, material, ridge)
    centre = inputs[0].mean(0)
    slopes = np.concatenate((features, emotions), axis=1)
    offset = np.concatenate((np.full(len(MIDLEVEL), 0.5), material.film.targets.mean(0))) - centre @ slopes
    tensors = {"mean": mean, "deviation": deviation, "axes": turn, "slopes": slopes, "offset": offset}
    return {name: torch.from_numpy(np.ascontiguousarray(value, np.float32)) for name, value in tensors.items()}


def _emotion_slopes(film: Floats, rated: FloatArray, felt: Floats, felt_rated: FloatArray, ridge: float) -> Floats:
    columns = []
    for place in range(rated.shape[1]):
        gram, cross = _sums(film, rated[:, place])
        known = ~np.isnan(felt_rated[:, place])
        if known.any():
            more_gram, more_cross = _sums(felt[known], felt_rated[known, place])
            gram, cross = gram + FELT_WEIGHT * more_gram, cross + FELT_WEIGHT * more_cross
        columns.append(np.linalg.solve(gram + ridge * np.eye(len(gram)), cross))
    return np.stack(columns, axis=1)


def _feature_slopes(inputs: list[Floats], material: JuryMaterial, ridge: float) -> Floats:
    """[inputs, 7] of least squares over all sources at once."""
    layer = load_published_layer()[0].double().numpy()  # [8, 7]
    size, features = inputs[0].shape[1], len(MIDLEVEL)
    film = inputs[0] - inputs[0].mean(0)
    whole = np.kron(layer.T @ layer, film.T @ film)
    cross = film.T @ (material.film.targets - material.film.targets.mean(0)) @ layer
    parts = ((inputs[2], material.perceptual, PERCEPTUAL_WEIGHT), (inputs[3], material.known, KNOWN_WEIGHT))
    for values, source, weight in parts:
        for feature in range(features):
            target = source.targets[:, feature]
            if np.isnan(target).any():
                continue
            gram, own = _sums(values, target)
            rows = slice(feature * size, (feature + 1) * size)
            whole[rows, rows] += weight * gram
            cross[:, feature] += weight * own
    solved = np.linalg.solve(whole + ridge * np.eye(len(whole)), cross.T.ravel())
    return np.asarray(solved.reshape(features, size).T)


def _sums(values: Floats, target: FloatArray) -> tuple[Floats, Floats]:
    """Gram matrix and cross products of the deviations from the means."""
    centred = values - values.mean(0)
    return centred.T @ centred, centred.T @ (target - target.mean())
