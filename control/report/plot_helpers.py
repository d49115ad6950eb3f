"""Helpers of the figures of an evaluation: the figure with its title, number formats, points with error bars."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...engine.plotting.colours import GREY
from ...engine.plotting.style import STYLE, save_figure
from ...models.common.formatting import format_r
from ...models.evaluation.bootstrap import Estimate


@contextmanager
def report_figure(
    path: Path, width: float, height: float, *, title: str, footnote: str | None = None
) -> Iterator[Figure]:
    """Make a figure to be filled in the block; at its end it gets its title and footnote and is written.

    Parameters
    ----------
    path
        The file to write.
    width, height
        In inches.
    title
        Above all panels.
    footnote
        Small print at the bottom.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")
        if footnote:
            figure.supxlabel(footnote, fontsize=7.5, color=GREY, x=0.01, ha="left")
        save_figure(figure, path)


def format_interval(estimate: Estimate) -> str:
    """Format a statistic and its interval, as in .83 [.79, .86]."""
    return f"{format_r(estimate.value)} [{format_r(estimate.low)}, {format_r(estimate.high)}]"


def plot_intervals(
    axes: Axes, points: Sequence[tuple[int, Estimate]], shift: float, colour: str, label: str, *, shape: str = "o"
) -> None:
    """Draw points with horizontal error bars.

    Parameters
    ----------
    axes
        Where to draw.
    points
        Row and value of each point.
    shift
        Added to the rows, to keep several series apart.
    colour, shape
        Of the points.
    label
        For the legend.
    """
    rows = [row + shift for row, _ in points]
    values = np.array([[e.value, e.low, e.high] for _, e in points]).reshape(-1, 3)
    sides = np.maximum(np.stack([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]]), 0)
    axes.errorbar(
        values[:, 0], rows, xerr=sides, fmt=shape, color=colour, label=label, markersize=4.2, elinewidth=1.1,
        capsize=2, capthick=0.9,
    )  # fmt: skip
