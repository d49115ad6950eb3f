"""The linear layer from features to emotions, fitted at once to the features that a network predicts.

Ridge regression towards the layer that is there (Hoerl & Kennard 1970, shrunk to a prior instead of to zero), on
ratings of emotions and on felt emotions, each of these through its rising line. It stays one matrix of 8 x 7 numbers
that can be read and compared with the published one.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

STRENGTH: Final = 0.02
"""How strongly it is held, per unit of summed weight of the ratings."""

Floats = npt.NDArray[np.float64]


def ridge_towards(
    features: Floats, targets: Floats, weights: Floats, prior: Floats, strength: float = STRENGTH
) -> Floats:
    """Least squares of targets [rows] on features [rows, n] with a constant; prior [n + 1], the constant last.

    weights: [rows]. The constant is free, the slopes are drawn to the prior's.
    """
    x = np.column_stack([features, np.ones(len(features))])
    hold = strength * weights.sum() * np.append(np.ones(features.shape[1]) * features.var(0).mean(), 0.0)
    left = (x * weights[:, None]).T @ x + np.diag(hold) + 1e-9 * np.eye(x.shape[1])
    right = x.T @ (weights * (targets - x @ prior))
    return np.asarray(prior + np.linalg.solve(left, right))


def refit(layer: nn.Linear, parts: Sequence[tuple[Floats, Floats, Floats]], *, strength: float = STRENGTH) -> None:
    """Refit the layer in place.

    parts: features [clips, 7], targets [clips, 8], NaN where there is no rating, and their weights [clips, 8].
    """
    weight, bias = layer.weight.detach().double().cpu().numpy(), layer.bias.detach().double().cpu().numpy()
    for emotion in range(len(bias)):
        rows = [np.isfinite(targets[:, emotion]) for _, targets, _ in parts]
        if sum(row.sum() for row in rows) < 10:
            continue
        x, y, w = (
            np.concatenate(values)
            for values in zip(
                *((f[r], t[r, emotion], k[r, emotion]) for (f, t, k), r in zip(parts, rows, strict=True)), strict=True
            )
        )
        fitted = ridge_towards(x, y, w, np.append(weight[emotion], bias[emotion]), strength)
        weight[emotion], bias[emotion] = fitted[:-1], fitted[-1]
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(bias))
