"""What the figures of an evaluation share: how numbers are set, points with intervals, a line of small print."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...engine.plotting.style import FAINT
from ...models.common.formatting import format_r
from ...models.evaluation.bootstrap import Estimate

GRID: Final = "#e4e4e4"


def format_interval(estimate: Estimate) -> str:
    """.83 [.79, .86]"""
    return f"{format_r(estimate.value)} [{format_r(estimate.low)}, {format_r(estimate.high)}]"


def plot_intervals(
    axes: Axes, own: Sequence[tuple[int, Estimate]], shift: float, colour: str, label: str, *, shape: str = "o"
) -> None:
    """Points with intervals, one a row."""
    rows = [row + shift for row, _ in own]
    values = np.array([[e.value, e.low, e.high] for _, e in own]).reshape(-1, 3)
    sides = np.maximum(np.stack([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]]), 0)
    axes.errorbar(
        values[:, 0], rows, xerr=sides, fmt=shape, color=colour, label=label, markersize=4.2, elinewidth=1.1,
        capsize=2, capthick=0.9,
    )  # fmt: skip


def add_footnote(figure: Figure, text: str) -> None:
    """Small print at the foot of a figure."""
    figure.supxlabel(text, fontsize=7.5, color=FAINT, x=0.01, ha="left")
