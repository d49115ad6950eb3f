"""What is asked of a network while it learns: the scales of the ratings, and how far it is from them."""

import importlib.resources
import json
from collections.abc import Mapping
from typing import Final

import torch
from torch import nn

from ..common.constants import MIDLEVEL
from ..datasets.clip_dataset import TARGET_SETS
from ..network.model import MidlevelNetwork

HEAD_WEIGHTS: Final = {"emotions": 0.8, "midlevel": 1.0, "known": 1.0, "heard": 2.5}
"""How much the squared error counts for each head, a mean over the clips that it is asked of."""

SYNTHETIC_FEATURE_WEIGHTS: Final = dict.fromkeys(MIDLEVEL, 1.0) | {"modality": 5.0, "tonal_stability": 2.0}
"""And for each quality of known music: minor is the hardest to hear, then the key, and beside ratings they are lost
first."""

MAX_FEATURE_CORRELATION: Final = 0.75
CORRELATION_PENALTY_WEIGHT: Final = 0.3


class LabelCalibration(nn.Module):
    """What ties mid-levels to scales that are not theirs: a rising line for each feature of `known` and `heard`."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.ParameterDict({head: nn.Parameter(torch.zeros(len(MIDLEVEL))) for head in TARGET_SETS[2:]})
        self.offset = nn.ParameterDict({head: nn.Parameter(torch.zeros(len(MIDLEVEL))) for head in TARGET_SETS[2:]})

    def forward(self, head: str, midlevel: torch.Tensor) -> torch.Tensor:
        # exp keeps the slope positive; 0.5 is the middle of both scales
        return torch.as_tensor(0.5 + self.offset[head] + torch.exp(self.slope[head]) * (midlevel - 0.5))


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
    network: MidlevelNetwork, heads: LabelCalibration, batch: torch.Tensor, targets: Mapping[str, torch.Tensor]
) -> torch.Tensor:
    midlevel, emotions = network(batch)
    midlevel, emotions = midlevel.float(), emotions.float()
    recordings = torch.isnan(targets["known"]).all(1)
    total = torch.zeros((), device=batch.device)
    for head, target in targets.items():
        rated = ~torch.isnan(target)
        if rated.any():
            said = {"emotions": emotions, "midlevel": midlevel}.get(head)
            said = heads(head, midlevel) if said is None else said
            squared = (said - target)[rated] ** 2
            if head == "known":
                counts = torch.tensor([SYNTHETIC_FEATURE_WEIGHTS[name] for name in MIDLEVEL], device=target.device)
                squared = squared * counts.expand_as(target)[rated]
            total = total + HEAD_WEIGHTS[head] * (squared.sum() / rated.any(1).sum())
    if recordings.sum() > len(MIDLEVEL):
        total = total + CORRELATION_PENALTY_WEIGHT * correlation_penalty(midlevel[recordings])
    # Mid-levels are ratings as well: outside of 0..1 they would mean nothing.
    return total + 0.1 * (torch.relu(-midlevel) ** 2 + torch.relu(midlevel - 1) ** 2).sum() / len(batch)
