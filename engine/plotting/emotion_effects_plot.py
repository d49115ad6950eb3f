"""The figure of the effects of the features on the emotions (Fig. 3 of Haunschmid et al. 2019)."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...models.common.constants import EMOTIONS, MIDLEVEL
from ...models.common.formatting import display_name
from .colours import BAR, BAR_LINE, GREY, GRID, LOWERS, RAISES
from .style import STYLE, hide_spines, new_figure


def plot_emotion_effects(
    midlevel: Mapping[str, float],
    emotions: Mapping[str, float],
    emotion_weights: npt.NDArray[np.float32],
    *,
    title: str,
    quantiles: Mapping[str, Sequence[float]] | None = None,
    figure: Figure | None = None,
) -> list[Axes]:
    """Plot the effect of each feature on each emotion.

    Parameters
    ----------
    midlevel, emotions
        Predictions by name, 0..1.
    emotion_weights
        The linear layer [8, 7]; an effect is a mid-level value times its weight.
    title
        Begins the figure's title.
    quantiles
        Of each mid-level over the clips that the model was trained on: 5, 25, 50, 75 and 95 percent. Boxes and
        whiskers behind the effects if given, bars if None.
    figure
        To draw into; a new one if None.

    Returns
    -------
    list of Axes
        Eight, in the order of EMOTIONS.
    """
    values = np.array([midlevel[name] for name in MIDLEVEL])
    figure = figure or new_figure(10, 5.4)
    with rc_context(STYLE):
        grid = figure.subplots(2, 4, sharex=True, sharey=True)
        for axes, emotion, weights in zip(grid.ravel(), EMOTIONS, emotion_weights, strict=True):
            axes.axvline(0, color=GREY, linewidth=0.8)
            _effects(axes, values * weights, weights, quantiles)
            axes.set_title(f"{emotion}  {emotions[emotion]:.2f}")
            axes.set_yticks(range(len(MIDLEVEL)), [display_name(name) for name in MIDLEVEL])
            axes.set_ylim(len(MIDLEVEL) - 0.4, -0.6)
            axes.grid(axis="x", color=GRID, linewidth=0.6)
            axes.set_axisbelow(True)
            hide_spines(axes)
        for axes in grid[1]:
            axes.set_xlabel("effect")
        figure.suptitle(f"{title}: effect of each feature on each emotion", fontsize=11, x=0.01, ha="left")
        note = "effect: the feature's value times its weight in the linear layer.  Diamond: this track"
        note += "; box and whiskers: 50 and 90 % of the clips that the model was trained on." if quantiles else "."
        figure.supxlabel(note, fontsize=7.5, color=GREY, x=0.01, ha="left")
    return list(grid.ravel())


def _effects(
    axes: Axes,
    effects: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating],
    quantiles: Mapping[str, Sequence[float]] | None,
) -> None:
    rows = np.arange(len(effects))
    if quantiles:
        boxes = []
        for name, weight in zip(MIDLEVEL, weights, strict=True):
            low, first, median, third, high = sorted(float(weight) * q for q in quantiles[name])
            boxes.append({"whislo": low, "q1": first, "med": median, "q3": third, "whishi": high, "fliers": []})
        lines = {"color": GREY, "linewidth": 0.9}
        axes.bxp(
            boxes,
            positions=rows,
            widths=0.55,
            orientation="horizontal",
            patch_artist=True,
            boxprops={"facecolor": BAR, "edgecolor": GREY, "linewidth": 0.9},
            whiskerprops=lines,
            capprops=lines,
            medianprops={"color": BAR_LINE, "linewidth": 1.1},
        )
    else:
        axes.barh(rows, effects, height=0.55, color=BAR)
    colours = [RAISES if effect >= 0 else LOWERS for effect in effects]
    axes.scatter(effects, rows, marker="D", s=22, c=colours, zorder=3, linewidths=0)
