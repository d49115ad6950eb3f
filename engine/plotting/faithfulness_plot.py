"""The figure of insertion and deletion curves: the network's prediction while a feature's segments change."""

from collections.abc import Sequence
from typing import Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...models.common.formatting import display_name, format_signed
from ..analysis.faithfulness import CHANGES, FaithfulnessCurve
from ..explain.perturbation import GAIN_DB
from .style import AGAINST, FAINT, FOR, STYLE, hide_spines, new_figure

_DONE: Final = {"hide": "hidden", "cut": f"cut by {GAIN_DB:g} dB", "boost": f"boosted by {GAIN_DB:g} dB"}
_COLOURS: Final = {"for": FOR, "against": AGAINST}


def plot_faithfulness(curves: Sequence[FaithfulnessCurve], *, title: str, figure: Figure | None = None) -> list[Axes]:
    """Curves of one feature: a panel a change, both sides, over the band of random segments of the same area.

    Drawn into `figure`, a new one if None; returns the axes, in the order of CHANGES.
    """
    feature = display_name(curves[0].feature)
    figure = figure or new_figure(12, 3.5)
    with rc_context(STYLE):
        panels = figure.subplots(1, len(CHANGES), sharey=True)
        for axes, change in zip(panels, CHANGES, strict=True):
            _panel(axes, [curve for curve in curves if curve.change == change])
            axes.set_title(f"segments {_DONE[change]}")
            axes.set_xlabel("changed area (%)")
        panels[0].set_ylabel(f"{feature}, as the network hears it")
        figure.suptitle(f"{title}: {feature} while its strongest segments change", fontsize=11, x=0.01, ha="left")
        note = "Grey: random segments of the same area, mean and 95 % of the draws.  In the legend: how much further "
        note += "than random the curve goes the way that the explanation says, on average."
        figure.supxlabel(note, fontsize=7.5, color=FAINT, x=0.01, ha="left")
    return list(panels)


def _panel(axes: Axes, curves: Sequence[FaithfulnessCurve]) -> None:
    widest = max(curves, key=lambda curve: curve.fractions[-1])
    share = 100 * widest.fractions
    axes.fill_between(share, widest.random_low, widest.random_high, color="#d4d4d4", linewidth=0)
    axes.plot(share, widest.random_mean, color=FAINT, linewidth=1.1)
    for curve in curves:
        axes.plot(
            100 * curve.fractions,
            curve.predictions,
            color=_COLOURS[curve.side],
            marker="o",
            markersize=2.8,
            linewidth=1.4,
            label=f"the strongest {curve.side} it  {format_signed(curve.area_above_random, '.3f')}",
        )
    axes.axhline(widest.predictions[0], color=FAINT, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0)
    axes.set_xlim(0)
    # Below the panel: inside, there is no corner that no curve ever crosses.
    axes.legend(
        frameon=False, fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=1, handlelength=1.4
    )
    hide_spines(axes)
