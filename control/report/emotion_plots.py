"""Figures of an evaluation: predicted against rated emotions, metrics, calibration, out-of-domain sounds."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...engine.plotting.colours import BAR, FIT, GREY, GRID, INK, REFERENCE_LINE, SERIES
from ...engine.plotting.style import hide_spines
from ...models.common.arrays import Floats
from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.formatting import display_name, format_signed
from ...models.evaluation.metrics import RegressionMetrics
from ...models.evaluation.results import EvaluationResults
from .plot_helpers import format_interval, plot_intervals, report_figure

_BINS = 6
_SHAPES: Final = ("o", "s", "^", "D", "v", "P")


def plot_scatter(
    path: Path, predictions: Floats, rated: Floats, results: Mapping[str, RegressionMetrics], *, title: str
) -> None:
    """Plot predicted against rated emotions, one panel per emotion.

    Parameters
    ----------
    path
        The file to write.
    predictions, rated
        [clips, 8], NaN where there is none.
    results
        Metrics by emotion.
    title
        Of the figure.
    """
    footnote = "A point is a clip; dashed: predicted equals rated.  r with its 95 % interval over albums."
    with report_figure(path, 10, 5.6, title=title, footnote=footnote) as figure:
        for name, axes in _panels(figure, results):
            x, y = predictions[:, EMOTIONS.index(name)], rated[:, EMOTIONS.index(name)]
            axes.scatter(x, y, s=11, color=SERIES[0], alpha=0.45, linewidths=0)
            axes.set_title(f"{display_name(name)}   r {format_interval(results[name].r)}", fontsize=8.5)


def plot_emotion_metrics(
    path: Path,
    results: Mapping[str, RegressionMetrics],
    others: Mapping[str, Mapping[str, RegressionMetrics]],
    *,
    title: str,
) -> None:
    """Plot correlation and error of each emotion with intervals, chance level and the records of other models.

    Parameters
    ----------
    path
        The file to write.
    results
        Metrics by emotion.
    others
        Metrics of other records, by their title.
    title
        Of the figure.
    """
    names = [*[name for name in EMOTIONS if name in results], "mean"]
    footnote = "Bars: 95 % interval, bootstrap over albums."
    with report_figure(path, 10, 0.42 * len(names) + 1.9, title=title, footnote=footnote) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        rows = range(len(names))
        for axes, value, chance in (
            (left, lambda a: a.r, lambda a: (a.chance_r.low, a.chance_r.high)),
            (right, lambda a: a.rmse, lambda a: (a.constant_rmse, a.constant_rmse)),
        ):
            for row, name in zip(rows, names, strict=True):
                low, high = chance(results[name])
                if high > low:
                    axes.barh(row, high - low, left=low, height=0.5, color=BAR)
                else:
                    axes.plot([low, low], [row - 0.32, row + 0.32], color=GREY, linewidth=2)
            runs = {"": results, **others}
            for index, (label, run) in enumerate(runs.items()):
                shift = (index - (len(runs) - 1) / 2) * 0.2
                points = [(row, value(run[name])) for row, name in zip(rows, names, strict=True) if name in run]
                colour = SERIES[index % len(SERIES)]
                plot_intervals(
                    axes, points, shift, colour, label or "this model", shape=_SHAPES[index % len(_SHAPES)]
                )
            axes.axhline(len(names) - 1.5, color=GREY, linewidth=0.6)
            axes.grid(axis="x", color=GRID, linewidth=0.6)
            axes.set_axisbelow(True)
            hide_spines(axes)
        left.set_yticks(rows, [display_name(name) for name in names])
        left.set_ylim(len(names) - 0.4, -0.6)
        left.set_xlim(right=1.0)
        left.set_xlabel("Pearson r with the ratings  (grey: chance)")
        right.set_xlabel("root mean square error, scale 0..1  (grey: constant prediction of the mean)")
        right.set_xlim(left=0)
        if others:
            handles, labels = right.get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside upper right", ncols=4, fontsize=8, frameon=False)


def plot_calibration(
    path: Path, predictions: Floats, rated: Floats, results: Mapping[str, RegressionMetrics], *, title: str
) -> None:
    """Plot the mean rating by prediction (reliability diagram), one panel per emotion.

    Parameters
    ----------
    path
        The file to write.
    predictions, rated
        [clips, 8], NaN where there is none.
    results
        Metrics by emotion.
    title
        Of the figure.
    """
    footnote = (
        f"Blue: mean rating, with its 95 % interval, of the clips in {_BINS} bins of equal size by prediction.  "
        "Red: rated = slope × predicted + offset; ideal: 1 and 0."
    )
    with report_figure(path, 10, 5.6, title=title, footnote=footnote) as figure:
        for name, axes in _panels(figure, results):
            x, y = predictions[:, EMOTIONS.index(name)], rated[:, EMOTIONS.index(name)]
            valid = np.isfinite(x) & np.isfinite(y)
            bins = np.array_split(np.flatnonzero(valid)[np.argsort(x[valid], kind="stable")], _BINS)
            bins = [rows for rows in bins if len(rows)]
            predicted, mean = ([float(v[rows].mean()) for rows in bins] for v in (x, y))
            error = [1.96 * float(y[rows].std()) / np.sqrt(len(rows)) for rows in bins]
            slope, offset = results[name].slope, results[name].offset
            ends = np.array([min(predicted), max(predicted)])
            axes.plot(ends, slope.value * ends + offset.value, color=FIT, linewidth=1.1)
            axes.errorbar(
                predicted, mean, yerr=error, fmt="o", color=SERIES[0], markersize=4, elinewidth=1, capsize=2
            )
            axes.set_title(display_name(name), fontsize=9)
            text = f"slope {format_interval(slope)}\noffset {format_signed(offset.value, '.2f')}"
            axes.text(0.04, 0.97, text, transform=axes.transAxes, va="top", fontsize=7, color=INK)


def plot_out_of_domain(path: Path, results: EvaluationResults, *, title: str) -> None:
    """Plot the predictions of out-of-domain sounds and, behind them, the range of those of the recordings.

    Parameters
    ----------
    path
        The file to write.
    results
        Of the evaluation.
    title
        Of the figure.
    """
    with report_figure(path, 11, 4.6, title=title) as figure:
        panels = figure.subplots(1, 2, width_ratios=(len(MIDLEVEL), len(EMOTIONS)), sharey=True)
        colours = (INK, GREY, FIT, *SERIES)
        for axes, names in zip(panels, (MIDLEVEL, EMOTIONS), strict=True):
            for column, name in enumerate(names):
                low, middle, high = results.usual[name]
                axes.bar(column, high - low, bottom=low, width=0.62, color=BAR)
                axes.plot([column - 0.31, column + 0.31], [middle, middle], color=REFERENCE_LINE, linewidth=1.2)
            for index, (sound, predictions) in enumerate(results.unusual.items()):
                x = np.arange(len(names)) + (index - (len(results.unusual) - 1) / 2) * 0.11
                shape, colour = _SHAPES[index % len(_SHAPES)], colours[index % len(colours)]
                axes.scatter(
                    x, [predictions[n] for n in names], s=22, marker=shape, color=colour, label=sound, zorder=3
                )
            axes.set_xticks(range(len(names)), [display_name(name).replace(" ", "\n") for name in names], fontsize=7)
            axes.axhline(0, color=GREY, linewidth=0.6)
            axes.axhline(1, color=GREY, linewidth=0.6)
            axes.grid(axis="y", color=GRID, linewidth=0.6)
            axes.set_axisbelow(True)
            axes.tick_params(axis="x", length=0)
            hide_spines(axes)
        panels[0].set_ylabel("predicted")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8.5, frameon=False)
        note = "grey: 5 to 95 % of the recordings, and their median"
        panels[0].set_title(note, fontsize=7.5, color=GREY, weight="normal")


def _panels(figure: Figure, results: Mapping[str, RegressionMetrics]) -> Iterator[tuple[str, Axes]]:
    """A panel for each rated emotion, rated over predicted with the diagonal dashed; unused panels are hidden."""
    grid = figure.subplots(2, 4, sharex=True, sharey=True)
    figure.set_layout_engine("constrained", hspace=0.06)
    for axes in grid[1]:
        axes.set_xlabel("predicted")
    for axes in grid[:, 0]:
        axes.set_ylabel("rated")
    for axes, name in zip(grid.ravel(), EMOTIONS, strict=True):
        if name in results:
            axes.plot([-0.1, 1.1], [-0.1, 1.1], color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
            yield name, axes
            _unit(axes)
        else:
            axes.set_visible(False)


def _unit(axes: Axes) -> None:
    """Both axes from 0 to 1."""
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")
    axes.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", ".5", "1"])
    hide_spines(axes)
