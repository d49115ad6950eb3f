"""The report folder of an evaluation: a Markdown page, a JSON record, figures, and the cross-validation networks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...models.common.atomic_write import atomic_write, check_writable
from ...models.common.errors import InputError
from ...models.evaluation.bootstrap import Estimate
from ...models.evaluation.metrics import RegressionMetrics
from ...models.evaluation.results import EvaluationInputs, EvaluationResults
from . import emotion_plots, matrix_plots
from .markdown_page import render_report
from .sections import FIGURES
from .summary import Scores, write_record

PAGE: Final = "report.md"
RECORD: Final = "record.json"
NETWORKS: Final = "folds"
"""Subfolder with the networks of the cross-validation."""


def check_folder(folder: Path | None, *, overwrite: bool) -> None:
    """Check that a report can be written, before the work for it begins.

    Parameters
    ----------
    folder
        The report folder; None for no report.
    overwrite
        Whether a finished report may be replaced.

    Raises
    ------
    InputError
        The folder cannot be created, or a finished report is in it.
    """
    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: a report is a folder, and this is a file")
    if (folder / PAGE).exists() and not overwrite:
        raise InputError(f"{folder / PAGE}: exists already (--overwrite replaces it)")
    check_writable(folder / PAGE if folder.exists() else folder)


def write_report(
    folder: Path,
    inputs: EvaluationInputs,
    results: EvaluationResults,
    record: Mapping[str, Any],
    values: Scores,
    others: Sequence[Mapping[str, Any]],
) -> None:
    """Write figures, record and page, the page last.

    Parameters
    ----------
    folder
        The report folder; created if necessary.
    inputs
        Predictions and ratings.
    results
        Metrics.
    record
        The record of the evaluation, as the command `evaluate` makes it.
    values
        Pearson correlations by target set.
    others
        Records of other evaluations to compare with.

    Raises
    ------
    InputError
        A file cannot be written.
    """
    title = str(record["title"])
    others = _distinct_titles(title, others)
    folder.mkdir(exist_ok=True)
    for name in FIGURES.values():
        (folder / name).unlink(missing_ok=True)
    _figures(folder, inputs, results, record, others)
    write_record(folder / RECORD, record, values, title=title)
    with atomic_write(folder / PAGE) as file:
        file.write_text(render_report(title, results, record, others), encoding="utf-8", errors="surrogateescape")


def _figures(
    folder: Path,
    inputs: EvaluationInputs,
    results: EvaluationResults,
    record: Mapping[str, Any],
    others: Sequence[Mapping[str, Any]],
) -> None:
    title = str(record["title"])
    path = {key: folder / name for key, name in FIGURES.items()}
    if results.emotions:
        predictions, rated = inputs.predictions[0, :, 7:], inputs.rated["emotions"]
        first = " (first repetition)" if len(inputs.predictions) > 1 else ""
        metrics = {str(other["title"]): _stored_metrics(other) for other in others}
        emotion_plots.plot_emotion_metrics(path["emotions"], results.emotions, metrics, title=f"{title}: emotions")
        emotion_plots.plot_scatter(
            path["scatter"], predictions, rated, results.emotions, title=f"{title}: predicted and rated{first}"
        )
        emotion_plots.plot_calibration(
            path["calibration"], predictions, rated, results.emotions, title=f"{title}: calibration{first}"
        )
    if results.scales:
        matrix_plots.plot_scale_correlations(
            path["scales"], results.scales, title=f"{title}: features and perceptual scales"
        )
    count = len(inputs.complete_rows)
    model_title = str(record.get("model_title", title))
    both = {title: results.between} | ({model_title: results.model_between} if results.model_between else {})
    matrix_plots.plot_feature_correlations(path["features"], both, title=f"features over {count} recordings")
    if results.turned.get("all"):
        matrix_plots.plot_sweep_responses(
            path["turned"], results.turned["all"], title=f"{model_title}: parameter sweeps"
        )
    if results.unusual:
        emotion_plots.plot_out_of_domain(path["unusual"], results, title=f"{model_title}: out-of-domain sounds")
    if results.moved:
        matrix_plots.plot_robustness(path["robustness"], results, title=f"{title}: robustness")


def _distinct_titles(title: str, others: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Number the titles of the records that are equal to `title` or to that of an earlier record."""
    titles = [title, *(str(other["title"]) for other in others)]
    renamed: list[Mapping[str, Any]] = []
    for index, other in enumerate(others, start=1):
        count = titles[: index + 1].count(titles[index])
        renamed.append(other if count == 1 else {**other, "title": f"{titles[index]} ({count})"})
    return renamed


def _stored_metrics(record: Mapping[str, Any]) -> dict[str, RegressionMetrics]:
    """The metrics of the emotions in a record."""

    def to_estimate(values: Mapping[str, float | None]) -> Estimate:
        return Estimate(
            *(np.nan if values[key] is None else float(values[key] or 0) for key in ("value", "low", "high"))
        )

    parts = ("r", "rmse", "mae", "slope", "offset", "chance_r")
    return {
        name: RegressionMetrics(
            clips=int(a["clips"]),
            **{part: to_estimate(a[part]) for part in parts},
            constant_rmse=a["constant_rmse"],
            constant_mae=a["constant_mae"],
            r_of_runs=tuple(a["r_of_runs"]),
        )
        for name, a in record["findings"]["emotions"].items()
    }
