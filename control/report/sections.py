"""The sections of an evaluation's page: each takes findings and gives Markdown, empty where nothing was found."""

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
"""File name of each figure; a figure whose material was not given is not made."""


def table(header: str, rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, the first column to the left. header: the columns' names between bars."""
    line = "| --- |" + " ---: |" * header.count("|")
    return "\n".join([f"| {header} |", line, *("| " + " | ".join(row) + " |" for row in rows)])


def figure_link(key: str) -> str:
    return f"![{key}]({FIGURES[key]})"


def agreement_table(found: Mapping[str, RegressionMetrics]) -> str:
    """r, errors, what always saying the mean and what chance reaches, calibration."""
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
    if not found.emotions:
        return ""
    runs = found.emotions["mean"].r_of_runs
    each = "Mean r of each division by itself: " + ", ".join(format_r(r, 3) for r in runs) + "."
    told = (
        "Errors are on the scale 0..1 of ratings. *Constant*: always saying the mean rating. *By chance*: the same "
        "predictions dealt to other albums. *Slope*, *offset*: rated = slope × predicted + offset."
    )
    parts = ["## Emotions against listeners' ratings", agreement_table(found.emotions)]
    parts += [each] if len(runs) > 1 else []
    return "\n\n".join([*parts, told, *map(figure_link, ("emotions", "scatter", "calibration"))])


def midlevel_section(found: EvaluationResults) -> str:
    if not found.midlevel:
        return ""
    return "## Mid-level features against listeners' ratings\n\n" + agreement_table(found.midlevel)


def scales_section(found: EvaluationResults) -> str:
    if not found.scales:
        return ""
    rows = []
    for scale, meaning in found.scales.items():
        if meaning.own is not None and meaning.closest_other is not None:
            rival, holds = meaning.closest_other, "yes" if meaning.is_valid else "**no**"
            cells = [scale_label(scale), display_name(meaning.own), format_interval(meaning.r[meaning.own])]
            cells += [
                f"{display_name(rival)} {format_r(meaning.r[rival].value)}",
                format_interval(meaning.margin[rival]),
            ]
            rows.append([*cells, holds, str(meaning.clips)])
    header = (
        "listeners' scale | stands for | r | most alike of the others | r less the size of that | holds | excerpts"
    )
    told = "*Holds*: the scale goes with its feature no less, within the interval, than with any other."
    title = "## Features against human perceptual scales"
    return "\n\n".join([title, table(header, rows), told, figure_link("scales")])


def features_section(found: EvaluationResults) -> str:
    a, b, r = found.closest
    most = f"Most alike over the recordings: {display_name(a)} and {display_name(b)}, r = {format_r(r)}."
    if found.model_closest is not None:
        a, b, r = found.model_closest
        most += f" Of the model: {display_name(a)} and {display_name(b)}, r = {format_r(r)}."
    return "\n\n".join(["## Seven features, not one", most, figure_link("features")])


def sweep_section(found: EvaluationResults) -> str:
    if not found.known:
        return ""
    every = found.turned.get("all", {})
    kinds = [kind for kind in found.turned if kind != "all"]
    rows = []
    for name, r in found.known.items():
        cells = [display_name(name), format_interval(r), *[""] * 4]
        if turned := every.get(name):
            cells[2:] = [
                format_interval(turned.rho_pooled),
                format_interval(turned.rho_within),
                str(turned.series),
                str(turned.clips),
            ]
        for kind in kinds:
            own = found.turned[kind].get(name)
            cells.append(f"{format_r(own.rho_pooled.value)}, {format_r(own.rho_within.value)}" if own else "")
        rows.append(cells)
    header = " | Pearson r | rho, all clips of its series | rho, within series | series | clips"
    header += "".join(f" | {kind} alone" for kind in kinds)
    parts = ["## Music of known qualities that was not learned from", table(header, rows)]
    if every:
        slopes = [
            [display_name(q), *(format_signed(t.slopes[n].value, ".2f") for n in MIDLEVEL)] for q, t in every.items()
        ]
        parts += ["rho: Spearman's, of a feature with its quality, while that quality alone is turned."]
        parts += ["How far each feature moves, on its scale 0..1, while a quality is turned from 0 to 1:"]
        parts += [table(" | ".join(["turned", *map(display_name, MIDLEVEL)]), slopes), figure_link("turned")]
    return "\n\n".join(parts)


def out_of_domain_section(found: EvaluationResults) -> str:
    if not found.unusual:
        return ""
    parts = ["## Out of domain", "It says something of every sound. Ten seconds of sounds that are no music:"]
    for names in (MIDLEVEL, EMOTIONS):
        rows = [[sound, *(format_r(said[name]) for name in names)] for sound, said in found.unusual.items()]
        usual = [f"{format_r(found.usual[name][0])} to {format_r(found.usual[name][2])}" for name in names]
        rows.append(["5 to 95 % of the recordings", *usual])
        parts.append(table(" | ".join(["", *map(display_name, names)]), rows))
    return "\n\n".join([*parts, figure_link("unusual")])


def robustness_section(found: EvaluationResults) -> str:
    if not found.moved:
        return ""
    rows = []
    for name, m in found.moved.items():
        most, least = max(m.change, key=m.change.__getitem__), min(m.r, key=m.r.__getitem__)
        cells = [name, format_r(_mean(m.change, MIDLEVEL), 3), format_r(_mean(m.change, EMOTIONS), 3)]
        cells += [f"{display_name(most)} {format_r(m.change[most], 3)}", format_r(_mean(m.r, MIDLEVEL), 3)]
        cells += [format_r(_mean(m.r, EMOTIONS), 3), f"{display_name(least)} {format_r(m.r[least], 3)}"]
        rows.append([*cells, format_r(found.moved_r[name], 3) if name in found.moved_r else "", str(m.clips)])
    told = "Ten seconds of each recording, changed and read anew. *Move*: mean absolute change on the scale 0..1; "
    told += "*r*: of changed with unchanged predictions over the recordings."
    if "unchanged" in found.moved_r:
        told += (
            " *r with ratings*: mean of the emotions over those recordings that allow every change; unchanged it is "
        )
        told += format_r(found.moved_r["unchanged"], 3) + "."
    header = (
        "change | features move | emotions move | most of all | r, features | r, emotions | least | r with ratings"
    )
    title = "## Changes that listeners would hardly rate otherwise"
    return "\n\n".join([title, told, table(header + " | recordings", rows), figure_link("robustness")])


def _mean(values: Mapping[str, float], names: Sequence[str]) -> float:
    return sum(values[name] for name in names) / len(names)
