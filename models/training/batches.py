"""Batches: a number of clips of each source, cropped and augmented, with their targets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from ..datasets.augmentation import augment, crop
from ..datasets.clip_dataset import TARGET_SETS, ClipDataset
from .distillation import COMPONENTS, principal_components


@dataclass(frozen=True)
class TrainingSource:
    """Clips that teach, `share` of them in every batch."""

    name: str
    material: ClipDataset
    per_batch: int


@dataclass(frozen=True)
class Batch:
    """Clips of all sources.

    spectrograms: [clips, frames, bands]. targets: by head, as in Material. weights: [clips], of their ratings.
    components: [clips, COMPONENTS] of the teacher's embedding, NaN where there is none.
    """

    spectrograms: torch.Tensor
    targets: dict[str, torch.Tensor]
    weights: torch.Tensor
    components: torch.Tensor

    def __len__(self) -> int:
        return len(self.spectrograms)

    @property
    def recordings(self) -> torch.Tensor:
        """Indices of those that are no music of known qualities."""
        return torch.isnan(self.targets["known"]).all(1).nonzero().flatten()


def with_components(sources: Sequence[TrainingSource]) -> list[TrainingSource]:
    """The sources with their embeddings [clips, values] reduced to the principal components of all of them."""
    found = [source.material.embeddings for source in sources if source.material.embeddings is not None]
    if not found:
        return list(sources)
    parts = iter(np.split(principal_components(np.concatenate(found)), np.cumsum([len(part) for part in found])))
    return [
        source
        if source.material.embeddings is None
        else replace(source, material=replace(source.material, embeddings=next(parts)))
        for source in sources
    ]


def draw(sources: Sequence[TrainingSource], rng: np.random.Generator, device: str) -> Batch:
    """The next batch, of sources whose embeddings are reduced already."""
    crops: list[npt.NDArray[np.float32]] = []
    targets, weights, components = [], [], []
    for source in sources:
        material = source.material
        chosen = rng.choice(len(material), source.per_batch, replace=source.per_batch > len(material))
        crops += [crop(material.spectrograms[i], rng) for i in chosen]
        targets.append({head: values[chosen] for head, values in material.targets.items()})
        weights.append(np.ones(len(chosen), np.float32) if material.weights is None else material.weights[chosen])
        none = np.full((len(chosen), COMPONENTS), np.nan, np.float32)
        components.append(none if material.embeddings is None else material.embeddings[chosen])
    return Batch(
        torch.from_numpy(augment(np.stack(crops), rng)).to(device),
        {head: torch.from_numpy(np.concatenate([t[head] for t in targets])).to(device) for head in TARGET_SETS},
        torch.from_numpy(np.concatenate(weights)).to(device),
        torch.from_numpy(np.concatenate(components)).to(device),
    )
