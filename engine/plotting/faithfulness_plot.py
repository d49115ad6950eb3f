"""The figure of insertion and deletion curves: the network's prediction while a feature's segments change."""

from collections.abc import Sequence
from typing import Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...models.common.formatting import display_name, format_signed
from ..analysis.faithfulness import CHANGES, FaithfulnessCurve
from ..explain.perturbation import GAIN_DB
from .colours import BAND, GREY, LOWERS, RAISES
from .style import STYLE, hide_spines, new_figure

_CHANGE_NAMES: Final = {"hide": "masked", "cut": f"cut by {GAIN_DB:g} dB", "boost": f"boosted by {GAIN_DB:g} dB"}
_SIDE_NAMES: Final = {"for": "segments that raise it", "against": "segments that lower it"}
_COLOURS: Final = {"for": RAISES, "against": LOWERS}


def plot_faithfulness(curves: Sequence[FaithfulnessCurve], *, title: str, figure: Figure | None = None) -> list[Axes]:
    """Plot the curves of one feature: a panel for each change, over the band of random segments of the same area.

    Drawn into `figure`, a new one if None; returns the axes, in the order of CHANGES.
    """
    feature = display_name(curves[0].feature)
    figure = figure or new_figure(12, 4.1)
    with rc_context(STYLE):
        panels = figure.subplots(1, len(CHANGES), sharey=True)
        for axes, change in zip(panels, CHANGES, strict=True):
            _panel(axes, [curve for curve in curves if curve.change == change])
            axes.set_title(f"segments {_CHANGE_NAMES[change]}")
            axes.set_xlabel("changed area (%)")
        panels[0].set_ylabel(f"predicted {feature}")
        figure.suptitle(
            f"{title}: {feature} while the segments with the largest weights change", fontsize=11, x=0.01, ha="left"
        )
        note = (
            "Grey: random segments of the same area, mean and 95 % of draws.  In the legend: the area between curve "
        )
        note += "and the random mean, positive where the curve goes as the explanation says."
        figure.supxlabel(note, fontsize=7.5, color=GREY, x=0.01, ha="left")
    return list(panels)


def _panel(axes: Axes, curves: Sequence[FaithfulnessCurve]) -> None:
    widest = max(curves, key=lambda curve: curve.fractions[-1])
    percent = 100 * widest.fractions
    axes.fill_between(percent, widest.random_low, widest.random_high, color=BAND, linewidth=0)
    axes.plot(percent, widest.random_mean, color=GREY, linewidth=1.1)
    for curve in curves:
        axes.plot(
            100 * curve.fractions,
            curve.predictions,
            color=_COLOURS[curve.side],
            marker="o",
            markersize=2.8,
            linewidth=1.4,
            label=f"{_SIDE_NAMES[curve.side]}  {format_signed(curve.area_above_random, '.3f')}",
        )
    axes.axhline(widest.predictions[0], color=GREY, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0)
    axes.set_xlim(0)
    # Below the panel: inside, there is no corner that no curve ever crosses.
    axes.legend(
        frameon=False, fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=1, handlelength=1.4
    )
    hide_spines(axes)
