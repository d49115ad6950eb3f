"""Figures of an explanation: what speaks for and against a feature (as Fig. 2 of Haunschmid et al. 2019) and the
effects of the features on the emotions (as its Fig. 3)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
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
from ...models.common.constants import EMOTIONS, HOP_LENGTH, MIDLEVEL, SAMPLE_RATE
from ...models.common.formatting import display_name, format_duration
from ..analysis.analysis import Analysis
from .style import (
    AGAINST,
    FAINT,
    FLOOR_DB,
    FOR,
    STYLE,
    draw_borders,
    draw_spectrogram,
    hide_spines,
    hue_colormap,
    save_figure,
    spectrogram_db,
    tint,
)

STRONGEST: Final = 10
Z95: Final = 1.96
"""Standard errors to either side that make a 95 % interval."""


def plot_feature(
    paths: Path | Sequence[Path],
    analysis: Analysis,
    spectrogram: FloatArray,
    feature: str,
    *,
    title: str,
    stretch_s: tuple[float, float],
) -> None:
    """The positive and the negative spectrogram of a feature over a stretch of the track, and the strongest weights.

    The segments that were selected are in colour and outlined, the stronger their weight the fuller; the rest is
    grey. The STRONGEST of each side carry numbers, and beside stand their weights with 95 % intervals. Raises
    InputError when a file cannot be written.
    """
    first, last = (round(second * SAMPLE_RATE / HOP_LENGTH) for second in stretch_s)
    loudness_db = spectrogram_db(spectrogram)[first:last]
    labels = analysis.segments[first:last]
    column = MIDLEVEL.index(feature)
    selected = np.sign(analysis.mask_weights[np.unique(labels), column])
    with rc_context(STYLE):
        figure = Figure(figsize=(12, 4.3), layout="constrained")
        left, right, panel = figure.subplots(1, 3, width_ratios=(5, 5, 2.3))
        right.sharey(left)
        strongest = [top_segments(analysis, labels, column, sign) for sign in (1, -1)]
        for axes, colour, sign, segments in ((left, FOR, 1, strongest[0]), (right, AGAINST, -1, strongest[1])):
            weights = np.maximum(sign * analysis.mask_weights[:, column], 0)[labels]
            _selected(axes, loudness_db, weights, first, colour=colour)
            draw_borders(axes, labels, first, colour="#00000030", width=0.35, rasterized=True)
            draw_borders(axes, np.where(weights > 0, labels, -1), first, colour="#222222b0", width=0.4)
            _number(axes, labels, segments, first, colour=colour)
            level = ScalarMappable(Normalize(FLOOR_DB, 0), hue_colormap(colour))
            bar = figure.colorbar(level, ax=axes, pad=0.02, aspect=30)
        bar.set_label("level (dB below the loudest)")
        left.set_title(f"for {display_name(feature)}: {np.count_nonzero(selected > 0)} segments", color=FOR)
        left.set_ylabel("frequency (Hz)")
        right.set_title(f"against it: {np.count_nonzero(selected < 0)} segments", color=AGAINST)
        right.tick_params(labelleft=False)
        _weights(panel, analysis, column, strongest)
        figure.suptitle(f"{title}: what the network hears as {display_name(feature)}", fontsize=11, x=0.01, ha="left")
        shown = _stretch_note(analysis, stretch_s)
        note = f"{shown}colour: selected segments, the fuller the stronger their weight; grey: everything else."
        note += f"  A linear surrogate explains {analysis.surrogate_r2[column]:.0%} of the variance;"
        note += f" stability {analysis.reliability[column]:.3f}."
        figure.supxlabel(note, fontsize=7.5, color=FAINT, x=0.01, ha="left")
        save_figure(figure, paths)


def top_segments(analysis: Analysis, labels: Labels, column: int, sign: int) -> npt.NDArray[np.integer]:
    """The up to STRONGEST segments among labels whose weights are largest on one side (sign 1 or -1), in order."""
    shown = np.unique(labels)
    weights = sign * analysis.weights[shown, column]
    order = np.argsort(-weights, kind="stable")[:STRONGEST]
    return np.asarray(shown[order][weights[order] > 0])


def _number(axes: Axes, labels: Labels, segments: npt.NDArray[np.integer], first: int, *, colour: str) -> None:
    """Write each segment's rank where the segment lies: at its pixel nearest to its middle."""
    for rank, number in enumerate(segments, 1):
        pixels = np.argwhere(labels == number)  # [n, (frame, band)]
        frame, band = pixels[((pixels - pixels.mean(0)) ** 2).sum(1).argmin()]
        text = axes.text(
            (frame + first) * HOP_LENGTH / SAMPLE_RATE, band, str(rank), color="white", fontsize=6.5,
            fontweight="bold", ha="center", va="center", clip_on=True,
        )  # fmt: skip
        text.set_path_effects([withStroke(linewidth=1.8, foreground=colour)])


