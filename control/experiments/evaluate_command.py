"""evaluate: how a model, or a way of training one, agrees with listeners, as a table or as a whole report."""

import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...models.common.errors import InputError
from ..console import options
from ..console.option_groups import expand_option_groups
from ..console.output import Output
from .training_options import DatasetOptions, TrainingOptions

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
    """Whether and how the recordings are divided."""

    cross_validate: Annotated[
        bool,
        typer.Option(
            "--cross-validate",
            metavar="",
            help="Train anew without each part in turn, and test on that part.",
            rich_help_panel=_HOW,
        ),
    ] = False
    folds: Annotated[
        int, typer.Option(metavar="N", help="Parts; an album is never in two of them.", rich_help_panel=_HOW)
    ] = 10
    test_folds: Annotated[
        int | None,
        typer.Option(metavar="N", help="Train for and test on the first N parts only.", rich_help_panel=_HOW),
    ] = None
    repeats: Annotated[
        int, typer.Option(metavar="N", help="Cross-validations, of different seeds.", rich_help_panel=_HOW)
    ] = 1

    @property
    def tested(self) -> int:
        return self.folds if self.test_folds is None else self.test_folds

    def check(self) -> None:
        """Raises InputError for numbers that divide nothing."""
        if self.folds < 2 or self.repeats < 1:
            raise InputError(f"--folds {self.folds} --repeats {self.repeats}: at least 2 folds, once")
        if not 1 <= self.tested <= self.folds:
            raise InputError(f"--test-folds {self.tested}: 1 to {self.folds}, the number of folds")


@expand_option_groups
def evaluate(
    recordings: DatasetOptions,
    division: CrossValidationOptions,
    recipe: TrainingOptions,
    model: options.ModelFile = None,
    test_known: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="For a report: music of known qualities that was not learned from, and series of it. Repeatable.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Find out everything: a page, a record and figures, in this folder."),
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(metavar="JSON", help="For a report: another one's record.json to show beside. Repeatable."),
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

    Of a trained model the numbers are fair only on recordings that it has not learned from; --cross-validate is the
    fair measure of a way of training. Its networks are kept beside the output, so that an interrupted run goes on
    where it was. A --report may have both: then the model judges what no network has learned from.
    """
    if model is not None and division.cross_validate and report is None:
        raise InputError("--cross-validate trains its own models: give it or --model, not both (but for a --report)")
    if report is None and (test_known or beside):
        raise InputError("--test-known and --beside are for a --report")
    division.check()
    voice = Output(as_json=as_json, quiet=quiet)
    settings = recipe.settings(device)
    from ...models.inference.threads import torch_threads
    from ..report.folder import check_folder, write_report
    from ..report.summary import check_record, pearson_scores, read_record, report_table, write_record
    from .datasets import read_datasets, read_test_sweeps, require_enough_clips
    from .evaluation_run import collect_predictions

    check_record(output, overwrite=overwrite)
    others = [read_record(path) for path in beside or ()]
    trained = None
    if model is not None or not division.cross_validate:
        trained = options.load_model_option(model, device)
    datasets = recordings.datasets()
    check_folder(report, overwrite=overwrite)
    with torch_threads(settings.threads) if division.cross_validate else nullcontext():
        rated = read_datasets(datasets, voice)
        require_enough_clips(rated)
        heard = read_test_sweeps(test_known, voice) if test_known else None
        kept = _kept(report, output) if division.cross_validate else None
        jury, unseen = _juries(rated, division, settings, trained, kept, voice)
        evidence = collect_predictions(
            rated, jury, heard=heard, unseen=unseen, thorough=report is not None, voice=voice
        )
    values = pearson_scores(evidence)
    record = _record(rated, division, settings, trained)
    from ...models.evaluation.results import evaluate, per_fold, to_json

    found = evaluate(evidence, seed=settings.seed)
    record |= {"pearson_r": to_json(values), "by_part": per_fold(evidence, jury), "findings": found.record()}
    if report is not None:
        write_report(report, evidence, found, record, values, others)
    if output is not None:
        write_record(output, record, values, title=record["title"])
    if kept is not None and report is None:
        shutil.rmtree(kept)
    voice.result(record, lambda: report_table(record["title"], values))
    if "mean" in found.emotions:
        mean = found.emotions["mean"].r
        voice.line(f"mean r of the emotions, 95 % interval over albums: {mean.low:.2f} to {mean.high:.2f}")
    for path in filter(None, (output, report)):
        voice.line(f"written   {path}")


def _kept(report: Path | None, output: Path | None) -> Path | None:
    """The folder where the networks of a cross-validation are kept; with neither a report nor a record, none."""
    from ..report.folder import NETWORKS

    folder = report / NETWORKS if report else output.with_name(output.name + ".folds") if output else None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _juries(
    rated: "Sequence[LabelledDataset]",
    division: CrossValidationOptions,
    settings: "TrainingSettings",
    trained: "Model | None",
    kept: Path | None,
    voice: Output,
) -> "tuple[FoldEnsemble, FoldEnsemble]":
    """Who judges the rated recordings, and who judges what nobody has learned from."""
    from ...models.training.cross_validation import single_model
    from .evaluation_run import run_cross_validation

    clips = sum(len(part.clips) for part in rated)
    model = None if trained is None else single_model(trained.network, clips)
    if model is not None and not division.cross_validate:
        return model, model
    folds, repeats, tested = division.folds, division.repeats, division.tested
    jury = run_cross_validation(rated, settings, folds=folds, first=tested, repeats=repeats, folder=kept, voice=voice)
    return jury, model or jury


def _record(
    rated: "Sequence[LabelledDataset]",
    division: CrossValidationOptions,
    settings: "TrainingSettings",
    trained: "Model | None",
) -> dict[str, Any]:
    """What was judged, and by whom."""
    record: dict[str, Any] = {"clips": {part.name: len(part.clips) for part in rated}}
    if trained is not None:
        record |= {"title": f"{trained.path.name} ({trained.digest[:12]})", "model": trained.digest}
        record["model_title"] = record["title"]
    if not division.cross_validate:
        return record
    own = settings.to_record()
    seeds = [settings.seed, settings.seed + division.repeats - 1]
    often = f"{division.repeats} times" if division.repeats > 1 else "once"
    parts = (
        f"{division.folds} folds" if division.test_folds is None else f"{division.tested} of {division.folds} folds"
    )
    record |= {"title": f"{settings.architecture}, cross-validation: {parts}, {often}", "settings": own}
    record |= {"folds": division.folds, "tested_folds": division.tested, "repeats": division.repeats, "seeds": seeds}
    if trained is not None:
        theirs = trained.record.get("settings", {})
        record["differences"] = [
            f"{name} {theirs.get(name)} instead of {value}"
            for name, value in own.items()
            if name not in ("seed", "threads", "device") and theirs.get(name) != value
        ]
    return record
