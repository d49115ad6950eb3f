"""The training loop, over all sources at once: emotion ratings, perceptual ratings, synthetic music.

Each step draws so many clips of each source, crops ten seconds of each, augments them in ways that leave the rating
true, and takes a step of AdamW on the sum of the heads' squared errors, of the change under adversarial gain fields
and of the distance from a teacher's embedding. What ships is the running mean of the weights. The state after every
epoch is kept beside the output, so an interrupted run goes on where it was and ends with the same weights; every
random number follows from the seed and the epoch.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..common.constants import EMOTIONS, MIDLEVEL
from ..common.errors import InputError
from ..datasets.clip_dataset import TARGET_SETS, clip_digests, material_digest
from ..inference.checkpoint import read_checkpoint
from ..inference.device import use_deterministic_fp32
from ..inference.threads import torch_threads
from ..network.layers import set_copies
from ..network.model import MidlevelNetwork
from ..network.spectrogram import apply_gain_db
from .batches import Batch, TrainingSource, draw, with_components
from .distillation import EmbeddingHead, embedding_loss
from .emotion_layer import END_STRENGTH, START_STRENGTH, refit_to
from .gain_fields import PerturbationBudget, adversarial_fields
from .losses import LabelCalibration, load_published_layer, training_loss
from .run_state import TrainingState
from .settings import TrainingSettings


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
        tensors = {name: tensor for name, tensor in begin.state_dict().items() if not name.startswith("emotions.")}
        network.load_state_dict(tensors, strict=False)
    if settings.layer in ("fixed", "start"):
        weight, bias = load_published_layer()
        network.emotions.load_state_dict({"weight": weight, "bias": bias})
        network.emotions.requires_grad_(settings.layer == "start")
    return network


def _with_copies(
    network: MidlevelNetwork, batch: Batch, settings: TrainingSettings, done: float, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The clips and, behind them, copies of some recordings under adversarial gain fields; which they are of."""
    count = min(settings.copies, len(batch.recordings)) if settings.consistency > 0 else 0
    if count == 0:
        return batch.spectrograms, None
    chosen = torch.from_numpy(rng.permutation(len(batch.recordings))[:count])
    rows = batch.recordings[chosen.to(batch.spectrograms.device)]
    clean = batch.spectrograms[rows]
    rms_db = PerturbationBudget().draw(count, done if settings.growing else 1.0, rng).to(clean.device)
    fields = adversarial_fields(network, clean, rms_db, rng)
    return torch.cat([batch.spectrograms, apply_gain_db(clean, fields)]), rows


def _step_loss(
    network: MidlevelNetwork,
    heads: LabelCalibration,
    teacher: EmbeddingHead,
    batch: Batch,
    settings: TrainingSettings,
    done: float,
    rng: np.random.Generator,
) -> torch.Tensor:
    with torch.autocast(settings.device, torch.bfloat16, enabled=settings.precision == "bfloat16"):
        spectrograms, rows = _with_copies(network, batch, settings, done, rng)
        set_copies(network, rows)
        pooled = network.pooled(spectrograms)
    set_copies(network, None)
    pooled, changed = pooled.float().split([len(batch), len(pooled) - len(batch)])
    loss = training_loss(network, heads, pooled, batch.targets, batch.weights)
    if rows is not None:
        loss = loss + settings.consistency * (changed - pooled[rows]).square().sum(1).mean()
    if settings.distillation > 0:
        loss = loss + settings.distillation * embedding_loss(teacher()[: len(batch)], batch.components)
    return loss


def train(
    sources: Sequence[TrainingSource],
    settings: TrainingSettings,
    *,
    state: Path | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> MidlevelNetwork:
    """Train from the start or from `state`, in which every finished epoch is kept; the mean network, on the CPU.

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
    teacher = EmbeddingHead(network).to(settings.device)
    if settings.refit and settings.layer == "start":
        refit_to(sources, network, heads, strength=START_STRENGTH)
        mean.emotions.load_state_dict(network.emotions.state_dict())
    learners = [p for p in (*network.parameters(), *heads.parameters(), *teacher.parameters()) if p.requires_grad]
    layer = {id(p) for p in network.emotions.parameters()}
    groups = [
        {"params": [p for p in learners if id(p) not in layer], "factor": 1.0},
        {"params": [p for p in learners if id(p) in layer], "factor": settings.layer_rate, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    taught = with_components(sources)
    total_steps = settings.epochs * settings.steps_per_epoch
    run = TrainingState(network, heads, mean, teacher, optimiser, _fingerprint(sources, settings))
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
                group["lr"] = rate * group["factor"]
            batch = draw(taught, rng, settings.device)
            loss = _step_loss(network, heads, teacher, batch, settings, done, rng)
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
    if settings.refit and settings.layer == "start":
        refit_to(sources, mean, heads, strength=END_STRENGTH)
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
