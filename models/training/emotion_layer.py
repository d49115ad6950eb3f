"""The linear layer from features to emotions, fitted at once to the features that a network predicts.

Ridge regression towards the layer that is there (Hoerl & Kennard 1970, shrunk to a prior instead of to zero), on
ratings of emotions and on felt emotions, each of these through its rising line. It stays one matrix of 8 x 7 numbers
that can be read and compared with the published one.

Shapes: features [clips, 7], ratings and weights [clips, 8].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import nn

from ..common.arrays import Floats
from ..inference.predict_clips import predict_clips
from ..network.model import MidlevelNetwork
from .batches import TrainingSource
from .losses import HEAD_WEIGHTS, LabelCalibration

START_STRENGTH: Final = 0.2
END_STRENGTH: Final = 0.05
"""How strongly the layer is held, in units of the summed weight of the ratings and the variance of the features."""
_LEAST_RATINGS: Final = 10


@dataclass(frozen=True)
class RatedFeatures:
    """features [clips, 7], ratings [clips, 8] of emotions (NaN: none), weights [clips, 8] of their squared errors."""

    features: Floats
    ratings: Floats
    weights: Floats


def ridge_towards(prior: Floats, features: Floats, ratings: Floats, weights: Floats, *, strength: float) -> Floats:
    """Slopes and constant [n + 1] of weighted least squares of ratings [clips] on features [clips, n].

    The slopes are drawn to those of prior [n + 1], the constant is free.
    """
    x = np.column_stack([features, np.ones(len(features))])
    spread = features.var(0).mean()
    hold = strength * weights.sum() * np.append(np.full(features.shape[1], spread), 0.0)
    gram = (x * weights[:, None]).T @ x + np.diag(hold) + 1e-9 * np.eye(x.shape[1])
    return np.asarray(prior + np.linalg.solve(gram, x.T @ (weights * (ratings - x @ prior))))


def refit(layer: nn.Linear, parts: Sequence[RatedFeatures], *, strength: float) -> None:
    """Refit the layer in place; emotions with too few ratings stay as they are."""
    weight, bias = (p.detach().double().cpu().numpy() for p in (layer.weight, layer.bias))
    features, ratings, weights = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("features", "ratings", "weights")
    )
    for emotion in range(len(bias)):
        rows = np.isfinite(ratings[:, emotion])
        if rows.sum() < _LEAST_RATINGS:
            continue
        prior = np.append(weight[emotion], bias[emotion])
        fitted = ridge_towards(
            prior, features[rows], ratings[rows, emotion], weights[rows, emotion], strength=strength
        )
        weight[emotion], bias[emotion] = fitted[:-1], fitted[-1]
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(bias))


def refit_to(
    sources: Sequence[TrainingSource], network: MidlevelNetwork, heads: LabelCalibration, *, strength: float
) -> None:
    """Refit a network's last layer to all clips that are rated for emotions, as it predicts their features now."""
    training = network.training
    parts = []
    for source in sources:
        ratings, felt = (torch.from_numpy(source.material.targets[head]) for head in ("emotions", "felt"))
        if torch.isnan(ratings).all() and torch.isnan(felt).all():
            continue
        features = predict_clips(network, source.material)[0]
        counts = np.ones(len(features)) if source.material.weights is None else source.material.weights
        weights = np.repeat(np.asarray(counts, float)[:, None], ratings.shape[1], axis=1)
        with torch.no_grad():
            on_scale, slope = heads.undone("felt", felt.to(network.device))
        steep = HEAD_WEIGHTS["felt"] / HEAD_WEIGHTS["emotions"] * slope.cpu().numpy().astype(float) ** 2
        parts.append(RatedFeatures(features, ratings.numpy().astype(float), weights))
        parts.append(RatedFeatures(features, on_scale.cpu().numpy().astype(float), weights * steep))
    if parts:
        refit(network.emotions, parts, strength=strength)
    network.train(training)
