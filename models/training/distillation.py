"""Distillation: the mean hidden activations of a network are trained to predict the embedding of a teacher.

The embedding of another network, trained by somebody else on much more music, is learned beside the ratings.
It is reduced to its largest principal components, and a linear map from the mean hidden activations, thrown away
after training, is fitted to them along with everything else (Hinton et al. 2015; Romero et al. 2015).
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..network.model import MidlevelNetwork

COMPONENTS: Final = 64


def principal_components(embeddings: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """[clips, values] -> [clips, COMPONENTS], each clip's, of total variance one; NaN rows stay NaN."""
    rows = np.isfinite(embeddings).all(1)
    x = embeddings[rows].astype(np.float64)
    spread = x.std(0)
    x = (x - x.mean(0)) / np.where(spread > 0, spread, 1)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    parts = (u * s)[:, :COMPONENTS]
    parts /= np.sqrt(parts.var(0).sum())
    result = np.full((len(embeddings), COMPONENTS), np.nan, np.float32)
    result[rows, : parts.shape[1]] = parts
    result[rows, parts.shape[1] :] = 0
    return result


class EmbeddingHead(nn.Module):
    """Linear map from the mean activations before the last local layers to the teacher's components.

    It listens to the network by hooks; `forward` gives [clips, COMPONENTS] for the last batch.
    """

    def __init__(self, network: MidlevelNetwork) -> None:
        super().__init__()
        layers = [network.midlevel] + ([network.context.midlevel] if network.context is not None else [])
        self._means: dict[int, torch.Tensor] = {}
        for place, layer in enumerate(layers):
            layer.register_forward_pre_hook(lambda _, inputs, place=place: self._keep(place, inputs[0]))
        self.map = nn.Linear(sum(layer.in_channels for layer in layers), COMPONENTS)

    def _keep(self, place: int, x: torch.Tensor) -> None:
        if torch.is_grad_enabled():
            self._means[place] = x.flatten(2).mean(2)

    def forward(self) -> torch.Tensor:
        """The embedding [clips, numbers] predicted for the last input of the network."""
        means = torch.cat([self._means[place].float() for place in sorted(self._means)], 1)
        self._means.clear()
        return torch.as_tensor(self.map(means))


def embedding_loss(predicted: torch.Tensor, components: torch.Tensor) -> torch.Tensor:
    """Mean squared distance [] over the clips [clips, COMPONENTS] with an embedding of the teacher (others: NaN)."""
    rows = ~torch.isnan(components).any(1)
    error = (predicted - torch.nan_to_num(components)).square().sum(1)
    return torch.where(rows, error, 0.0).sum() / rows.sum().clamp(min=1)
