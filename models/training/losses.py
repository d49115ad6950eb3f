"""Training losses: the scale of each kind of rating, and the error of predictions on it."""

import importlib.resources
import json
from collections.abc import Mapping
from typing import Final

import torch
from torch import nn

from ..common.constants import EMOTIONS, MIDLEVEL
from ..datasets.clip_dataset import EMOTION_SETS, TARGET_SETS
from ..network.model import MidlevelNetwork

HEAD_WEIGHTS: Final = {
    "emotions": 0.8,
    "midlevel": 1.0,
    "known": 1.0,
    "heard": 2.5,
    "felt": 1.0,
    "vgmidi": 0.5,
    "emopia": 0.3,
}
"""How much the squared error counts for each head, a mean over the clips that it is asked of."""

SYNTHETIC_FEATURE_WEIGHTS: Final = dict.fromkeys(MIDLEVEL, 1.0) | {
    "modality": 5.0, "rhythmic_complexity": 4.0, "rhythmic_stability": 3.0, "tonal_stability": 3.0,
}  # fmt: skip
"""And for each feature of synthetic music: those that are the hardest to learn are lost first beside ratings."""

MAX_FEATURE_CORRELATION: Final = 0.75
CORRELATION_PENALTY_WEIGHT: Final = 0.3


class LabelCalibration(nn.Module):
    """What ties predictions to scales that are not theirs.

    A rising line for each feature of `known` and `heard`, and for each emotion of `felt`, `vgmidi` and `emopia`.
    """

    def __init__(self) -> None:
        super().__init__()
        sizes = {head: len(EMOTIONS if head in EMOTION_SETS else MIDLEVEL) for head in TARGET_SETS[2:]}
        self.slope = nn.ParameterDict({head: nn.Parameter(torch.zeros(size)) for head, size in sizes.items()})
        self.offset = nn.ParameterDict({head: nn.Parameter(torch.zeros(size)) for head, size in sizes.items()})

    def forward(self, head: str, predicted: torch.Tensor) -> torch.Tensor:
        """Predictions on the scale of a head's ratings."""
        # exp keeps the slope positive; 0.5 is the middle of both scales
        return torch.as_tensor(0.5 + self.offset[head] + torch.exp(self.slope[head]) * (predicted - 0.5))

    def undone(self, head: str, rated: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Ratings on the scale of the predictions, and the slope of each line."""
        slope = torch.exp(self.slope[head])
        return (rated - 0.5 - self.offset[head]) / slope + 0.5, slope


def load_published_layer() -> tuple[torch.Tensor, torch.Tensor]:
    """Weights [8, 7] and bias [8] of the paper's mid-level to emotion layer (mid2emo_published.json)."""
    text = (importlib.resources.files("moodfader.models.weights") / "mid2emo_published.json").read_text()
    table = json.loads(text)
    return torch.tensor(table["weights"]), torch.tensor(table["bias"])


def correlation_penalty(midlevel: torch.Tensor) -> torch.Tensor:
    """By how much any two of the seven columns of [clips, 7] correlate beyond what is allowed, squared and summed.

    Seven features are not one: without this, those that no rating speaks of all become the pleasantness of a clip.
    """
    centred = midlevel - midlevel.mean(0)
    unit = centred / (centred.norm(dim=0) + 1e-6)
    beyond = torch.relu((unit.T @ unit).abs() - MAX_FEATURE_CORRELATION) ** 2
    return torch.as_tensor(torch.triu(beyond, diagonal=1).sum())


def training_loss(
    network: MidlevelNetwork,
    heads: LabelCalibration,
    pooled: torch.Tensor,
    targets: Mapping[str, torch.Tensor],
    weights: torch.Tensor,
) -> torch.Tensor:
    """Sum of the heads' mean squared errors, of pooled outputs [clips, 7] against the clips' targets.

    weights: [clips], how much the ratings of each count.
    """
    midlevel, emotions = network.read(pooled)
    recordings = torch.isnan(targets["known"]).all(1)
    total = torch.zeros((), device=pooled.device)
    for head, target in targets.items():
        rated = ~torch.isnan(target)
        if rated.any():
            predicted = emotions if head in EMOTION_SETS else midlevel
            if head not in ("emotions", "midlevel"):
                predicted = heads(head, predicted)
            squared = torch.where(rated, predicted - torch.nan_to_num(target), 0.0) ** 2
            if head == "known":
                squared = squared * torch.tensor(
                    [SYNTHETIC_FEATURE_WEIGHTS[name] for name in MIDLEVEL], device=target.device
                )
            total = total + HEAD_WEIGHTS[head] * ((squared.sum(1) * weights).sum() / rated.any(1).sum())
    if recordings.sum() > len(MIDLEVEL):
        total = total + CORRELATION_PENALTY_WEIGHT * correlation_penalty(midlevel[recordings])
    # The soft limits are for what is rare: where the features lie, the scale shall be straight.
    return total + 0.1 * (torch.relu(-pooled) ** 2 + torch.relu(pooled - 1) ** 2).sum() / len(pooled)
