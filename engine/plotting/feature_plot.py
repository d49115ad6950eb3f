"""The figure of the segments that raise and lower a feature (as Fig. 2 of Haunschmid et al. 2019)."""

from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ...models.common.arrays import FloatArray, Labels
from ...models.common.constants import HOP_LENGTH, MIDLEVEL, SAMPLE_RATE
from ...models.common.formatting import POLES, display_name, format_duration
from ..analysis.analysis import Analysis
from .colours import BORDER_ALL, BORDER_CHOSEN, GREY, GRID, LOWERS, PAPER, RAISES
from .style import (
    FLOOR_DB,
    STYLE,
    draw_borders,
    draw_spectrogram,
    hide_spines,
    hue_colormap,
    new_figure,
    spectrogram_db,
    tint,
)

TOP_SEGMENTS: Final = 10
Z95: Final = 1.96
"""Standard errors to either side that make a 95 % interval."""


def plot_feature(
    analysis: Analysis,
    spectrogram: FloatArray,
    feature: str,
    *,
    title: str,
    excerpt_s: tuple[float, float],
    figure: Figure | None = None,
) -> list[Axes]:
    """Plot the positive and the negative spectrogram of a feature and the largest weights.

    Significant segments are in colour and outlined, the larger their weight the more saturated; the rest is grey. The
    TOP_SEGMENTS of each sign carry numbers; the third panel has their weights with 95 % intervals.

    Parameters
    ----------
    analysis, spectrogram
        Of the whole track; spectrogram is log10(1 + magnitude) [frames, bands].
    feature
        A name of MIDLEVEL.
    title
        Begins the figure's title.
    excerpt_s
        Seconds (begin, end) to show.
    figure
        To draw into; a new one if None.

    Returns
    -------
    list of Axes
        Of the two spectrograms and of the weights.
    """
    first, last = (round(second * SAMPLE_RATE / HOP_LENGTH) for second in excerpt_s)
    loudness_db = spectrogram_db(spectrogram)[first:last]
    labels = analysis.segments[first:last]
    column = MIDLEVEL.index(feature)
    signs = np.sign(analysis.selected_weights[np.unique(labels), column])
    figure = figure or new_figure(12, 4.3)
    with rc_context(STYLE):
        left, right, panel = figure.subplots(1, 3, width_ratios=(5, 5, 2.3))
        right.sharey(left)
        top = [top_segments(analysis, labels, column, sign) for sign in (1, -1)]
        for axes, colour, sign, segments in ((left, RAISES, 1, top[0]), (right, LOWERS, -1, top[1])):
            weights = np.maximum(sign * analysis.selected_weights[:, column], 0)[labels]
            _draw_mask(axes, loudness_db, weights, first, colour=colour)
            draw_borders(axes, labels, first, colour=BORDER_ALL, width=0.35, rasterized=True)
            draw_borders(axes, np.where(weights > 0, labels, -1), first, colour=BORDER_CHOSEN, width=0.4)
            _number(axes, labels, segments, first, colour=colour)
            level = ScalarMappable(Normalize(FLOOR_DB, 0), hue_colormap(colour))
            bar = figure.colorbar(level, ax=axes, pad=0.02, aspect=30)
        bar.set_label("level (dB below the loudest)")
        towards, away = (f" ({pole})" for pole in POLES[feature]) if feature in POLES else ("", "")
        left.set_title(
            f"raise {display_name(feature)}{towards}: {np.count_nonzero(signs > 0)} segments", color=RAISES
        )
        left.set_ylabel("frequency (Hz)")
        right.set_title(f"lower it{away}: {np.count_nonzero(signs < 0)} segments", color=LOWERS)
        right.tick_params(labelleft=False)
        _weights(panel, analysis, column, top)
        figure.suptitle(
            f"{title}: segments that raise and lower the predicted {display_name(feature)}",
            fontsize=11,
            x=0.01,
            ha="left",
        )
        note = _excerpt_note(analysis, excerpt_s)
        note += "colour: significant segments, the more saturated the larger their weight; grey: all else."
        note += f"  A linear surrogate explains {analysis.explained_share[column]:.0%} of the variance;"
        note += f" reliability {analysis.reliability[column]:.3f}."
        figure.supxlabel(note, fontsize=7.5, color=GREY, x=0.01, ha="left")
    return [left, right, panel]


def top_segments(analysis: Analysis, labels: Labels, column: int, sign: int) -> npt.NDArray[np.integer]:
    """Segments among labels with the largest weights of one sign (1 or -1), TOP_SEGMENTS at most, largest first."""
    shown = np.unique(labels)
    weights = sign * analysis.weights[shown, column]
    order = np.argsort(-weights, kind="stable")[:TOP_SEGMENTS]
    return np.asarray(shown[order][weights[order] > 0])


def _number(axes: Axes, labels: Labels, segments: npt.NDArray[np.integer], first: int, *, colour: str) -> None:
    """Write each segment's rank at its pixel nearest to its centroid."""
    for rank, number in enumerate(segments, 1):
        pixels = np.argwhere(labels == number)  # [n, (frame, band)]
        frame, band = pixels[((pixels - pixels.mean(0)) ** 2).sum(1).argmin()]
        text = axes.text(
            (frame + first) * HOP_LENGTH / SAMPLE_RATE, band, str(rank), color=PAPER, fontsize=6.5,
            fontweight="bold", ha="center", va="center", clip_on=True,
        )  # fmt: skip
        text.set_path_effects([withStroke(linewidth=1.8, foreground=colour)])


def _weights(axes: Axes, analysis: Analysis, column: int, top: list[npt.NDArray[np.integer]]) -> None:
    """Plot the top segments' weights with 95 % intervals, positive above and negative below."""
    row = 0.0
    rows: list[float] = []
    names: list[tuple[str, str]] = []
    for colour, segments in zip((RAISES, LOWERS), top, strict=True):
        y = row + np.arange(len(segments))
        axes.errorbar(
            analysis.weights[segments, column], y, xerr=Z95 * analysis.standard_errors[segments, column],
            fmt="o", color=colour, markersize=2.6, elinewidth=1.1, capsize=1.8, capthick=0.8,
        )  # fmt: skip
        rows.extend(y)
        names.extend((str(rank), colour) for rank in range(1, len(segments) + 1))
        row += len(segments) + 1
    axes.axvline(0, color=GREY, linewidth=0.8, zorder=0)
    axes.set_yticks(rows, [name for name, _ in names], fontsize=7)
    for tick, (_, colour) in zip(axes.get_yticklabels(), names, strict=True):
        tick.set_color(colour)
    axes.set_ylim(max(row - 1, 1) - 0.2, -0.8)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=4)
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("weight, 95 % interval")
    axes.set_title("largest weights")
    hide_spines(axes)


def _excerpt_note(analysis: Analysis, excerpt_s: tuple[float, float]) -> str:
    begin, end = excerpt_s
    if begin <= 0 and end >= analysis.duration_s - 0.1:
        return ""
    return f"{format_duration(begin)} to {format_duration(end)} of {format_duration(analysis.duration_s)}.  "


def _draw_mask(axes: Axes, loudness_db: FloatArray, strength: FloatArray, first: int, *, colour: str) -> None:
    """Draw the spectrogram in grey, coloured by strength [frames, bands] in 0..1."""
    hue = hue_colormap(colour)(Normalize(FLOOR_DB, 0)(loudness_db))[..., :3]
    draw_spectrogram(axes, tint(loudness_db, hue, strength**0.4), first)
