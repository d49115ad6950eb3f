"""The sections of an evaluation's page: functions from results to Markdown, empty where there are no results."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.formatting import display_name, format_r, format_signed
from ...models.evaluation.metrics import RegressionMetrics
from ...models.evaluation.results import EvaluationResults
from .matrix_plots import scale_label
from .plot_helpers import format_interval

FIGURES: Final = {
    "emotions": "emotions.png",
    "scatter": "scatter.png",
    "calibration": "calibration.png",
    "scales": "scales.png",
    "features": "features.png",
    "turned": "turned.png",
    "unusual": "unusual.png",
    "robustness": "robustness.png",
}
"""File name of each figure; only those with data are drawn."""


def table(header: str, rows: Iterable[Sequence[str]]) -> str:
    """Format a Markdown table; its first column is left-aligned, the others right-aligned.

    Parameters
    ----------
    header
        Names of the columns, separated by " | ".
    rows
        The cells of each row.
    """
    line = "| --- |" + " ---: |" * header.count("|")
    return "\n".join([f"| {header} |", line, *("| " + " | ".join(row) + " |" for row in rows)])


def figure_link(key: str) -> str:
    """Return the Markdown image of a figure in FIGURES."""
    return f"![{key}]({FIGURES[key]})"


def agreement_table(results: Mapping[str, RegressionMetrics]) -> str:
    """Format the metrics by name: correlation and errors, those of chance and of a constant, calibration."""
    rows = []
    for name, a in results.items():
        bold = "**" if name == "mean" else ""
        cells = [
            f"{bold}{display_name(name)}{bold}",
            f"{bold}{format_interval(a.r)}{bold}",
            format_interval(a.chance_r),
        ]
        cells += [
            format_interval(a.rmse),
            format_r(a.constant_rmse),
            format_interval(a.mae),
            format_r(a.constant_mae),
        ]
        rows.append([*cells, format_interval(a.slope), format_signed(a.offset.value, ".2f"), str(a.clips)])
    header = " | r | r by chance | RMSE | constant | MAE | constant | slope | offset | recordings"
    return table(header, rows)


def emotions_section(results: EvaluationResults) -> str:
    """Metrics of the emotions against ratings."""
    if not results.emotions:
        return ""
    runs = results.emotions["mean"].r_of_runs
    each = "Mean r of each repetition: " + ", ".join(format_r(r, 3) for r in runs) + "."
    note = (
        "Errors are on the scale 0..1 of ratings. *Constant*: prediction of the mean rating for every recording. "
        "*By chance*: predictions permuted between albums. *Slope*, *offset*: rated = slope × predicted + offset."
    )
    parts = ["## Emotions against listeners' ratings", agreement_table(results.emotions)]
    parts += [each] if len(runs) > 1 else []
    return "\n\n".join([*parts, note, *map(figure_link, ("emotions", "scatter", "calibration"))])


def dataset_section(results: EvaluationResults) -> str:
    """Agreement by data set and genre."""
    rows = []
    for a in results.by_dataset:
        lowest = min(a.by_genre, key=a.by_genre.__getitem__, default=None)
        largest = max(a.bias, key=lambda genre, bias=a.bias: abs(bias[genre]))  # type: ignore[misc]
        rows.append(
            [
                a.dataset or "recordings",
                display_name(a.rating),
                display_name(a.emotion),
                format_r(a.r),
                format_r(a.within),
                "" if a.between is None else format_r(a.between),
                "" if lowest is None else f"{lowest} {format_r(a.by_genre[lowest])}",
                f"{largest} {format_signed(a.bias[largest], '.2f')}",
                str(a.clips),
            ]
        )
    if len({a.dataset for a in results.by_dataset}) < 2 and not any(a.by_genre for a in results.by_dataset):
        return ""
    header = "data set | rated | predicted | r | within genres | between genres | lowest | largest bias | clips"
    note = (
        "*Within genres*: mean of the correlations in each genre. *Between*: correlation of the genres' means. "
        "*Bias*: mean of prediction less rating in a genre; ratings on scales of their own are compared after the "
        "best line. `gems`: shares of listeners who felt an emotion."
    )
    return "\n\n".join(["## By data set and genre", table(header, rows), note])


def midlevel_section(results: EvaluationResults) -> str:
    """Metrics of the mid-level features against ratings."""
    if not results.midlevel:
        return ""
    return "## Mid-level features against listeners' ratings\n\n" + agreement_table(results.midlevel)


def scales_section(results: EvaluationResults) -> str:
    """Correlations of the features with perceptual scales."""
    if not results.scales:
        return ""
    rows = []
    for scale, validity in results.scales.items():
        if validity.own is not None and validity.closest_other is not None:
            other, is_valid = validity.closest_other, "yes" if validity.is_valid else "**no**"
            cells = [scale_label(scale), display_name(validity.own), format_interval(validity.r[validity.own])]
            cells += [
                f"{display_name(other)} {format_r(validity.r[other].value)}",
                format_interval(validity.margin[other]),
            ]
            rows.append([*cells, is_valid, str(validity.clips)])
    header = (
        "perceptual scale | feature | r | closest other feature | r less the other's absolute r | valid | excerpts"
    )
    note = "*Valid*: no other feature correlates significantly more with the scale than its own."
    title = "## Features against human perceptual scales"
    return "\n\n".join([title, table(header, rows), note, figure_link("scales")])


def features_section(results: EvaluationResults) -> str:
    """Correlations of the features with each other."""
    a, b, r = results.closest
    closest = f"Highest correlation over the recordings: {display_name(a)} and {display_name(b)}, r = {format_r(r)}."
    if results.model_closest is not None:
        a, b, r = results.model_closest
        closest += f" For the model: {display_name(a)} and {display_name(b)}, r = {format_r(r)}."
    return "\n\n".join(["## Correlations between the features", closest, figure_link("features")])


def sweep_section(results: EvaluationResults) -> str:
    """Correlations with the labels of synthetic music, and responses to parameter sweeps."""
    if not results.known:
        return ""
    all_kinds = results.turned.get("all", {})
    kinds = [kind for kind in results.turned if kind != "all"]
    rows = []
    for name, r in results.known.items():
        cells = [display_name(name), format_interval(r), *[""] * 4]
        if sweep := all_kinds.get(name):
            cells[2:] = [
                format_interval(sweep.pooled),
                format_interval(sweep.within),
                str(sweep.series),
                str(sweep.clips),
            ]
        for kind in kinds:
            response = results.turned[kind].get(name)
            cells.append(f"{format_r(response.pooled.value)}, {format_r(response.within.value)}" if response else "")
        rows.append(cells)
    header = " | Pearson r | rho, all clips of its sweeps | rho, within sweeps | sweeps | clips"
    header += "".join(f" | {kind} only" for kind in kinds)
    parts = ["## Synthetic music that no network was trained on", table(header, rows)]
    if all_kinds:
        slopes = [
            [display_name(q), *(format_signed(t.slopes[n].value, ".2f") for n in MIDLEVEL)]
            for q, t in all_kinds.items()
        ]
        parts += [
            "rho: Spearman's rank correlation of a feature with its parameter, while only that parameter changes."
        ]
        parts += ["Change of each feature, on its scale 0..1, while a parameter goes from 0 to 1:"]
        parts += [table(" | ".join(["parameter", *map(display_name, MIDLEVEL)]), slopes), figure_link("turned")]
    return "\n\n".join(parts)


def out_of_domain_section(results: EvaluationResults) -> str:
    """Predictions of out-of-domain sounds."""
    if not results.unusual:
        return ""
    parts = ["## Out of domain", "Predictions of ten seconds of sounds that are not music:"]
    for names in (MIDLEVEL, EMOTIONS):
        rows = [
            [sound, *(format_r(prediction[name]) for name in names)] for sound, prediction in results.unusual.items()
        ]
        usual = [f"{format_r(results.usual[name][0])} to {format_r(results.usual[name][2])}" for name in names]
        rows.append(["5 to 95 % of the recordings", *usual])
        parts.append(table(" | ".join(["", *map(display_name, names)]), rows))
    return "\n\n".join([*parts, figure_link("unusual")])


def robustness_section(results: EvaluationResults) -> str:
    """Effects of perturbations of the audio."""
    if not results.moved:
        return ""
    rows = []
    for name, m in results.moved.items():
        largest, lowest = max(m.change, key=m.change.__getitem__), min(m.r, key=m.r.__getitem__)
        cells = [name, format_r(_mean(m.change, MIDLEVEL), 3), format_r(_mean(m.change, EMOTIONS), 3)]
        cells += [f"{display_name(largest)} {format_r(m.change[largest], 3)}", format_r(_mean(m.r, MIDLEVEL), 3)]
        cells += [format_r(_mean(m.r, EMOTIONS), 3), f"{display_name(lowest)} {format_r(m.r[lowest], 3)}"]
        rows.append([*cells, format_r(results.moved_r[name], 3) if name in results.moved_r else "", str(m.clips)])
    note = "Ten seconds of each recording, perturbed. *Change*: mean absolute change on the scale 0..1; "
    note += "*r*: correlation of perturbed with unperturbed predictions over the recordings."
    if "unchanged" in results.moved_r:
        note += " *r with ratings*: mean of the emotions, over recordings with all perturbations; unperturbed: "
        note += format_r(results.moved_r["unchanged"], 3) + "."
    header = "perturbation | change, features | change, emotions | largest"
    header += " | r, features | r, emotions | lowest | r with ratings"
    title = "## Robustness to perturbations of the audio"
    return "\n\n".join([title, note, table(header + " | recordings", rows), figure_link("robustness")])


def _mean(values: Mapping[str, float], names: Sequence[str]) -> float:
    return sum(values[name] for name in names) / len(names)
