"""Runs the networks of an evaluation: cross-validation over data sets, and the predictions that are evaluated."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import FloatArray, Floats
from ...models.common.constants import SAMPLE_RATE
from ...models.common.progress import ProgressCallback
from ...models.datasets.clip_dataset import TARGET_SETS, ClipDataset, clip_digests, material_digest
from ...models.datasets.digests import short_digest
from ...models.datasets.folds import genre_folds, group_folds
from ...models.datasets.table import Clip, SweepClip
from ...models.evaluation.out_of_domain import out_of_domain_sounds
from ...models.evaluation.results import EvaluationInputs
from ...models.evaluation.robustness import OUTPUT_NAMES, perturb_audio
from ...models.training.batches import TrainingSource
from ...models.training.cross_validation import FoldEnsemble, FoldModel, SourcesOf, train_folds
from ...models.training.settings import TrainingSettings
from ..console.output import Output
from .datasets import DIVIDED_ALONE, LabelledDataset, compute_spectrogram, read_mono

MAX_PERTURBED: Final = 400
"""Largest number of recordings whose robustness is measured; of more, so many are taken at equal distances."""


def concatenate(rated: Sequence[LabelledDataset]) -> tuple[list[Clip], ClipDataset]:
    """Concatenate the clips of several data sets, with their spectrograms and targets."""
    clips = [clip for dataset in rated for clip in dataset.clips]
    spectrograms = [spectrogram for dataset in rated for spectrogram in dataset.material.spectrograms]
    targets = {name: np.concatenate([dataset.material.targets[name] for dataset in rated]) for name in TARGET_SETS}
    return clips, ClipDataset(spectrograms, targets)


def training_overlap(rated: Sequence[LabelledDataset], record: Mapping[str, Any]) -> str | None:
    """Tell how many of the clips a model was trained on.

    Parameters
    ----------
    rated
        The data sets.
    record
        Training record of the model. Its digests of clips are compared; an older record has none, and the names and
        sizes of its data sets are compared instead.

    Returns
    -------
    str or None
        A line for the user; None if the model was trained on none of the clips.
    """
    total = sum(len(dataset.clips) for dataset in rated)
    unfair = "; on those the figures say little about other music (--cross-validate is the fair measure)"
    digests = record.get("clip_digests")
    if isinstance(digests, list):
        trained_on = {str(digest) for digest in digests}
        count = sum(digest in trained_on for dataset in rated for digest in clip_digests(dataset.material))
        return f"the model has learned from {count} of these {total} clips{unfair}" if count else None
    sources = record.get("sources")
    if not isinstance(sources, dict):
        return None
    same = [
        dataset.name
        for dataset in rated
        if isinstance(sources.get(dataset.name), dict) and sources[dataset.name].get("clips") == len(dataset.clips)
    ]
    if not same:
        return None
    return f"the model has most likely learned from {', '.join(same)}, as its record says{unfair}"


def run_cross_validation(
    rated: Sequence[LabelledDataset],
    settings: TrainingSettings,
    *,
    folds: int,
    first: int | None,
    repeats: int,
    folder: Path | None,
    console: Output,
    by_genre: bool = False,
) -> FoldEnsemble:
    """Train the networks of a cross-validation, or load those that an interrupted run has left.

    Parameters
    ----------
    rated
        The data sets.
    settings
        Of the training; repetitions have the seeds settings.seed, settings.seed + 1, ...
    folds
        Number of folds.
    first
        Number of folds that are tested; None for all.
    repeats
        Number of repetitions.
    folder
        Where the networks are stored; None for nowhere.
    console
        For progress and messages.
    by_genre
        Whether each fold is a genre or a data set (`genre_folds`), in place of a part of all.

    Raises
    ------
    InputError
        As by training, or when there are fewer groups than folds.
    """
    clips, _ = concatenate(rated)
    digest = short_digest([(dataset.name, dataset.share, material_digest(dataset.material)) for dataset in rated])
    runs = []
    for repeat in range(repeats):
        repeat_settings = dataclasses.replace(settings, seed=settings.seed + repeat)
        divided = genre_folds(clip_genres(rated)) if by_genre else make_folds(rated, folds, seed=repeat_settings.seed)
        tested = divided[:first]
        with console.progress(f"Cross-validation {repeat + 1} of {repeats}") as report:
            losses: dict[int, float] = {}  # by fold, of the networks that are trained in this run

            def finished(
                fold: int, epoch: int, loss: float, losses: dict[int, float] = losses, count: int = len(tested)
            ) -> None:
                losses[fold] = loss
                report((fold * settings.epochs + epoch) / (count * settings.epochs))

            models: list[FoldModel] = []
            for model in train_folds(
                tested,
                len(clips),
                _sources_of(rated),
                repeat_settings,
                material=digest,
                folder=folder,
                progress=finished,
            ):
                models.append(model)
                state = f"loss {losses[model.part]:.4f}" if model.part in losses else "trained before"
                console.log(f"fold {model.part + 1} of {len(divided)}, seed {repeat_settings.seed}: {state}")
        runs.append(tuple(models))
    return FoldEnsemble(tuple(runs))


def make_folds(rated: Sequence[LabelledDataset], folds: int, *, seed: int) -> list[list[int]]:
    """Divide the clips of several data sets into folds that keep groups together.

    Data sets that share no group with others are divided separately, so that the folds do not depend on each other.

    Parameters
    ----------
    rated
        The data sets.
    folds
        Number of folds.
    seed
        Random seed.

    Returns
    -------
    list of list of int
        Ascending indices into the concatenated clips, for each fold.
    """
    divided: list[list[int]] = [[] for _ in range(folds)]
    start = 0
    recordings: list[Clip] = []
    recording_indices: list[int] = []
    for dataset in rated:
        indices = range(start, start + len(dataset.clips))
        start += len(dataset.clips)
        if dataset.kind in DIVIDED_ALONE:
            for fold, rows in zip(divided, group_folds(dataset.clips, folds, seed=seed), strict=True):
                fold += [indices[row] for row in rows]
        else:
            recordings += dataset.clips
            recording_indices += indices
    if recordings:
        for fold, rows in zip(divided, group_folds(recordings, folds, seed=seed), strict=True):
            fold += [recording_indices[row] for row in rows]
    return [sorted(fold) for fold in divided]


def clip_genres(rated: Sequence[LabelledDataset]) -> list[str | None]:
    """Return the genre of each of the concatenated clips, for a cross-validation that leaves one out.

    It is that of the clip (Emotify has four), or the data set where clips have none; recordings that may share albums
    (Soundtracks, the perceptual ratings, Mid-level) are one genre. Synthetic music has None: it is in no fold.
    """
    genres: list[str | None] = []
    for dataset in rated:
        shared = "recordings" if dataset.kind not in DIVIDED_ALONE else dataset.kind
        for clip in dataset.clips:
            synthetic = any(name.startswith("known_") for name in clip.ratings)
            genres.append(None if synthetic else f"{shared} {clip.genre}")
    return genres


def _sources_of(rated: Sequence[LabelledDataset]) -> SourcesOf:
    """Return a function from indices of training clips to the training sources of each data set."""

    def sources(training: Sequence[int]) -> list[TrainingSource]:
        result, start = [], 0
        for dataset in rated:
            indices = [i - start for i in training if start <= i < start + len(dataset.clips)]
            start += len(dataset.clips)
            if indices:
                result.append(dataset.source(indices))
        return result

    return sources


def collect_predictions(
    rated: Sequence[LabelledDataset],
    ensemble: FoldEnsemble,
    *,
    test_sweeps: tuple[Sequence[SweepClip], ClipDataset] | None,
    unseen: FoldEnsemble,
    thorough: bool,
    console: Output,
) -> EvaluationInputs:
    """Predict everything that is evaluated.

    Parameters
    ----------
    rated
        The data sets.
    ensemble
        Predicts the rated clips, each by networks that were not trained on it.
    test_sweeps
        Synthetic music for testing, or None.
    unseen
        Predicts what no network was trained on: a model, or the same ensemble.
    thorough
        Whether to predict out-of-domain sounds and perturbed recordings too.
    console
        For progress.
    """
    clips, material = concatenate(rated)
    predictions = _outputs(ensemble.predict_out_of_fold(material))
    targets = {name: values.astype(float) for name, values in material.targets.items()}
    model_predictions = None if unseen is ensemble else _outputs(unseen.predict_out_of_fold(material))
    inputs = EvaluationInputs(
        clips=clips,
        predictions=predictions,
        rated=targets,
        model_predictions=model_predictions,
        datasets=[dataset.name for dataset in rated for _ in dataset.clips],
    )
    if test_sweeps is not None:
        sweep_clips, sweep_material = test_sweeps
        sweep_predictions = _outputs(unseen.predict_unseen(sweep_material))
        inputs = dataclasses.replace(inputs, sweep_clips=sweep_clips, sweep_predictions=sweep_predictions)
    if not thorough:
        return inputs
    sounds = out_of_domain_sounds()
    sound_predictions = _outputs(
        unseen.predict_unseen(ClipDataset([compute_spectrogram(sound) for sound in sounds.values()], {}))
    )
    out_of_domain = {name: sound_predictions[:, i] for i, name in enumerate(sounds)}
    rows = inputs.complete_rows
    rows = [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MAX_PERTURBED)).astype(int))]
    with console.progress("Perturbing recordings") as report:
        perturbed = _predict_perturbed(clips, rows, ensemble, report)
    return dataclasses.replace(inputs, out_of_domain=out_of_domain, perturbed=perturbed, perturbed_rows=rows)


def _predict_perturbed(
    clips: Sequence[Clip], rows: Sequence[int], ensemble: FoldEnsemble, report: ProgressCallback
) -> dict[str, Floats]:
    """Predictions [runs, rows, 15] of some clips by name of the perturbation, the unperturbed ones among them."""
    spectrograms: dict[str, dict[int, npt.NDArray[np.float16]]] = {}  # by perturbation and index in `rows`
    for index, row in enumerate(rows):
        for name, audio in perturb_audio(_read_clip(clips[row])).items():
            by_index = spectrograms.setdefault(name, {})
            if audio is not None:
                by_index[index] = compute_spectrogram(audio)
        report((index + 1) / len(rows))
    predictions: dict[str, Floats] = {}
    for name, by_index in spectrograms.items():
        predictions[name] = np.full((len(ensemble.runs), len(rows), len(OUTPUT_NAMES)), np.nan)
        material = ClipDataset(list(by_index.values()), {})
        clip_rows = [rows[index] for index in by_index]
        predictions[name][:, list(by_index)] = _outputs(ensemble.predict_out_of_fold(material, clip_rows))
    return predictions


def _read_clip(clip: Clip) -> FloatArray:
    """The excerpt of a file that a clip is, as `read_mono` reads it."""
    audio = read_mono(clip.path)
    first = round(clip.start_s * SAMPLE_RATE)
    return audio[first : None if clip.length_s is None else first + round(clip.length_s * SAMPLE_RATE)]


def _outputs(predictions: tuple[Floats, Floats]) -> Floats:
    """Features [runs, clips, 7] and emotions [runs, clips, 8] as one array [runs, clips, 15]."""
    return np.concatenate(predictions, axis=2)
