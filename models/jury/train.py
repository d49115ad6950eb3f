"""The training of a judge's network.

It learns emotions, the published combination of its features, perceptual scales and composed music, under small
changes of level, tone and tuning, and gaps, that no listener would rate otherwise.
"""

from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import soxr
import torch
from torch import nn

from ..common.arrays import FloatArray
from ..common.constants import MIDLEVEL, SAMPLE_RATE
from ..training.losses import load_published_layer
from .material import JuryMaterial
from .mel import MEL_BANDS, MEL_RATE, LogMel
from .networks import JudgeNetwork

CROP_FRAMES: Final = 250
"""Eight seconds of every second mel frame."""
SHARES: Final = (12, 8, 3, 9)
"""Clips of film, songs, perceptual excerpts and composed music in a batch."""
RATE: Final = 2e-3
AVERAGING: Final = 0.98
_LINKED: Final = 0.6
_WEIGHTS: Final = (1.0, 0.35, 1.5, 0.6)


def train_judge(material: JuryMaterial, kind: str, *, steps: int, seed: int) -> dict[str, torch.Tensor]:
    """The state of a JudgeNetwork: the running mean of the weights over AdamW with a cosine schedule."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    mel = LogMel()
    sources = (material.film, material.felt, material.perceptual, material.known)
    pictures = [[_picture(mel, sound) for sound in source.sounds] for source in sources]
    network = JudgeNetwork(kind)
    lines = nn.Parameter(torch.zeros(2, len(MIDLEVEL)))  # logarithms of the slopes of the two feature scales
    groups: list[dict[str, Any]] = [{"params": list(network.parameters())}, {"params": [lines], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=RATE, weight_decay=0.05)
    mean = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for step in range(steps):
        done = step / steps
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, done * 20) * (0.5 + 0.5 * np.cos(np.pi * done))
        picked = [rng.choice(len(own), share, replace=False) for own, share in zip(pictures, SHARES, strict=True)]
        crops = [_crop(own[index], rng) for own, rows in zip(pictures, picked, strict=True) for index in rows]
        batch = _changed(torch.stack(crops), rng)
        targets = [torch.from_numpy(source.targets[rows]) for source, rows in zip(sources, picked, strict=True)]
        network.train()
        midlevel, emotions = network(batch)
        loss = _loss(midlevel, emotions, targets, lines)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        decay = AVERAGING if done > 0.1 else 0.5
        with torch.no_grad():
            for name, tensor in network.state_dict().items():
                if tensor.is_floating_point():
                    mean[name].lerp_(tensor, 1 - decay)
                else:
                    mean[name].copy_(tensor)
    return mean


def _loss(
    midlevel: torch.Tensor, emotions: torch.Tensor, targets: list[torch.Tensor], lines: torch.Tensor
) -> torch.Tensor:
    layer, bias = load_published_layer()
    linked = midlevel @ layer.T + bias
    edges = np.cumsum((0, *SHARES))
    film, felt, perceptual, known = (slice(a, b) for a, b in pairwise(edges))
    total = torch.zeros(())
    for rows, target, weight in ((film, targets[0], _WEIGHTS[0]), (felt, targets[1], _WEIGHTS[1])):
        total = total + weight * (_error(emotions[rows], target) + _LINKED * _error(linked[rows], target))
    for rows, target, weight, line in (
        (perceptual, targets[2], _WEIGHTS[2], lines[0]),
        (known, targets[3], _WEIGHTS[3], lines[1]),
    ):
        total = total + weight * _error(0.5 + torch.exp(line) * (midlevel[rows] - 0.5), target)
    return total


def _error(said: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Squared error, summed over what is rated, a clip."""
    rated = ~torch.isnan(target)
    return torch.as_tensor(((said - torch.nan_to_num(target))[rated] ** 2).sum() / len(target))


def _picture(mel: LogMel, sound: FloatArray) -> torch.Tensor:
    resampled = np.asarray(soxr.resample(sound, SAMPLE_RATE, MEL_RATE), np.float32)
    return torch.as_tensor(mel(torch.from_numpy(resampled))[::2].half())


def _crop(picture: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    if len(picture) < CROP_FRAMES:
        picture = picture[torch.arange(CROP_FRAMES) % len(picture)]
    start = int(rng.integers(len(picture) - CROP_FRAMES + 1))
    return picture[start : start + CROP_FRAMES].float()


def _changed(batch: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Augmented spectrograms [clips, frames, bands].

    Level -5..3 dB, tone control of 1.2 dB, a band up or down, gaps in frequency and time.
    """
    clips, frames, bands = batch.shape
    places = np.linspace(0, bands - 1, 6)
    tone: npt.NDArray[np.float64] = np.stack(
        [np.interp(np.arange(bands), places, rng.normal(0, 1.2, 6)) for _ in range(clips)]
    )
    gain_db = rng.uniform(-5, 3, (clips, 1)) + tone
    gain = torch.from_numpy(10 ** (gain_db / 10)).float()[:, None]
    batch = torch.log10(1 + (10**batch - 1) * gain)
    for clip in batch:
        clip.copy_(torch.roll(clip, int(rng.integers(-1, 2)), 1))
        if rng.random() < 0.5:
            band = int(rng.integers(MEL_BANDS - 10))
            clip[:, band : band + int(rng.integers(1, 9))] = 0
        if rng.random() < 0.5:
            frame = int(rng.integers(frames - 30))
            clip[frame : frame + int(rng.integers(1, 30))] = 0
    return batch
