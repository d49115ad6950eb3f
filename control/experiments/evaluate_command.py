"""The command `evaluate`: compares a model, or training settings by cross-validation, with human ratings."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...models.common.errors import InputError
from ..console import options
from ..console.early_checks import check_tables
from ..console.option_groups import expand_option_groups
from ..console.output import Output
from .training_options import DatasetOptions, SteeringOptions, TrainingOptions

if TYPE_CHECKING:
    from ...models.inference.checkpoint import Model
    from ...models.training.cross_validation import FoldEnsemble
    from ...models.training.settings import TrainingSettings
    from .datasets import LabelledDataset

_HOW = "Cross-validation"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


@dataclass(frozen=True)
class CrossValidationOptions:
    """Options of the cross-validation."""

    cross_validate: Annotated[
        bool,
        typer.Option(
            "--cross-validate",
            metavar="",
            help="Train a network without each fold in turn, and test it on that fold.",
            rich_help_panel=_HOW,
        ),
    ] = False
    folds: Annotated[
        int, typer.Option(metavar="N", help="Number of folds; albums are kept together.", rich_help_panel=_HOW)
    ] = 10
    test_folds: Annotated[
        int | None,
        typer.Option(metavar="N", help="Train for and test on the first N folds only.", rich_help_panel=_HOW),
    ] = None
    repeats: Annotated[
        int, typer.Option(metavar="N", help="Number of repetitions, with different seeds.", rich_help_panel=_HOW)
    ] = 1

    by_genre: Annotated[
        bool,
        typer.Option(
            "--by-genre",
            metavar="",
            help="Folds are genres and data sets: each is left out of training in turn.",
            rich_help_panel=_HOW,
        ),
    ] = False

    @property
    def tested(self) -> int:
        """Number of folds that are tested."""
        return self.folds if self.test_folds is None else self.test_folds

    def check(self) -> None:
        """Check the numbers.

        Raises
        ------
        InputError
            A number is out of range.
        """
        if self.folds < 2 or self.repeats < 1:
            raise InputError(f"--folds {self.folds} --repeats {self.repeats}: at least 2 folds, once")
        if not 1 <= self.tested <= self.folds:
            raise InputError(f"--test-folds {self.tested}: 1 to {self.folds}, the number of folds")


@expand_option_groups
def evaluate(
    recordings: DatasetOptions,
    division: CrossValidationOptions,
    training: TrainingOptions,
    steering: SteeringOptions,
    model: options.ModelFile = None,
    test_synthetic: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="For a report: synthetic music that was not trained on, with parameter sweeps. Repeatable.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write a full report (page, record and figures) to this folder."),
    ] = None,
    compare_with: Annotated[
        list[Path] | None,
        typer.Option(metavar="JSON", help="For a report: record.json of another one to compare with. Repeatable."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="F", help="Write the record as .json or .md.")
    ] = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    device: options.Device = "auto",
    quiet: options.Quiet = False,
) -> None:
    """Compare predictions with human ratings (Pearson r).

    The results of a model are valid only for recordings that it was not trained on; --cross-validate evaluates
    training settings instead. Its networks are stored next to the output, so that an interrupted run is resumed. A
    --report can have both: then the model predicts what no network was trained on.
    """
    console = Output(as_json=as_json, quiet=quiet)
    if steering.steering:
        without_effect = {
            "--report": report,
            "--output": output,
            "--compare-with": compare_with,
            "--test-synthetic": test_synthetic,
            "--cross-validate": division.cross_validate,
        }
        _evaluate_steering(steering, without_effect, model, device, console)
        return
    if model is not None and division.cross_validate and report is None:
        raise InputError("--cross-validate trains its own models: give it or --model, not both (but for a --report)")
    if report is None and (test_synthetic or compare_with):
        raise InputError("--test-synthetic and --compare-with are for a --report")
    division.check()
    check_tables(recordings.table or ())
    settings = training.settings(device)
    from ...models.inference.threads import torch_threads
    from ..report.folder import check_folder, write_report
    from ..report.summary import check_record, pearson_scores, read_record, report_table, write_record
    from .datasets import read_datasets, read_test_sweeps, require_enough_clips
    from .evaluation_run import collect_predictions, training_overlap

    check_record(output, overwrite=overwrite)
    others = [read_record(path) for path in compare_with or ()]
    trained = None
    if model is not None or not division.cross_validate:
        trained = options.load_model_option(model, device)
    datasets = recordings.datasets()
    check_folder(report, overwrite=overwrite)
    with torch_threads(settings.threads) if division.cross_validate else nullcontext():
        rated = read_datasets(datasets, console)
        require_enough_clips(rated)
        test_sweeps = read_test_sweeps(test_synthetic, console) if test_synthetic else None
        networks = _network_folder(report, output) if division.cross_validate else None
        ensemble, unseen = _ensembles(rated, division, settings, trained, networks, console)
        inputs = collect_predictions(
            rated, ensemble, test_sweeps=test_sweeps, unseen=unseen, thorough=report is not None, console=console
        )
    values = pearson_scores(inputs)
    record = _record(rated, division, settings, trained)
    if trained is not None and not division.cross_validate:
        overlap = training_overlap(rated, trained.record)
        if overlap:
            record["training_overlap"] = overlap
            console.note(f"{trained.path.name}: {overlap}")
    from ...models.evaluation.results import evaluate, per_fold, to_json

    results = evaluate(inputs, seed=settings.seed)
    record |= {"pearson_r": to_json(values), "by_part": per_fold(inputs, ensemble), "findings": results.record()}
    if report is not None:
        write_report(report, inputs, results, record, values, others)
    if output is not None:
        write_record(output, record, values, title=record["title"])
    if networks is not None and report is None:
        shutil.rmtree(networks)
    console.result(record, lambda: report_table(record["title"], values))
    if "mean" in results.emotions:
        mean = results.emotions["mean"].r
        console.line(f"mean r of the emotions, 95 % interval over albums: {mean.low:.2f} to {mean.high:.2f}")
    for path in filter(None, (output, report)):
        console.line(f"written   {path}")


def _evaluate_steering(
    steering: SteeringOptions, without_effect: Mapping[str, object], model: Path | None, device: str, console: Output
) -> None:
    """Evaluate steering; options without an effect on that must not be given. Raises InputError."""
    for name, value in without_effect.items():
        if value:
            raise InputError(f"{name}: does not go with --steering, which prints what it measures")
    from .steering_table import evaluate_steering_option

    evaluate_steering_option(steering, options.load_model_option(model, device), console)


def _network_folder(report: Path | None, output: Path | None) -> Path | None:
    """Create the folder for the networks of a cross-validation; None where there is neither a report nor a record."""
    from ..report.folder import NETWORKS

    folder = report / NETWORKS if report else output.with_name(output.name + ".folds") if output else None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _ensembles(
    rated: "Sequence[LabelledDataset]",
    division: CrossValidationOptions,
    settings: "TrainingSettings",
    trained: "Model | None",
    networks: Path | None,
    console: Output,
) -> "tuple[FoldEnsemble, FoldEnsemble]":
    """The networks that predict the rated recordings, and those that predict what no network was trained on."""
    from ...models.training.cross_validation import single_model
    from .evaluation_run import run_cross_validation

    clips = sum(len(dataset.clips) for dataset in rated)
    model = None if trained is None else single_model(trained.network, clips)
    if model is not None and not division.cross_validate:
        return model, model
    ensemble = run_cross_validation(
        rated,
        settings,
        folds=division.folds,
        first=division.test_folds,
        repeats=division.repeats,
        folder=networks,
        console=console,
        by_genre=division.by_genre,
    )
    return ensemble, model or ensemble


def _record(
    rated: "Sequence[LabelledDataset]",
    division: CrossValidationOptions,
    settings: "TrainingSettings",
    trained: "Model | None",
) -> dict[str, Any]:
    """The record of the evaluation: data, model, and settings of the cross-validation."""
    record: dict[str, Any] = {"clips": {dataset.name: len(dataset.clips) for dataset in rated}}
    if trained is not None:
        record |= {"title": f"{trained.path.name} ({trained.digest[:12]})", "model": trained.digest}
        record["model_title"] = record["title"]
    if not division.cross_validate:
        return record
    stored_settings = settings.to_record()
    seeds = [settings.seed, settings.seed + division.repeats - 1]
    times = f"{division.repeats} times" if division.repeats > 1 else "once"
    parts = (
        f"{division.folds} folds" if division.test_folds is None else f"{division.tested} of {division.folds} folds"
    )
    if division.by_genre:
        parts = "genres left out in turn" if division.test_folds is None else f"{division.tested} genres left out"
    record |= {"title": f"{settings.architecture}, cross-validation: {parts}, {times}", "settings": stored_settings}
    record |= {"folds": division.folds, "tested_folds": division.tested, "repeats": division.repeats, "seeds": seeds}
    if trained is not None:
        model_settings = trained.record.get("settings", {})
        record["differences"] = [
            f"{name} {model_settings.get(name)} instead of {value}"
            for name, value in stored_settings.items()
            if name not in ("seed", "threads", "device") and model_settings.get(name) != value
        ]
    return record
