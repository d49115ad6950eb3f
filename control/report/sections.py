"""The sections of an evaluation's page: each makes Markdown of results, empty where there are none."""

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
"""File name of each figure; a figure without data is not made."""


def table(header: str, rows: Iterable[Sequence[str]]) -> str:
    """Make a Markdown table, the first column left-aligned. header: the columns' names between bars."""
    line = "| --- |" + " ---: |" * header.count("|")
    return "\n".join([f"| {header} |", line, *("| " + " | ".join(row) + " |" for row in rows)])


def figure_link(key: str) -> str:
    """Markdown image of the figure of that key."""
    return f"![{key}]({FIGURES[key]})"


def metrics_table(found: Mapping[str, RegressionMetrics]) -> str:
    """Correlation, errors, those of chance and of a constant prediction, calibration."""
    rows = []
    for name, a in found.items():
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


def emotions_section(found: EvaluationResults) -> str:
    """Emotions against ratings."""
    if not found.emotions:
        return ""
    runs = found.emotions["mean"].r_of_runs
    runs_line = "Mean r of each division: " + ", ".join(format_r(r, 3) for r in runs) + "."
    notes = (
        "Errors are on the scale 0..1 of ratings. *Constant*: always predicting the mean rating. *By chance*: the "
        "predictions permuted over albums. *Slope*, *offset*: rated = slope × predicted + offset."
    )
    parts = ["## Emotions against listeners' ratings", metrics_table(found.emotions)]
    parts += [runs_line] if len(runs) > 1 else []
    return "\n\n".join([*parts, notes, *map(figure_link, ("emotions", "scatter", "calibration"))])


def midlevel_section(found: EvaluationResults) -> str:
    """Mid-level features against ratings."""
    if not found.midlevel:
        return ""
    return "## Mid-level features against listeners' ratings\n\n" + metrics_table(found.midlevel)


def scales_section(found: EvaluationResults) -> str:
    """Validity: features against human perceptual scales."""
    if not found.scales:
        return ""
    rows = []
    for scale, validity in found.scales.items():
        if validity.own is not None and validity.closest_other is not None:
            other, valid = validity.closest_other, "yes" if validity.is_valid else "**no**"
            cells = [scale_label(scale), display_name(validity.own), format_interval(validity.r[validity.own])]
            cells += [
                f"{display_name(other)} {format_r(validity.r[other].value)}",
                format_interval(validity.margin[other]),
            ]
            rows.append([*cells, valid, str(validity.clips)])
    header = "listeners' scale | feature | r | largest r of another feature | difference | valid | excerpts"
    note = "*Valid*: r with its own feature is not less, within the interval, than with any other."
    title = "## Features against human perceptual scales"
    return "\n\n".join([title, table(header, rows), note, figure_link("scales")])


def features_section(found: EvaluationResults) -> str:
    """Correlation of the features with each other."""
    a, b, r = found.closest
    text = f"Largest correlation over the recordings: {display_name(a)} and {display_name(b)}, r = {format_r(r)}."
    if found.model_closest is not None:
        a, b, r = found.model_closest
        text += f" Of the model: {display_name(a)} and {display_name(b)}, r = {format_r(r)}."
    return "\n\n".join(["## Correlation of the features with each other", text, figure_link("features")])


def sweep_section(found: EvaluationResults) -> str:
    """Labelled rendered music not used in training, and parameter sweeps."""
    if not found.known:
        return ""
    all_kinds = found.turned.get("all", {})
    kinds = [kind for kind in found.turned if kind != "all"]
    rows = []
    for name, r in found.known.items():
        cells = [display_name(name), format_interval(r), *[""] * 4]
        if response := all_kinds.get(name):
            cells[2:] = [
                format_interval(response.rho_pooled),
                format_interval(response.rho_within),
                str(response.series),
                str(response.clips),
            ]
        for kind in kinds:
            own = found.turned[kind].get(name)
            cells.append(f"{format_r(own.rho_pooled.value)}, {format_r(own.rho_within.value)}" if own else "")
        rows.append(cells)
    header = " | Pearson r | rho, all clips of its sweeps | rho, within a sweep | sweeps | clips"
    header += "".join(f" | {kind} alone" for kind in kinds)
    parts = ["## Labelled rendered music not used in training", table(header, rows)]
    if all_kinds:
        slopes = [
            [display_name(q), *(format_signed(t.slopes[n].value, ".2f") for n in MIDLEVEL)]
            for q, t in all_kinds.items()
        ]
        parts += ["rho: Spearman's, of a feature with its parameter, while that parameter alone is swept."]
        parts += ["Change of each feature, on its scale 0..1, while a parameter is swept from 0 to 1:"]
        parts += [table(" | ".join(["swept", *map(display_name, MIDLEVEL)]), slopes), figure_link("turned")]
    return "\n\n".join(parts)


def out_of_domain_section(found: EvaluationResults) -> str:
    """Predictions for sounds that are not music."""
    if not found.unusual:
        return ""
    parts = [
        "## Out of domain",
        "A network predicts something for every sound. Ten seconds of sounds that are not music:",
    ]
    for names in (MIDLEVEL, EMOTIONS):
        rows = [[sound, *(format_r(predicted[name]) for name in names)] for sound, predicted in found.unusual.items()]
        usual = [f"{format_r(found.usual[name][0])} to {format_r(found.usual[name][2])}" for name in names]
        rows.append(["5 to 95 % of the recordings", *usual])
        parts.append(table(" | ".join(["", *map(display_name, names)]), rows))
    return "\n\n".join([*parts, figure_link("unusual")])


def robustness_section(found: EvaluationResults) -> str:
    """Predictions for recordings changed in ways that hardly change a rating."""
    if not found.moved:
        return ""
    rows = []
    for name, m in found.moved.items():
        largest, least = max(m.change, key=m.change.__getitem__), min(m.r, key=m.r.__getitem__)
        cells = [name, format_r(_mean(m.change, MIDLEVEL), 3), format_r(_mean(m.change, EMOTIONS), 3)]
        cells += [f"{display_name(largest)} {format_r(m.change[largest], 3)}", format_r(_mean(m.r, MIDLEVEL), 3)]
        cells += [format_r(_mean(m.r, EMOTIONS), 3), f"{display_name(least)} {format_r(m.r[least], 3)}"]
        rows.append([*cells, format_r(found.moved_r[name], 3) if name in found.moved_r else "", str(m.clips)])
    note = "Ten seconds of each recording, perturbed. *Move*: mean absolute change on the scale 0..1; "
    note += "*r*: of perturbed with unperturbed predictions over the recordings."
    if "unchanged" in found.moved_r:
        note += (
            " *r with ratings*: mean of the emotions over those recordings that allow every change; unchanged it is "
        )
        note += format_r(found.moved_r["unchanged"], 3) + "."
    header = "perturbation | features | emotions | largest | r, features | r, emotions | least | r with ratings"
    title = "## Robustness to changes that hardly change a rating"
    return "\n\n".join([title, note, table(header + " | recordings", rows), figure_link("robustness")])


def _mean(values: Mapping[str, float], names: Sequence[str]) -> float:
    return sum(values[name] for name in names) / len(names)
