"""Helpers of the figures of an evaluation: number formats, points with error bars, a footnote."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...engine.plotting.colours import GREY
from ...models.common.formatting import format_r
from ...models.evaluation.bootstrap import Estimate


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


def add_footnote(figure: Figure, text: str) -> None:
    """Add small print at the bottom of a figure."""
    figure.supxlabel(text, fontsize=7.5, color=GREY, x=0.01, ha="left")
