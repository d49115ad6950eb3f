"""Cross-validation: for every fold a network that was trained without it.

Every repeat has a seed of its own, which divides the albums into folds and trains the networks. A finished network is
kept as a checkpoint in a folder, under a name that holds a digest of settings, data and division; so an interrupted
run is resumed, several runs with different seeds can fill one folder, and a further evaluation uses the networks that
are there already.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..common.arrays import Floats
from ..datasets.clip_dataset import ClipDataset
from ..datasets.digests import short_digest
from ..inference.checkpoint import load_model, save_model, tensors_digest
from ..inference.fold import optimise_for_inference
from ..inference.predict_clips import predict_clips
from ..network.model import MidlevelNetwork
from .batches import TrainingSource
from .settings import TrainingSettings
from .train import new_network, train, training_record

SourcesOf = Callable[[Sequence[int]], Sequence[TrainingSource]]
"""Makes the training sources for the clips of given indices, without anything of the other clips' groups."""


@dataclass(frozen=True)
class FoldModel:
    """A network ready to predict, and the clips of its fold, which it was not trained on."""

    seed: int
    part: int
    tested: tuple[int, ...]
    network: MidlevelNetwork


@dataclass(frozen=True)
class FoldEnsemble:
    """Fold models by run: in each run at most one was trained without a given clip."""

    runs: tuple[tuple[FoldModel, ...], ...]

    def predict_out_of_fold(self, material: ClipDataset, rows: Sequence[int] | None = None) -> tuple[Floats, Floats]:
        """Mid-levels [runs, clips, 7] and emotions [runs, clips, 8] of clips that were divided.

        Each is predicted by the network that was not trained on it; NaN where there is none. rows: which of the
        divided clips they are, by default all.
        """
        places = {row: place for place, row in enumerate(range(len(material)) if rows is None else rows)}
        midlevel = np.full((len(self.runs), len(material), 7), np.nan)
        emotions = np.full((len(self.runs), len(material), 8), np.nan)
        for run, models in enumerate(self.runs):
            for model in models:
                own = [places[row] for row in model.tested if row in places]
                if own:
                    midlevel[run, own], emotions[run, own] = predict_clips(model.network, material.subset(own))
        return midlevel, emotions

    def predict_unseen(self, material: ClipDataset) -> tuple[Floats, Floats]:
        """The same for clips of no fold, by every fold model: [models, clips, 7] and [models, clips, 8]."""
        predicted = [predict_clips(model.network, material) for models in self.runs for model in models]
        return np.array([m for m, _ in predicted]), np.array([e for _, e in predicted])


def single_model(network: MidlevelNetwork, clips: int) -> FoldEnsemble:
    """An ensemble of one trained network that predicts every clip; valid for clips that it was not trained on."""
    return FoldEnsemble(((FoldModel(seed=0, part=0, tested=tuple(range(clips)), network=network),),))


def train_folds(
    parts: Sequence[Sequence[int]],
    clips: int,
    sources_of: SourcesOf,
    settings: TrainingSettings,
    *,
    material: str,
    folder: Path | None = None,
    progress: Callable[[int, int, float], None] | None = None,
) -> Iterator[FoldModel]:
    """A fold model for each part of `clips` clips, trained with settings (and its seed) on all other clips.

    material: digest of everything that is learned from (`datasets/digests.py`). folder: where finished networks are
    kept, and the state of the one that is being trained. progress is called with part, finished epochs and loss.
    Raises InputError as `train`.
    """
    for number, part in enumerate(parts):
        kept = sorted(set(range(clips)) - set(part))

        def finished(epoch: int, loss: float, number: int = number) -> None:
            if progress:
                progress(number, epoch, loss)

        path = None
        if folder is not None:
            path = folder / f"seed{settings.seed}-part{number}-{_key(settings, material, kept)}.safetensors"
        if path is not None and path.is_file():
            network = load_model(path).network
        else:
            network = _trained(sources_of(kept), settings, path, finished)
        yield FoldModel(settings.seed, number, tuple(int(i) for i in part), network)


def _trained(
    sources: Sequence[TrainingSource],
    settings: TrainingSettings,
    path: Path | None,
    finished: Callable[[int, float], None],
) -> MidlevelNetwork:
    state = None if path is None else path.with_suffix(".state")
    network = train(sources, settings, state=state, progress=finished)
    if path is None or state is None:
        optimise_for_inference(network)
        return network
    save_model(network, path, record=training_record(sources, settings))
    state.unlink(missing_ok=True)
    return load_model(path).network


def _key(settings: TrainingSettings, material: str, kept: Sequence[int]) -> str:
    """Digest of settings, data and the untrained network, so that a changed architecture has another key."""
    start = tensors_digest(new_network(settings).state_dict())
    return short_digest(settings.to_record(), material, list(kept), start)
