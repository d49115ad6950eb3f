"""Who judges which recording: a trained model, or the networks of a cross-validation; and what they say."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import FloatArray, Floats, ProgressCallback
from ...models.common.constants import SAMPLE_RATE
from ...models.common.digests import short_digest
from ...models.datasets.clip_dataset import TARGET_SETS, ClipDataset, material_digest
from ...models.datasets.folds import group_folds
from ...models.datasets.table import Clip, SweepClip
from ...models.evaluation.out_of_domain import out_of_domain_sounds
from ...models.evaluation.results import EvaluationInputs
from ...models.evaluation.robustness import OUTPUT_NAMES, perturb_audio
from ...models.training.batches import TrainingSource
from ...models.training.cross_validation import FoldEnsemble, FoldModel, SourcesOf, train_folds
from ...models.training.settings import TrainingSettings
from ..console.output import Output
from .datasets import LabelledDataset, compute_spectrogram, read_mono

MOST_DISTURBED: Final = 400
"""Of more recordings, so many, evenly drawn, are changed to see how far the answers move."""


def concatenate(rated: Sequence[LabelledDataset]) -> tuple[list[Clip], ClipDataset]:
    """All parts end to end."""
    clips = [clip for part in rated for clip in part.clips]
    spectrograms = [spectrogram for part in rated for spectrogram in part.material.spectrograms]
    targets = {head: np.concatenate([part.material.targets[head] for part in rated]) for head in TARGET_SETS}
    return clips, ClipDataset(spectrograms, targets)


def run_cross_validation(
    rated: Sequence[LabelledDataset],
    settings: TrainingSettings,
    *,
    folds: int,
    first: int,
    repeats: int,
    folder: Path | None,
    voice: Output,
) -> FoldEnsemble:
    """Train (or find in `folder`) the networks of `repeats` divisions into folds, of which the `first` are tested.

    Seeds are settings.seed, settings.seed + 1, ... Raises InputError as training does.
    """
    clips, _ = concatenate(rated)
    digest = short_digest([(part.name, part.share, material_digest(part.material)) for part in rated])
    runs = []
    for repeat in range(repeats):
        own = dataclasses.replace(settings, seed=settings.seed + repeat)
        parts = make_folds(rated, folds, seed=own.seed)[:first]
        with voice.progress(f"Cross-validation {repeat + 1} of {repeats}") as report:
            losses: dict[int, float] = {}  # by part, of those that are trained now

            def finished(part: int, epoch: int, loss: float, losses: dict[int, float] = losses) -> None:
                losses[part] = loss
                report((part * settings.epochs + epoch) / (first * settings.epochs))

            found: list[FoldModel] = []
            for judge in train_folds(
                parts, len(clips), _sources_of(rated), own, material=digest, folder=folder, progress=finished
            ):
                found.append(judge)
                said = f"loss {losses[judge.part]:.4f}" if judge.part in losses else "trained before"
                voice.log(f"fold {judge.part + 1} of {folds}, seed {own.seed}: {said}")
        runs.append(tuple(found))
    return FoldEnsemble(tuple(runs))


def make_folds(rated: Sequence[LabelledDataset], folds: int, *, seed: int) -> list[list[int]]:
    """Indices (of all parts end to end) of `folds` parts in which no group is split.

    Recordings and music of known qualities are divided apart, so that the albums fall alike whatever else is learned.
    """
    parts: list[list[int]] = [[] for _ in range(folds)]
    start = 0
    own: list[Clip] = []
    places: list[int] = []
    for part in rated:
        here = range(start, start + len(part.clips))
        start += len(part.clips)
        if part.kind == "known":
            for fold, rows in zip(parts, group_folds(part.clips, folds, seed=seed), strict=True):
                fold += [here[row] for row in rows]
        else:
            own += part.clips
            places += here
    if own:
        for fold, rows in zip(parts, group_folds(own, folds, seed=seed), strict=True):
            fold += [places[row] for row in rows]
    return [sorted(part) for part in parts]


def _sources_of(rated: Sequence[LabelledDataset]) -> SourcesOf:
    """What may be learned from of each part, given the indices of the clips that may be."""

    def sources(kept: Sequence[int]) -> list[TrainingSource]:
        found, start = [], 0
        for part in rated:
            own = [i - start for i in kept if start <= i < start + len(part.clips)]
            start += len(part.clips)
            if own:
                found.append(part.source(own))
        return found

    return sources


def collect_predictions(
    rated: Sequence[LabelledDataset],
    jury: FoldEnsemble,
    *,
    heard: tuple[Sequence[SweepClip], ClipDataset] | None,
    unseen: FoldEnsemble,
    thorough: bool,
    voice: Output,
) -> EvaluationInputs:
    """Let the jury say what it hears; `unseen` judges what nobody has learned from.

    heard: music of known qualities for testing. thorough: also sounds that are no music, and changed recordings.
    """
    clips, material = concatenate(rated)
    said = _outputs(jury.predict_out_of_fold(material))
    targets = {head: values.astype(float) for head, values in material.targets.items()}
    models = None if unseen is jury else _outputs(unseen.predict_out_of_fold(material))
    evidence = EvaluationInputs(clips=clips, said=said, rated=targets, model_said=models)
    if heard is not None:
        series, series_material = heard
        answers = _outputs(unseen.predict_unseen(series_material))
        evidence = dataclasses.replace(evidence, series=series, series_said=answers)
    if not thorough:
        return evidence
    sounds = out_of_domain_sounds()
    answers = _outputs(
        unseen.predict_unseen(ClipDataset([compute_spectrogram(sound) for sound in sounds.values()], {}))
    )
    unusual = {name: answers[:, i] for i, name in enumerate(sounds)}
    rows = evidence.whole
    rows = [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_DISTURBED)).astype(int))]
    with voice.progress("Changing recordings") as report:
        changed = _disturbed(clips, rows, jury, report)
    return dataclasses.replace(evidence, unusual=unusual, disturbed=changed, disturbed_rows=rows)


def _disturbed(
    clips: Sequence[Clip], rows: Sequence[int], jury: FoldEnsemble, report: ProgressCallback
) -> dict[str, Floats]:
    """What the jury says of each recording as it is and changed, [runs, rows, 15] by the change's name."""
    changed: dict[str, dict[int, npt.NDArray[np.float16]]] = {}  # by name and place among rows
    for place, row in enumerate(rows):
        for name, sound in perturb_audio(_stretch(clips[row])).items():
            own = changed.setdefault(name, {})
            if sound is not None:
                own[place] = compute_spectrogram(sound)
        report((place + 1) / len(rows))
    answers: dict[str, Floats] = {}
    for name, own in changed.items():
        answers[name] = np.full((len(jury.runs), len(rows), len(OUTPUT_NAMES)), np.nan)
        material = ClipDataset(list(own.values()), {})
        answers[name][:, list(own)] = _outputs(jury.predict_out_of_fold(material, [rows[place] for place in own]))
    return answers


def _stretch(clip: Clip) -> FloatArray:
    sound = read_mono(clip.path)
    first = round(clip.start_s * SAMPLE_RATE)
    return sound[first : None if clip.length_s is None else first + round(clip.length_s * SAMPLE_RATE)]


def _outputs(said: tuple[Floats, Floats]) -> Floats:
    """Mid-levels and emotions side by side."""
    return np.concatenate(said, axis=2)
