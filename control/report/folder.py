"""The folder of an evaluation: a page, a record, figures, and the networks of its cross-validation."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...models.common.atomic_write import atomic_write
from ...models.common.atomic_write import check_writable as check_output_folder
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
"""Folder in the report's folder where the networks of a cross-validation are kept."""


def check_folder(folder: Path | None, *, overwrite: bool) -> None:
    """Raises InputError where the folder cannot be made, or where a finished report lies in it already."""
    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: a report is a folder, and this is a file")
    if (folder / PAGE).exists() and not overwrite:
        raise InputError(f"{folder / PAGE}: exists already (--overwrite replaces it)")
    check_output_folder(folder)


def write_report(
    folder: Path,
    evidence: EvaluationInputs,
    found: EvaluationResults,
    record: Mapping[str, Any],
    values: Scores,
    beside: Sequence[Mapping[str, Any]],
) -> None:
    """Write figures, record and page, the page last. Raises InputError."""
    title = str(record["title"])
    beside = _apart(title, beside)
    folder.mkdir(exist_ok=True)
    for name in FIGURES.values():
        (folder / name).unlink(missing_ok=True)
    _figures(folder, evidence, found, record, beside)
    write_record(folder / RECORD, record, values, title=title)
    with atomic_write(folder / PAGE) as file:
        file.write_text(render_report(title, found, record, beside), encoding="utf-8")


def _figures(
    folder: Path,
    evidence: EvaluationInputs,
    found: EvaluationResults,
    record: Mapping[str, Any],
    beside: Sequence[Mapping[str, Any]],
) -> None:
    title = str(record["title"])
    path = {key: folder / name for key, name in FIGURES.items()}
    if found.emotions:
        said, rated = evidence.said[0, :, 7:], evidence.rated["emotions"]
        first = " (first division)" if len(evidence.said) > 1 else ""
        others = {str(other["title"]): _others(other) for other in beside}
        emotion_plots.plot_emotion_metrics(path["emotions"], found.emotions, others, title=f"{title}: emotions")
        emotion_plots.plot_scatter(
            path["scatter"], said, rated, found.emotions, title=f"{title}: predicted and rated{first}"
        )
        emotion_plots.plot_calibration(
            path["calibration"], said, rated, found.emotions, title=f"{title}: calibration{first}"
        )
    if found.scales:
        matrix_plots.plot_scale_correlations(
            path["scales"], found.scales, title=f"{title}: features and human scales"
        )
    count = len(evidence.whole)
    heard_by = str(record.get("model_title", title))
    both = {title: found.between} | ({heard_by: found.model_between} if found.model_between else {})
    matrix_plots.plot_feature_correlations(path["features"], both, title=f"features over {count} recordings")
    if found.turned.get("all"):
        matrix_plots.plot_sweep_responses(
            path["turned"], found.turned["all"], title=f"{heard_by}: one quality turned"
        )
    if found.unusual:
        emotion_plots.plot_out_of_domain(path["unusual"], found, title=f"{heard_by}: sounds that are no music")
    if found.moved:
        matrix_plots.plot_robustness(path["robustness"], found, title=f"{title}: changed recordings")


def _apart(title: str, beside: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The records with titles that differ, here `title` as well: one that was there before gets a number."""
    titles = [title, *(str(other["title"]) for other in beside)]
    apart: list[Mapping[str, Any]] = []
    for place, other in enumerate(beside, start=1):
        count = titles[: place + 1].count(titles[place])
        apart.append(other if count == 1 else {**other, "title": f"{titles[place]} ({count})"})
    return apart


def _others(record: Mapping[str, Any]) -> dict[str, RegressionMetrics]:
    """The agreements of another record, as far as they are drawn."""

    def estimate(values: Mapping[str, float | None]) -> Estimate:
        return Estimate(
            *(np.nan if values[key] is None else float(values[key] or 0) for key in ("value", "low", "high"))
        )

    parts = ("r", "rmse", "mae", "slope", "offset", "chance_r")
    return {
        name: RegressionMetrics(
            clips=int(a["clips"]),
            **{part: estimate(a[part]) for part in parts},
            constant_rmse=a["constant_rmse"],
            constant_mae=a["constant_mae"],
            r_of_runs=tuple(a["r_of_runs"]),
        )
        for name, a in record["findings"]["emotions"].items()
    }
