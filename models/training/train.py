"""Training on everything at once: emotion ratings, perceptual ratings and music of known qualities.

Each step draws so many clips of each source, crops ten seconds of each, changes them in ways that leave the rating
true, and takes a step of AdamW on the sum of the heads' squared errors. What ships is the running mean of the
weights. The state after every epoch is kept beside the output, so an interrupted run goes on where it was and ends
with the same weights; every random number follows from the seed and the epoch.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..common.constants import EMOTIONS, MIDLEVEL
from ..common.errors import InputError
from ..datasets.augmentation import augment, crop
from ..datasets.clip_dataset import TARGET_SETS, ClipDataset, clip_digests, material_digest
from ..inference.checkpoint import read_checkpoint
from ..inference.device import use_deterministic_fp32
from ..inference.threads import torch_threads
from ..network.model import MidlevelNetwork
from .losses import LabelCalibration, load_published_layer, training_loss
from .run_state import TrainingState
from .settings import TrainingSettings


@dataclass(frozen=True)
class TrainingSource:
    """Clips that teach, `share` of them in every batch."""

    name: str
    material: ClipDataset
    per_batch: int


def new_network(settings: TrainingSettings) -> MidlevelNetwork:
    """The network at its start, from the seed."""
    torch.manual_seed(settings.seed)
    network = MidlevelNetwork(settings.architecture, dropout=settings.dropout)
    nn.init.constant_(network.midlevel.bias, 0.5)  # type: ignore[arg-type]
    if settings.start is not None:
        begin = read_checkpoint(settings.start)
        if begin.architecture != settings.architecture:
            raise InputError(
                f"{settings.start}: its architecture is {begin.architecture}, not {settings.architecture}"
            )
        tensors = {name: tensor for name, tensor in begin.tensors.items() if not name.startswith("emotions.")}
        network.load_state_dict(tensors, strict=False)
    if settings.layer in ("fixed", "start"):
        weight, bias = load_published_layer()
        network.emotions.load_state_dict({"weight": weight, "bias": bias})
        network.emotions.requires_grad_(settings.layer == "start")
    return network


def _draw(
    sources: Sequence[TrainingSource], rng: np.random.Generator, device: str
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    crops, targets = [], []
    for source in sources:
        chosen = rng.choice(len(source.material), source.per_batch, replace=source.per_batch > len(source.material))
        crops += [crop(source.material.spectrograms[i], rng) for i in chosen]
        targets.append({head: values[chosen] for head, values in source.material.targets.items()})
    batch = torch.from_numpy(augment(np.stack(crops), rng)).to(device)
    return batch, {
        head: torch.from_numpy(np.concatenate([t[head] for t in targets])).to(device) for head in TARGET_SETS
    }


def train(
    sources: Sequence[TrainingSource],
    settings: TrainingSettings,
    *,
    state: Path | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> MidlevelNetwork:
    """Train from the start or from `state`, a file in which every finished epoch is kept; returns the mean network,
    on the CPU.

    progress is called with the number of finished epochs and the mean loss of the last one.
    Raises InputError when `state` belongs to other settings or sources, or is damaged.
    """
    with torch_threads(settings.threads):
        return _train(sources, settings, state, progress)


def _train(
    sources: Sequence[TrainingSource],
    settings: TrainingSettings,
    state: Path | None,
    progress: Callable[[int, float], None] | None,
) -> MidlevelNetwork:
    use_deterministic_fp32(settings.device)
    network = new_network(settings)
    network.to(settings.device).to(memory_format=torch.channels_last)
    heads = LabelCalibration().to(settings.device)
    if all(
        np.isnan(source.material.targets[head]).all() for source in sources for head in TARGET_SETS if head != "known"
    ):
        heads.requires_grad_(False)  # nothing else says what the scale is: it is that of the qualities
    mean = new_network(settings).to(settings.device)
    learners = [p for p in (*network.parameters(), *heads.parameters()) if p.requires_grad]
    optimiser = torch.optim.AdamW(learners, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    total_steps = settings.epochs * settings.steps_per_epoch
    run = TrainingState(network, heads, mean, optimiser, _fingerprint(sources, settings))
    first = run.restore(state) if state is not None and state.exists() else 0
    for epoch in range(first, settings.epochs):
        rng = np.random.default_rng([settings.seed, epoch])
        torch.manual_seed(settings.seed * 100_003 + epoch)  # dropout
        network.train()
        losses = []
        for step in range(settings.steps_per_epoch):
            done = (epoch * settings.steps_per_epoch + step) / total_steps
            warm = min(1.0, done * 20)
            rate = settings.learning_rate * warm * (0.5 + 0.5 * np.cos(np.pi * done))
            for group in optimiser.param_groups:
                group["lr"] = rate
            batch, targets = _draw(sources, rng, settings.device)
            with torch.autocast(batch.device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"):
                loss = training_loss(network, heads, batch, targets)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(learners, 1.0)
            optimiser.step()
            _update_ema(mean, network, settings.averaging if done > 0.1 else 0.5)
            losses.append(loss.item())
        if not np.isfinite(losses).all():
            raise InputError(
                f"training went astray in epoch {epoch + 1} (learning rate {settings.learning_rate} too high?)"
            )
        if state is not None:
            run.keep(state, epoch + 1)
        if progress:
            progress(epoch + 1, float(np.mean(losses)))
    return mean.cpu().eval()


@torch.no_grad()
def _update_ema(mean: nn.Module, network: nn.Module, decay: float) -> None:
    """Running mean of the weights and of the normalisation's statistics."""
    for kept, new in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)


def _fingerprint(sources: Sequence[TrainingSource], settings: TrainingSettings) -> str:
    parts = {
        source.name: [len(source.material), source.per_batch, material_digest(source.material)] for source in sources
    }
    return json.dumps({"settings": settings.to_record(), "sources": parts}, sort_keys=True)


def training_record(sources: Sequence[TrainingSource], settings: TrainingSettings, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """The training record that is kept in the checkpoint."""
    return {
        "settings": settings.to_record(),
        "sources": {source.name: {"clips": len(source.material), "share": source.per_batch} for source in sources},
        "midlevel": MIDLEVEL,
        "emotions": EMOTIONS,
        "clip_digests": sorted({digest for source in sources for digest in clip_digests(source.material)}),
        **more,
    }
