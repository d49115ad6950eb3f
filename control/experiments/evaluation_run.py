"""Who judges which recording: a trained model, or the networks of a cross-validation; and what they say."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import FloatArray, Floats, Report
from ...models.common.constants import SAMPLE_RATE
from ...models.common.digests import fingerprint
from ...models.datasets.clip_dataset import HEADS, Material, material_digest
from ...models.datasets.folds import split_by_group
from ...models.datasets.table import Clip, SeriesClip
from ...models.evaluation.out_of_domain import unusual_sounds
from ...models.evaluation.results import Evidence
from ...models.evaluation.robustness import OUTPUTS, disturbed
from ...models.training.batches import Source
from ...models.training.cross_validation import Judge, Jury, SourcesOf, judges
from ...models.training.settings import TrainingSettings
from ..console.output import Voice
from .datasets import Rated, read_mono, spectrogram_of

MOST_DISTURBED: Final = 400
"""Of more recordings, so many, evenly drawn, are changed to see how far the answers move."""


def together(rated: Sequence[Rated]) -> tuple[list[Clip], Material]:
    """All parts end to end."""
    clips = [clip for part in rated for clip in part.clips]
    spectrograms = [spectrogram for part in rated for spectrogram in part.material.spectrograms]
    targets = {head: np.concatenate([part.material.targets[head] for part in rated]) for head in HEADS}
    return clips, Material(spectrograms, targets)


def cross_jury(
    rated: Sequence[Rated],
    settings: TrainingSettings,
    *,
    folds: int,
    first: int,
    repeats: int,
    folder: Path | None,
    voice: Voice,
) -> Jury:
    """Train (or find in `folder`) the networks of `repeats` divisions into folds, of which the `first` are tested.

    Seeds are settings.seed, settings.seed + 1, ... Raises InputError as training does.
    """
    clips, _ = together(rated)
    digest = fingerprint([(part.name, part.share, material_digest(part.material)) for part in rated])
    runs = []
    for repeat in range(repeats):
        own = dataclasses.replace(settings, seed=settings.seed + repeat)
        parts = divided(rated, folds, seed=own.seed)[:first]
        with voice.progress(f"Cross-validation {repeat + 1} of {repeats}") as report:
            losses: dict[int, float] = {}  # by part, of those that are trained now

            def finished(part: int, epoch: int, loss: float, losses: dict[int, float] = losses) -> None:
                losses[part] = loss
                report((part * settings.epochs + epoch) / (first * settings.epochs))

            found: list[Judge] = []
            for judge in judges(
                parts, len(clips), _sources_of(rated), own, material=digest, folder=folder, progress=finished
            ):
                found.append(judge)
                said = f"loss {losses[judge.part]:.4f}" if judge.part in losses else "trained before"
                voice.log(f"fold {judge.part + 1} of {folds}, seed {own.seed}: {said}")
        runs.append(tuple(found))
    return Jury(tuple(runs))


def divided(rated: Sequence[Rated], folds: int, *, seed: int) -> list[list[int]]:
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
            for fold, rows in zip(parts, split_by_group(part.clips, folds, seed=seed), strict=True):
                fold += [here[row] for row in rows]
        else:
            own += part.clips
            places += here
    if own:
        for fold, rows in zip(parts, split_by_group(own, folds, seed=seed), strict=True):
            fold += [places[row] for row in rows]
    return [sorted(part) for part in parts]


def _sources_of(rated: Sequence[Rated]) -> SourcesOf:
    """What may be learned from of each part, given the indices of the clips that may be."""

    def sources(kept: Sequence[int]) -> list[Source]:
        found, start = [], 0
        for part in rated:
            own = [i - start for i in kept if start <= i < start + len(part.clips)]
            start += len(part.clips)
            if own:
                found.append(part.source(own))
        return found

    return sources


def gathered(
    rated: Sequence[Rated],
    jury: Jury,
    *,
    heard: tuple[Sequence[SeriesClip], Material] | None,
    unseen: Jury,
    thorough: bool,
    voice: Voice,
) -> Evidence:
    """Let the jury say what it hears; `unseen` judges what nobody has learned from.

    heard: music of known qualities for testing. thorough: also sounds that are no music, and changed recordings.
    """
    clips, material = together(rated)
    said = _outputs(jury.unheard(material))
    targets = {head: values.astype(float) for head, values in material.targets.items()}
    models = None if unseen is jury else _outputs(unseen.unheard(material))
    evidence = Evidence(clips=clips, said=said, rated=targets, model_said=models)
    if heard is not None:
        series, series_material = heard
        answers = _outputs(unseen.all_of(series_material))
        evidence = dataclasses.replace(evidence, series=series, series_said=answers)
    if not thorough:
        return evidence
    sounds = unusual_sounds()
    answers = _outputs(unseen.all_of(Material([spectrogram_of(sound) for sound in sounds.values()], {})))
    unusual = {name: answers[:, i] for i, name in enumerate(sounds)}
    rows = evidence.whole
    rows = [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_DISTURBED)).astype(int))]
    with voice.progress("Changing recordings") as report:
        changed = _disturbed(clips, rows, jury, report)
    return dataclasses.replace(evidence, unusual=unusual, disturbed=changed, disturbed_rows=rows)


def _disturbed(clips: Sequence[Clip], rows: Sequence[int], jury: Jury, report: Report) -> dict[str, Floats]:
    """What the jury says of each recording as it is and changed, [runs, rows, 15] by the change's name."""
    changed: dict[str, dict[int, npt.NDArray[np.float16]]] = {}  # by name and place among rows
    for place, row in enumerate(rows):
        for name, sound in disturbed(_stretch(clips[row])).items():
            own = changed.setdefault(name, {})
            if sound is not None:
                own[place] = spectrogram_of(sound)
        report((place + 1) / len(rows))
    answers: dict[str, Floats] = {}
    for name, own in changed.items():
        answers[name] = np.full((len(jury.runs), len(rows), len(OUTPUTS)), np.nan)
        material = Material(list(own.values()), {})
        answers[name][:, list(own)] = _outputs(jury.unheard(material, [rows[place] for place in own]))
    return answers


def _stretch(clip: Clip) -> FloatArray:
    sound = read_mono(clip.path)
    first = round(clip.start_s * SAMPLE_RATE)
    return sound[first : None if clip.length_s is None else first + round(clip.length_s * SAMPLE_RATE)]


def _outputs(said: tuple[Floats, Floats]) -> Floats:
    """Mid-levels and emotions side by side."""
    return np.concatenate(said, axis=2)