def _weights(axes: Axes, analysis: Analysis, column: int, strongest: list[npt.NDArray[np.integer]]) -> None:
    """The strongest segments' weights and their 95 % intervals, for above and against below."""
    row = 0.0
    rows: list[float] = []
    names: list[tuple[str, str]] = []
    for colour, segments in zip((FOR, AGAINST), strongest, strict=True):
        own = row + np.arange(len(segments))
        axes.errorbar(
            analysis.weights[segments, column], own, xerr=Z95 * analysis.standard_errors[segments, column],
            fmt="o", color=colour, markersize=2.6, elinewidth=1.1, capsize=1.8, capthick=0.8,
        )  # fmt: skip
        rows.extend(own)
        names.extend((str(rank), colour) for rank in range(1, len(segments) + 1))
        row += len(segments) + 1
    axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
    axes.set_yticks(rows, [name for name, _ in names], fontsize=7)
    for tick, (_, colour) in zip(axes.get_yticklabels(), names, strict=True):
        tick.set_color(colour)
    axes.set_ylim(max(row - 1, 1) - 0.2, -0.8)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=4)
    axes.grid(axis="x", color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("weight, 95 % interval")
    axes.set_title("the strongest here")
    hide_spines(axes)


def _stretch_note(analysis: Analysis, stretch_s: tuple[float, float]) -> str:
    begin, end = stretch_s
    if begin <= 0 and end >= analysis.duration_s - 0.1:
        return ""
    return f"{format_duration(begin)} to {format_duration(end)} of {format_duration(analysis.duration_s)}.  "


def _selected(axes: Axes, loudness_db: FloatArray, strength: FloatArray, first: int, *, colour: str) -> None:
    """Grey everywhere, and colour where strength [frames, bands] in 0..1 says so."""
    hue = hue_colormap(colour)(Normalize(FLOOR_DB, 0)(loudness_db))[..., :3]
    draw_spectrogram(axes, tint(loudness_db, hue, strength**0.4), first)


def plot_emotion_effects(
    paths: Path | Sequence[Path],
    midlevel: Mapping[str, float],
    emotions: Mapping[str, float],
    emotion_weights: npt.NDArray[np.float32],
    *,
    title: str,
    quantiles: Mapping[str, Sequence[float]] | None = None,
) -> None:
    """Effect of each feature on each emotion: mid-level value times the weight of the linear layer [8, 7].

    quantiles: [5, 25, 50, 75, 95] percent of each mid-level over the clips that the model learned from; with them
    each effect stands before the box of its distribution. Raises InputError when a file cannot be written.
    """
    values = np.array([midlevel[name] for name in MIDLEVEL])
    with rc_context(STYLE):
        figure = Figure(figsize=(10, 5.4), layout="constrained")
        grid = figure.subplots(2, 4, sharex=True, sharey=True)
        for axes, emotion, weights in zip(grid.ravel(), EMOTIONS, emotion_weights, strict=True):
            axes.axvline(0, color=FAINT, linewidth=0.8)
            _effects(axes, values * weights, weights, quantiles)
            axes.set_title(f"{emotion}  {emotions[emotion]:.2f}")
            axes.set_yticks(range(len(MIDLEVEL)), [display_name(name) for name in MIDLEVEL])
            axes.set_ylim(len(MIDLEVEL) - 0.4, -0.6)
            axes.grid(axis="x", color="#e4e4e4", linewidth=0.6)
            axes.set_axisbelow(True)
            hide_spines(axes)
        for axes in grid[1]:
            axes.set_xlabel("effect")
        figure.suptitle(f"{title}: effect of each feature on each emotion", fontsize=11, x=0.01, ha="left")
        note = "effect: the feature's value times its weight in the linear layer.  Diamond: this track"
        note += "; box and whiskers: half and 90 % of the clips that the model learned from." if quantiles else "."
        figure.supxlabel(note, fontsize=7.5, color=FAINT, x=0.01, ha="left")
        save_figure(figure, paths)


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
        lines = {"color": FAINT, "linewidth": 0.9}
        axes.bxp(
            boxes,
            positions=rows,
            widths=0.55,
            orientation="horizontal",
            patch_artist=True,
            boxprops={"facecolor": "#e9e9e9", "edgecolor": FAINT, "linewidth": 0.9},
            whiskerprops=lines,
            capprops=lines,
            medianprops={"color": "#555555", "linewidth": 1.1},
        )
    else:
        axes.barh(rows, effects, height=0.55, color="#e0e0e0")
    colours = [FOR if effect >= 0 else AGAINST for effect in effects]
    axes.scatter(effects, rows, marker="D", s=22, c=colours, zorder=3, linewidths=0)
