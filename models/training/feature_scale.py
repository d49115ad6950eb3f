"""Sets the scale of the features once after training, by their standard deviation over recordings.

Ratings of emotions tie the features' meaning, not their scale, for the last layer makes up for it, and training
against gain fields makes them narrower. So each is stretched around its mean until its spread over recordings is at
least SPREAD, and its column of the last layer is divided by as much: the emotions stay as they are.
"""

from typing import Final

import numpy as np
import torch

from ..common.arrays import Floats
from ..network.model import MidlevelNetwork

SPREAD: Final = 0.14
"""Standard deviation over recordings, on the scale 0..1."""


@torch.no_grad()
def widen_features(network: MidlevelNetwork, features: Floats, *, spread: float = SPREAD) -> Floats:
    """Stretch the features of a network in place; returns by how much [7], at least 1.

    features: [clips, 7], as it predicts them for recordings.
    """
    factors = np.maximum(spread / np.maximum(features.std(0), 1e-6), 1.0)
    centres = torch.from_numpy(features.mean(0)).float().to(network.device)
    stretch = torch.from_numpy(factors).float().to(network.device)
    parts = [network.midlevel] + ([network.context.midlevel] if network.context is not None else [])
    for place, part in enumerate(parts):
        assert part.bias is not None
        part.weight.mul_(stretch.view(-1, *[1] * (part.weight.dim() - 1)))
        part.bias.mul_(stretch)
        if place == 0:  # the parts' means are added, so the centres are kept once
            part.bias.add_(centres * (1 - stretch))
    layer = network.emotions
    layer.bias.add_(layer.weight @ (centres * (1 - 1 / stretch)))
    layer.weight.div_(stretch)
    return np.asarray(factors)
