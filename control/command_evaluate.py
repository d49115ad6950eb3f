"""evaluate: how a model, or a way of training one, agrees with human ratings."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..models.errors import InputError
from . import command_train as training
from . import options
from .console import Voice

if TYPE_CHECKING:
    from ..models.train import Source, TrainingSettings
    from .material import Rated
    from .report import Scores


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    model: options.ModelFile = None,
    soundtracks: training.Soundtracks = None,
    midlevel: training.Midlevel = None,
    table: training.Table = None,
    perceptual: training.Perceptual = None,
    known: training.Known = None,
    cross_validate: Annotated[
        bool,
        typer.Option(
            "--cross-validate", metavar="", help="Train anew without each part in turn, and test on that part."
        ),
    ] = False,
    folds: Annotated[int, typer.Option(metavar="N", help="Parts; an album is never in two of them.")] = 10,
    repeats: Annotated[int, typer.Option(metavar="N", help="Cross-validations, of different seeds.")] = 1,
    epochs: training.Epochs = 30,
    steps: training.Steps = 40,
    layer: training.Layer = "start",
    architecture: training.Architecture = "small",
    precision: training.Precision = "float32",
    threads: training.Threads = 2,
    seed: options.Seed = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="F", help="Write the record as .json or .md.")
    ] = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Compare predictions with human ratings (Pearson r).

    Of a trained model the numbers are fair only on recordings that it has not learned from; --cross-validate is the
    fair measure of a way of training.
    """
    if model is not None and cross_validate:
        raise InputError("--cross-validate trains its own models: give it or --model, not both")
    voice = Voice(as_json=as_json, quiet=quiet)
    from ..models.train import TrainingSettings

    settings = TrainingSettings(
        epochs=epochs,
        steps_per_epoch=steps,
        layer=layer,
        architecture=architecture,
        seed=seed,
        precision=precision,
        threads=threads,
    )
    if folds < 2 or repeats < 1:
        raise InputError(f"--folds {folds} --repeats {repeats}: at least 2 folds, once")
    from .material import Datasets, read_datasets
    from .report import check_record, report_table, write_record

    check_record(output, overwrite=overwrite)
    network = None if cross_validate else options.the_model(model, options.chosen_device(device))
    datasets = Datasets(soundtracks, midlevel, tuple(table or ()), perceptual, known).or_default()
    rated = read_datasets(datasets, voice)
    record: dict[str, Any] = {"clips": {part.name: len(part.clips) for part in rated}}
    if network is not None:
        from ..models.evaluate import predict_material

        said = [predict_material(network.network.cpu(), part.material) for part in rated]
        values, ranges = _judged(rated, said, seed=seed)
        title = f"{network.path.name} ({network.digest[:12]})"
        record |= {"model": network.digest}
    else:
        values, ranges = _cross_validated(rated, settings, folds=folds, repeats=repeats, voice=voice)
        title = f"cross-validation: {folds} folds, {repeats} times"
        record |= {"settings": dataclasses.asdict(settings), "folds": folds, "repeats": repeats}
    record |= {"title": title, "pearson_r": values, "emotions_interval_95": ranges}
    if output is not None:
        write_record(output, record, values, title=title)
    voice.result(record, lambda: report_table(title, values))
    for low, high in ranges:
        voice.line(f"mean r of the emotions, 95 % interval over albums: {low:.2f} to {high:.2f}")
    if output is not None:
        voice.line(f"record    {output}")


def _judged(
    rated: "Sequence[Rated]", said: Sequence[tuple[Any, Any]], *, seed: int
) -> "tuple[Scores, list[list[float]]]":
    """Scores of everything together, and the interval of the emotions' mean r, if any are rated."""
    import numpy as np

    from .report import emotion_interval, scores

    together = _together(rated)
    midlevel, emotions = (np.concatenate(column) for column in zip(*said, strict=True))
    groups = [clip.group for part in rated for clip in part.clips]
    found = emotion_interval(emotions, together, groups, seed=seed)
    return scores(midlevel, emotions, together), [found] if found else []


def _together(rated: "Sequence[Rated]") -> Any:  # noqa: ANN401
    import numpy as np

    from ..models.batches import HEADS, Material

    spectrograms = [spectrogram for part in rated for spectrogram in part.material.spectrograms]
    targets = {head: np.concatenate([part.material.targets[head] for part in rated]) for head in HEADS}
    return Material(spectrograms, targets)


def _cross_validated(
    rated: "Sequence[Rated]", settings: "TrainingSettings", *, folds: int, repeats: int, voice: Voice
) -> "tuple[Scores, list[list[float]]]":
    """Mean scores over repeats with settings.seed, seed + 1, ..., and each one's interval."""
    from ..models.datasets import split_by_group
    from ..models.evaluate import cross_validate
    from .report import emotion_interval, mean_scores, scores

    clips = [clip for part in rated for clip in part.clips]
    together = _together(rated)
    starts = _starts(rated)

    def sources(kept: Sequence[int]) -> "list[Source]":
        parts = [
            part.source([i - start for i in kept if start <= i < start + len(part.clips)])
            for part, start in zip(rated, starts, strict=True)
        ]
        return [source for source in parts if len(source.material)]

    runs, ranges = [], []
    for repeat in range(repeats):
        own = dataclasses.replace(settings, seed=settings.seed + repeat)
        with voice.progress(f"Cross-validation {repeat + 1} of {repeats}") as report:

            def finished(fold: int, epoch: int, loss: float) -> None:
                report((fold * settings.epochs + epoch) / (folds * settings.epochs))
                if epoch == settings.epochs:
                    voice.log(f"fold {fold + 1} of {folds}: loss {loss:.4f}")

            parts = split_by_group(clips, folds, seed=own.seed)
            midlevel, emotions = cross_validate(together, parts, sources, own, progress=finished)
        runs.append(scores(midlevel, emotions, together))
        found = emotion_interval(emotions, together, [clip.group for clip in clips], seed=own.seed)
        ranges += [found] if found else []
    return mean_scores(runs), ranges


def _starts(rated: "Sequence[Rated]") -> list[int]:
    """Where each part begins when all are laid end to end."""
    starts = [0]
    for part in rated:
        starts.append(starts[-1] + len(part.clips))
    return starts[:-1]
