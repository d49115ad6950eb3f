"""The sections of an evaluation's page: each takes findings and gives Markdown, empty where nothing was found."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.formatting import number, signed, spoken
from ...models.evaluation.metrics import Agreement
from ...models.evaluation.results import Findings
from .matrix_plots import scale_name
from .plot_helpers import interval

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


def picture(key: str) -> str:
    return f"![{key}]({FIGURES[key]})"


def agreement_table(found: Mapping[str, Agreement]) -> str:
    """r, errors, what always saying the mean and what chance reaches, calibration."""
    rows = []
    for name, a in found.items():
        bold = "**" if name == "mean" else ""
        cells = [f"{bold}{spoken(name)}{bold}", f"{bold}{interval(a.r)}{bold}", interval(a.chance_r)]
        cells += [interval(a.rmse), number(a.constant_rmse), interval(a.mae), number(a.constant_mae)]
        rows.append([*cells, interval(a.slope), signed(a.offset.value, ".2f"), str(a.clips)])
    header = " | r | r by chance | RMSE | constant | MAE | constant | slope | offset | recordings"
    return table(header, rows)


def emotions_section(found: Findings) -> str:
    if not found.emotions:
        return ""
    runs = found.emotions["mean"].r_of_runs
    each = "Mean r of each division by itself: " + ", ".join(number(r, 3) for r in runs) + "."
    told = (
        "Errors are on the scale 0..1 of ratings. *Constant*: always saying the mean rating. *By chance*: the same "
        "predictions dealt to other albums. *Slope*, *offset*: rated = slope × predicted + offset."
    )
    parts = ["## Emotions against listeners' ratings", agreement_table(found.emotions)]
    parts += [each] if len(runs) > 1 else []
    return "\n\n".join([*parts, told, *map(picture, ("emotions", "scatter", "calibration"))])


def midlevel_section(found: Findings) -> str:
    if not found.midlevel:
        return ""
    return "## Mid-level features against listeners' ratings\n\n" + agreement_table(found.midlevel)


def scales_section(found: Findings) -> str:
    if not found.scales:
        return ""
    rows = []
    for scale, meaning in found.scales.items():
        if meaning.own is not None and meaning.rival is not None:
            rival, holds = meaning.rival, "yes" if meaning.holds else "**no**"
            cells = [scale_name(scale), spoken(meaning.own), interval(meaning.r[meaning.own])]
            cells += [f"{spoken(rival)} {number(meaning.r[rival].value)}", interval(meaning.margin[rival])]
            rows.append([*cells, holds, str(meaning.clips)])
    header = (
        "listeners' scale | stands for | r | most alike of the others | r less the size of that | holds | excerpts"
    )
    told = "*Holds*: the scale goes with its feature no less, within the interval, than with any other."
    title = "## Features against human perceptual scales"
    return "\n\n".join([title, table(header, rows), told, picture("scales")])


def features_section(found: Findings) -> str:
    a, b, r = found.closest
    most = f"Most alike over the recordings: {spoken(a)} and {spoken(b)}, r = {number(r)}."
    if found.model_closest is not None:
        a, b, r = found.model_closest
        most += f" Of the model: {spoken(a)} and {spoken(b)}, r = {number(r)}."
    return "\n\n".join(["## Seven features, not one", most, picture("features")])


def turned_section(found: Findings) -> str:
    if not found.known:
        return ""
    every = found.turned.get("all", {})
    kinds = [kind for kind in found.turned if kind != "all"]
    rows = []
    for name, r in found.known.items():
        cells = [spoken(name), interval(r), *[""] * 4]
        if turned := every.get(name):
            cells[2:] = [interval(turned.pooled), interval(turned.within), str(turned.series), str(turned.clips)]
        for kind in kinds:
            own = found.turned[kind].get(name)
            cells.append(f"{number(own.pooled.value)}, {number(own.within.value)}" if own else "")
        rows.append(cells)
    header = " | Pearson r | rho, all clips of its series | rho, within series | series | clips"
    header += "".join(f" | {kind} alone" for kind in kinds)
    parts = ["## Music of known qualities that was not learned from", table(header, rows)]
    if every:
        slopes = [[spoken(q), *(signed(t.slopes[n].value, ".2f") for n in MIDLEVEL)] for q, t in every.items()]
        parts += ["rho: Spearman's, of a feature with its quality, while that quality alone is turned."]
        parts += ["How far each feature moves, on its scale 0..1, while a quality is turned from 0 to 1:"]
        parts += [table(" | ".join(["turned", *map(spoken, MIDLEVEL)]), slopes), picture("turned")]
    return "\n\n".join(parts)


def unusual_section(found: Findings) -> str:
    if not found.unusual:
        return ""
    parts = ["## Out of domain", "It says something of every sound. Ten seconds of sounds that are no music:"]
    for names in (MIDLEVEL, EMOTIONS):
        rows = [[sound, *(number(said[name]) for name in names)] for sound, said in found.unusual.items()]
        usual = [f"{number(found.usual[name][0])} to {number(found.usual[name][2])}" for name in names]
        rows.append(["5 to 95 % of the recordings", *usual])
        parts.append(table(" | ".join(["", *map(spoken, names)]), rows))
    return "\n\n".join([*parts, picture("unusual")])


def robustness_section(found: Findings) -> str:
    if not found.moved:
        return ""
    rows = []
    for name, m in found.moved.items():
        most, least = max(m.change, key=m.change.__getitem__), min(m.r, key=m.r.__getitem__)
        cells = [name, number(_mean(m.change, MIDLEVEL), 3), number(_mean(m.change, EMOTIONS), 3)]
        cells += [f"{spoken(most)} {number(m.change[most], 3)}", number(_mean(m.r, MIDLEVEL), 3)]
        cells += [number(_mean(m.r, EMOTIONS), 3), f"{spoken(least)} {number(m.r[least], 3)}"]
        rows.append([*cells, number(found.moved_r[name], 3) if name in found.moved_r else "", str(m.clips)])
    told = "Ten seconds of each recording, changed and read anew. *Move*: mean absolute change on the scale 0..1; "
    told += "*r*: of changed with unchanged predictions over the recordings."
    if "unchanged" in found.moved_r:
        told += (
            " *r with ratings*: mean of the emotions over those recordings that allow every change; unchanged it is "
        )
        told += number(found.moved_r["unchanged"], 3) + "."
    header = (
        "change | features move | emotions move | most of all | r, features | r, emotions | least | r with ratings"
    )
    title = "## Changes that listeners would hardly rate otherwise"
    return "\n\n".join([title, told, table(header + " | recordings", rows), picture("robustness")])


def _mean(values: Mapping[str, float], names: Sequence[str]) -> float:
    return sum(values[name] for name in names) / len(names)
