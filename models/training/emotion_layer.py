"""The linear layer from features to emotions, fitted at once to the features that a network predicts.

Ridge regression towards the layer that is there (Hoerl & Kennard 1970, shrunk to a prior instead of to zero), on
ratings of emotions on the scale of the predictions and on those of other scales, each through its rising line. It
stays one matrix of 8 x 7 numbers that can be read and compared with the published one.

Shapes: features [clips, 7], ratings and weights [clips, 8].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import nn

from ..common.arrays import Floats
from ..common.constants import EMOTIONS
from ..datasets.clip_dataset import EMOTION_SETS
from ..inference.predict_clips import predict_clips
from ..network.model import MidlevelNetwork
from .batches import TrainingSource
from .losses import HEAD_WEIGHTS, LabelCalibration

START_STRENGTH: Final = 0.2
END_STRENGTH: Final = 0.05
"""How strongly the layer is held, in units of the summed weight of the ratings and the variance of the features."""
LEAST_SPREAD: Final = 0.05
"""Deviation of the features by which the strength counts at the least.

Features of a network that has learned nothing yet are all but constant; slopes fitted to their differences reach
thousands.
"""
_MIN_RATINGS: Final = 10


@dataclass(frozen=True)
class RatedFeatures:
    """features [clips, 7], ratings [clips, 8] of emotions (NaN: none), weights [clips, 8] of their squared errors.

    absolute: whether the ratings are on the scale of the predictions; else only their differences say something.
    """

    features: Floats
    ratings: Floats
    weights: Floats
    absolute: bool = True


def ridge_towards(prior: Floats, design: Floats, ratings: Floats, weights: Floats, *, strength: float) -> Floats:
    """Slopes and constant [n + 1] of weighted least squares of ratings [clips] on the design [clips, n + 1].

    The design's last column is one, or zero where ratings and features are differences. The slopes are drawn to those
    of prior [n + 1], the constant is free.
    """
    spread = max(design[:, :-1].var(0).mean(), LEAST_SPREAD**2)
    hold = strength * weights.sum() * np.append(np.full(len(prior) - 1, spread), 0.0)
    gram = (design * weights[:, None]).T @ design + np.diag(hold) + 1e-9 * np.eye(len(prior))
    return np.asarray(prior + np.linalg.solve(gram, design.T @ (weights * (ratings - design @ prior))))


def refit(layer: nn.Linear, parts: Sequence[RatedFeatures], *, strength: float) -> None:
    """Refit the layer in place; emotions with too few ratings on the scale of the predictions stay as they are."""
    weight, bias = (p.detach().double().cpu().numpy() for p in (layer.weight, layer.bias))
    for emotion in range(len(bias)):
        rows = [_design(part, emotion) for part in parts]
        if (
            sum(len(ratings) for part, (_, ratings, _) in zip(parts, rows, strict=True) if part.absolute)
            < _MIN_RATINGS
        ):
            continue
        design, ratings, weights = (np.concatenate(values) for values in zip(*rows, strict=True))
        fitted = ridge_towards(np.append(weight[emotion], bias[emotion]), design, ratings, weights, strength=strength)
        weight[emotion], bias[emotion] = fitted[:-1], fitted[-1]
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(bias))


def _design(part: RatedFeatures, emotion: int) -> tuple[Floats, Floats, Floats]:
    """Design [rated, 8], ratings [rated] and weights [rated] of one emotion."""
    rows = np.isfinite(part.ratings[:, emotion])
    features, ratings, weights = part.features[rows], part.ratings[rows, emotion], part.weights[rows, emotion]
    if not part.absolute and rows.any():
        features = features - np.average(features, axis=0, weights=weights)
        ratings = ratings - np.average(ratings, weights=weights)
    return np.column_stack([features, np.full(len(features), float(part.absolute))]), ratings, weights


def refit_to(
    sources: Sequence[TrainingSource], network: MidlevelNetwork, heads: LabelCalibration, *, strength: float
) -> None:
    """Refit a network's last layer to all clips that are rated for emotions, as it predicts their features now."""
    training = network.training
    parts = []
    for source in sources:
        targets = source.material.targets
        rated = [name for name in EMOTION_SETS if not np.isnan(targets[name]).all()]
        if not rated:
            continue
        features = predict_clips(network, source.material)[0]
        counts = np.ones(len(features)) if source.material.weights is None else source.material.weights
        weights = np.repeat(np.asarray(counts, float)[:, None], len(EMOTIONS), axis=1)
        for name in rated:
            if name == "emotions":
                parts.append(RatedFeatures(features, targets[name].astype(float), weights))
                continue
            with torch.no_grad():
                on_scale, slope = heads.undone(name, torch.from_numpy(targets[name]).to(network.device))
            steep = HEAD_WEIGHTS[name] / HEAD_WEIGHTS["emotions"] * slope.cpu().numpy().astype(float) ** 2
            ratings = on_scale.cpu().numpy().astype(float)
            parts.append(RatedFeatures(features, ratings, weights * steep, absolute=False))
    if parts:
        refit(network.emotions, parts, strength=strength)
    network.train(training)
