"""Matrix figures of an evaluation: correlations of the features, parameter sweeps, robustness."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ...engine.plotting.colours import GREY, GRID, HEAT_STOPS, INK, PAPER, SERIES, SIGNED_STOPS
from ...engine.plotting.style import hide_spines
from ...models.common.constants import MIDLEVEL
from ...models.common.formatting import display_name, format_r
from ...models.datasets.perceptual import SCALE_TO_FEATURE
from ...models.evaluation.construct_validity import ScaleValidity
from ...models.evaluation.parameter_sweeps import SweepResponse
from ...models.evaluation.results import EvaluationResults
from ...models.evaluation.robustness import OUTPUT_NAMES
from .plot_helpers import plot_intervals, report_figure

SIGNED: Final[Colormap] = LinearSegmentedColormap.from_list("signed", SIGNED_STOPS)
"""Diverging colour map: vermilion below zero, blue above."""
_HEAT: Final[Colormap] = LinearSegmentedColormap.from_list("heat", HEAT_STOPS)


def scale_label(scale: str) -> str:
    """Return the label of a perceptual scale in the direction of its feature: what a high value means."""
    labels_by_scale = {"articulation": "staccato (articulation)", "mode": "minor (mode)"}
    return labels_by_scale.get(scale, display_name(scale))


def plot_scale_correlations(path: Path, scales: Mapping[str, ScaleValidity], *, title: str) -> None:
    """Plot the correlation of each feature with each perceptual scale; the corresponding feature is framed.

    Parameters
    ----------
    path
        The file to write.
    scales
        Validity by scale.
    title
        Of the figure.
    """
    order = sorted(
        scales, key=lambda s: MIDLEVEL.index(SCALE_TO_FEATURE[s][0]) if s in SCALE_TO_FEATURE else len(MIDLEVEL)
    )
    values = np.array([[scales[scale].r[name].value for scale in order] for name in MIDLEVEL])
    lows = np.array([[scales[scale].r[name].low for scale in order] for name in MIDLEVEL])
    highs = np.array([[scales[scale].r[name].high for scale in order] for name in MIDLEVEL])
    below = [
        [f"{format_r(a)} to {format_r(b)}" for a, b in zip(*rows, strict=True)]
        for rows in zip(lows, highs, strict=True)
    ]
    footnote = "Framed: the feature that the scale corresponds to.  Small print: 95 % interval over albums."
    with report_figure(path, 9.2, 5, title=title, footnote=footnote) as figure:
        axes = figure.subplots()
        _matrix(figure, axes, values, MIDLEVEL, [scale_label(s) for s in order], below=below, label="Pearson r")
        for column, scale in enumerate(order):
            if scales[scale].own is not None:
                _frame(axes, MIDLEVEL.index(str(scales[scale].own)), column)
        axes.set_xlabel("ratings of five-second excerpts")
        axes.set_ylabel("predicted")


def plot_feature_correlations(path: Path, between: Mapping[str, Sequence[Sequence[float]]], *, title: str) -> None:
    """Plot the correlations of the seven features with each other over the recordings.

    Parameters
    ----------
    path
        The file to write.
    between
        Correlations [7][7] by title of the panel.
    title
        Of the figure.
    """
    with report_figure(path, 0.6 + 6.2 * len(between), 5, title=title) as figure:
        panels = figure.subplots(1, len(between), sharey=True, squeeze=False)[0]
        for axes, (name, matrix) in zip(panels, between.items(), strict=True):
            values = np.array(matrix) + np.diag(np.full(len(MIDLEVEL), np.nan))
            _matrix(figure, axes, values, MIDLEVEL, [display_name(name) for name in MIDLEVEL], label="Pearson r")
            axes.set_title(name, fontsize=9)


def plot_sweep_responses(path: Path, sweeps: Mapping[str, SweepResponse], *, title: str) -> None:
    """Plot the response to parameter sweeps: rank correlations with intervals, and slopes of all seven features.

    Parameters
    ----------
    path
        The file to write.
    sweeps
        Response by parameter.
    title
        Of the figure.
    """
    names = [name for name in MIDLEVEL if name in sweeps]
    footnote = "95 % intervals over sweeps.  Dashed: .8 and .9."
    with report_figure(path, 11, 4.6, title=title, footnote=footnote) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(3, 4))
        rows = range(len(names))
        for shift, colour, label, part in (
            (-0.13, SERIES[0], "all clips of its sweeps", "pooled"),
            (0.13, SERIES[1], "mean within sweeps", "within"),
        ):
            plot_intervals(
                left,
                [(row, getattr(sweeps[n], part)) for row, n in zip(rows, names, strict=True)],
                shift,
                colour,
                label,
            )
        for goal in (0.8, 0.9):
            left.axvline(goal, color=GREY, linewidth=0.7, linestyle=(0, (4, 3)))
        left.set_yticks(rows, [display_name(name) for name in names])
        left.set_ylim(len(names) - 0.4, -0.6)
        left.set_xlim(right=1.02)
        left.set_xlabel("Spearman's rho of the feature with its parameter")
        left.grid(axis="x", color=GRID, linewidth=0.6)
        left.set_axisbelow(True)
        left.legend(loc="lower left", bbox_to_anchor=(-0.02, -0.34), ncols=2, fontsize=7.5, frameon=False)
        hide_spines(left)
        slopes = np.array([[sweeps[name].slopes_in_sd[other] for other in MIDLEVEL] for name in names])
        limit = float(max(np.abs(slopes).max(), 0.5))
        labels = [display_name(name) for name in MIDLEVEL]
        _matrix(figure, right, slopes, names, labels, limit=limit, label="standard deviations for 0 to 1", signs=True)
        for row, name in enumerate(names):
            _frame(right, row, MIDLEVEL.index(name))
        right.set_ylabel("parameter, from 0 to 1")
        right.set_xlabel("change of each predicted feature")


def plot_robustness(path: Path, results: EvaluationResults, *, title: str) -> None:
    """Plot the effect of each perturbation on each output: mean change, correlation with the unperturbed.

    Parameters
    ----------
    path
        The file to write.
    results
        Of the evaluation.
    title
        Of the figure.
    """
    names = list(results.moved)
    change = np.array([[results.moved[name].change[output] for output in OUTPUT_NAMES] for name in names])
    alike = np.array([[results.moved[name].r[output] for output in OUTPUT_NAMES] for name in names])
    with report_figure(path, 12.5, 6.6, title=title) as figure:
        above, below = figure.subplots(2, 1, sharex=True)
        labels = [display_name(name) for name in OUTPUT_NAMES]
        top = max(0.1, float(np.nanmax(change)))
        _matrix(
            figure,
            above,
            change,
            names,
            labels,
            limit=top,
            colours=_HEAT,
            label="mean change (scale 0..1)",
            digits=3,
            ticks=False,
        )
        _matrix(
            figure,
            below,
            1 - alike,
            names,
            labels,
            limit=max(0.2, float(np.nanmax(1 - alike))),
            colours=_HEAT,
            label="1 − r",
            shown=alike,
        )
        for axes in (above, below):
            axes.axvline(len(MIDLEVEL) - 0.5, color=INK, linewidth=1)
        above.set_title("mean absolute change of the prediction")
        below.set_title("correlation of perturbed with unperturbed predictions")


def _matrix(
    figure: Figure,
    axes: Axes,
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    label: str,
    limit: float = 1.0,
    colours: Colormap = SIGNED,
    below: Sequence[Sequence[str]] | None = None,
    shown: np.ndarray | None = None,
    digits: int = 2,
    signs: bool = False,
    ticks: bool = True,
) -> None:
    """Draw a matrix as coloured cells with numbers, blank where NaN.

    `below` is small print for each cell; `shown` are numbers to print in place of `values`.
    """
    lowest = -limit if colours is SIGNED else 0.0
    image = axes.imshow(values, cmap=colours, vmin=lowest, vmax=limit, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            strong = bool(abs(value) > 0.72 * limit)
            printed = float(value if shown is None else shown[row, column])
            text = format_r(printed, digits)
            text = "+" + text if signs and printed > 0 else text
            colour = PAPER if strong else INK
            up = 0.12 if below else 0
            axes.text(column, row - up, text, ha="center", va="center", fontsize=8.5, color=colour)
            if below:
                axes.text(
                    column, row + 0.27, below[row][column], ha="center", va="center", fontsize=5.8, color=colour
                )
    axes.set_yticks(range(len(rows)), [display_name(name) for name in rows], fontsize=8.5)
    axes.set_xticks(range(len(columns)), list(columns), fontsize=8.5)
    if ticks:
        for tick in axes.get_xticklabels():
            tick.set_rotation(30)
            tick.set_horizontalalignment("right")
            tick.set_rotation_mode("anchor")
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color=PAPER, linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    bar = figure.colorbar(image, ax=axes, pad=0.015, aspect=30)
    bar.set_label(label, fontsize=8)
    bar.outline.set_visible(False)


def _frame(axes: Axes, row: int, column: int) -> None:
    """Frame a cell."""
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=1.6, zorder=4))
