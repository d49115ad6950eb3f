"""Adversarial gain fields: for every clip, small changes of gain that move the features as far as they can.

A gain field gives a gain in dB to every frame and band of a spectrogram. A network is fooled by narrow fields that
nobody would notice; one that is trained to predict the same with and without them (Goodfellow et al. 2015; Madry et
al. 2018) leans on what is broader. A field is found in one step: from a narrow random one along the gradient of a
random combination of the features, smoothed, half of the fields in every pixel and half in cells of random size.

Changes that a listener does hear as such are taken out of the fields and stay free to move the features: those of
whole frames (level, attack and decay) and those of broad bands over the whole clip (tone).

Shapes: spectrograms log10(1 + x) and fields in dB, [clips, frames, bands].
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from ..common.constants import MIDLEVEL
from ..network.model import MidlevelNetwork
from ..network.spectrogram import apply_gain_db

GAIN_LIMIT_DB: Final = 12.0
_TONE_BANDS: Final = 25
"""Width in bands, an octave, of what counts as a change of tone."""
_START_RMS_DB: Final = (0.3, 1.5)
_CELL_FACTOR: Final = 2.5
"""How much larger fields of cells may be than those of single pixels."""


@dataclass(frozen=True)
class PerturbationBudget:
    """Perturbation budget (epsilon): rms of the fields in dB.

    It is drawn log-uniformly from a range that grows from `begin` to `end` while training.
    """

    begin: tuple[float, float] = (0.2, 1.5)
    end: tuple[float, float] = (0.4, 3.0)

    def draw(self, count: int, training_fraction: float, rng: np.random.Generator) -> torch.Tensor:
        """[count, 1, 1] in dB; training_fraction: how much of the training is over, 0..1."""
        low, high = (a * (b / a) ** training_fraction for a, b in zip(self.begin, self.end, strict=True))
        drawn = np.exp(rng.uniform(np.log(low), np.log(high), (count, 1, 1)))
        return torch.from_numpy(drawn.astype(np.float32))


def smooth(fields: torch.Tensor, times: int = 2) -> torch.Tensor:
    """1-2-1 in frames and bands, the borders repeated."""
    kernel = fields.new_tensor([0.25, 0.5, 0.25])
    kernel = (kernel[:, None] * kernel).expand(1, 1, 3, 3)
    x = fields.unsqueeze(1)
    for _ in range(times):
        x = torch.nn.functional.conv2d(torch.nn.functional.pad(x, (1, 1, 1, 1), "replicate"), kernel)
    return x.squeeze(1)


def remove_level_and_tone(fields: torch.Tensor) -> torch.Tensor:
    """The fields without their broad parts: mean of each frame, and tone (octave-wide mean of each band)."""
    fields = fields - fields.mean(2, keepdim=True)
    tone = torch.nn.functional.avg_pool1d(
        fields.mean(1, keepdim=True), _TONE_BANDS, 1, _TONE_BANDS // 2, count_include_pad=False
    )
    return fields - tone


def scaled(fields: torch.Tensor, rms_db: torch.Tensor) -> torch.Tensor:
    """The fields at an rms in dB each, [clips, 1, 1], held within the limit."""
    rms = fields.square().mean((1, 2), keepdim=True).sqrt()
    return (fields * (rms_db / rms.clamp(min=1e-12))).clamp(-GAIN_LIMIT_DB, GAIN_LIMIT_DB)


def in_cells(fields: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Replace each value by the sum over its cell of a random grid: 4 to 24 frames, 3 to 12 bands."""
    frames, bands = fields.shape[1:]
    labels = []
    for length, low, high in ((frames, 4, 24), (bands, 3, 12)):
        edges = np.cumsum(rng.integers(low, high + 1, length // low + 1))
        labels.append(torch.from_numpy(np.searchsorted(edges, np.arange(length), side="right")))
    cell = labels[0][:, None] * (int(labels[1].max()) + 1) + labels[1]
    index = cell.flatten().expand(len(fields), -1)
    sums = fields.new_zeros(len(fields), int(cell.max()) + 1).scatter_add_(1, index, fields.flatten(1))
    return sums.gather(1, index).view_as(fields)


def adversarial_fields(
    network: MidlevelNetwork, spectrograms: torch.Tensor, rms_db: torch.Tensor, rng: np.random.Generator
) -> torch.Tensor:
    """A field for each spectrogram, of rms_db [clips, 1, 1] or, every other one, 2.5 times as much in cells.

    The network's mode and gradients stay as they are; the fields are found in evaluation mode.
    """
    clips = len(spectrograms)
    noise = torch.from_numpy(rng.standard_normal(spectrograms.shape, np.float32)).to(spectrograms.device)
    first_db = torch.from_numpy(rng.uniform(*_START_RMS_DB, (clips, 1, 1)).astype(np.float32)).to(noise.device)
    start = scaled(remove_level_and_tone(smooth(noise)), torch.minimum(first_db, rms_db))
    weights = torch.from_numpy(rng.standard_normal((clips, len(MIDLEVEL)), np.float32)).to(noise.device)
    gradient = _gradient(network, spectrograms, start, weights)
    step = smooth(gradient)
    cells = torch.arange(clips, device=noise.device) % 2 == 1
    step[cells] = smooth(in_cells(gradient[cells], rng), 1)
    rms_db = torch.where(cells.view(-1, 1, 1), rms_db * _CELL_FACTOR, rms_db)
    return scaled(remove_level_and_tone(start + scaled(step, rms_db)), rms_db)


def _gradient(
    network: MidlevelNetwork, spectrograms: torch.Tensor, fields: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Gradient of the features, weighted by `weights` [clips, 7], with respect to the gain fields."""
    training = network.training
    network.eval()
    fields = fields.clone().requires_grad_()
    with torch.enable_grad():
        moved = (network.pooled(apply_gain_db(spectrograms, fields)).float() * weights).sum()
        (gradient,) = torch.autograd.grad(moved, fields)
    network.train(training)
    return gradient.float()
