"""Figures of an explanation: what speaks for and against a feature (as Fig. 2 of Haunschmid et al. 2019) and the
effects of the features on the emotions (as its Fig. 3)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ..engine.analysis import Analysis
from ..models.spectrogram import FloatArray
from ..models.vocabulary import EMOTIONS, HOP_LENGTH, MIDLEVEL, SAMPLE_RATE
from .drawing import AGAINST, FAINT, FLOOR_DB, FOR, STYLE, coloured, decibels, picture, plain, save, shades
from .tables import duration, spoken


def feature_figure(
    path: Path,
    analysis: Analysis,
    spectrogram: FloatArray,
    feature: str,
    *,
    title: str,
    stretch_s: tuple[float, float],
) -> None:
    """The positive and the negative spectrogram of a feature side by side, over a stretch of the track.

    The segments that were selected are in colour, the stronger their weight the fuller; the rest is grey. Raises
    InputError when `path` cannot be written.
    """
    first, last = (round(second * SAMPLE_RATE / HOP_LENGTH) for second in stretch_s)
    loudness_db = decibels(spectrogram)[first:last]
    column = MIDLEVEL.index(feature)
    weights = analysis.mask_weights[:, column][analysis.segments[first:last]]
    counts = analysis.selected_counts()[feature]
    with rc_context(STYLE):
        figure = Figure(figsize=(10, 4.1), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        _selected(left, loudness_db, np.maximum(weights, 0), first, colour=FOR)
        left.set_title(f"for {spoken(feature)}: {counts['positive']} segments", color=FOR)
        left.set_ylabel("frequency (Hz)")
        _selected(right, loudness_db, np.maximum(-weights, 0), first, colour=AGAINST)
        for axes, colour in ((left, FOR), (right, AGAINST)):
            bar = figure.colorbar(
                ScalarMappable(Normalize(FLOOR_DB, 0), shades(colour)), ax=axes, pad=0.02, aspect=30
            )
        bar.set_label("level (dB below the loudest)")
        right.set_title(f"against it: {counts['negative']} segments", color=AGAINST)
        figure.suptitle(f"{title}: what the network hears as {spoken(feature)}", fontsize=11, x=0.01, ha="left")
        shown = _stretch_note(analysis, stretch_s)
        note = f"{shown}colour: selected segments, the fuller the stronger their weight; grey: everything else."
        note += f"  A linear surrogate explains {analysis.surrogate_r2[column]:.0%} of the variance."
        figure.supxlabel(note, fontsize=7.5, color=FAINT, x=0.01, ha="left")
        save(figure, path)


def _stretch_note(analysis: Analysis, stretch_s: tuple[float, float]) -> str:
    begin, end = stretch_s
    if begin <= 0 and end >= analysis.duration_s - 0.1:
        return ""
    return f"{duration(begin)} to {duration(end)} of {duration(analysis.duration_s)}.  "


def _selected(axes: Axes, loudness_db: FloatArray, strength: FloatArray, first: int, *, colour: str) -> None:
    """Grey everywhere, and colour where strength [frames, bands] in 0..1 says so."""
    hue = shades(colour)(Normalize(FLOOR_DB, 0)(loudness_db))[..., :3]
    picture(axes, coloured(loudness_db, hue, strength**0.4), first)


def effects_figure(
    path: Path,
    midlevel: Mapping[str, float],
    emotions: Mapping[str, float],
    emotion_weights: npt.NDArray[np.float32],
    *,
    title: str,
    quantiles: Mapping[str, Sequence[float]] | None = None,
) -> None:
    """Effect of each feature on each emotion: mid-level value times the weight of the linear layer [8, 7].

    quantiles: [5, 25, 50, 75, 95] percent of each mid-level over the clips that the model learned from; with them
    each effect stands before the box of its distribution. Raises InputError when `path` cannot be written.
    """
    values = np.array([midlevel[name] for name in MIDLEVEL])
    with rc_context(STYLE):
        figure = Figure(figsize=(10, 5.4), layout="constrained")
        grid = figure.subplots(2, 4, sharex=True, sharey=True)
        for axes, emotion, weights in zip(grid.ravel(), EMOTIONS, emotion_weights, strict=True):
            axes.axvline(0, color=FAINT, linewidth=0.8)
            _effects(axes, values * weights, weights, quantiles)
            axes.set_title(f"{emotion}  {emotions[emotion]:.2f}")
            axes.set_yticks(range(len(MIDLEVEL)), [spoken(name) for name in MIDLEVEL])
            axes.set_ylim(len(MIDLEVEL) - 0.4, -0.6)
            axes.grid(axis="x", color="#e4e4e4", linewidth=0.6)
            axes.set_axisbelow(True)
            plain(axes)
        for axes in grid[1]:
            axes.set_xlabel("effect")
        figure.suptitle(f"{title}: effect of each feature on each emotion", fontsize=11, x=0.01, ha="left")
        note = "effect: the feature's value times its weight in the linear layer.  Diamond: this track"
        note += "; box and whiskers: half and 90 % of the clips that the model learned from." if quantiles else "."
        figure.supxlabel(note, fontsize=7.5, color=FAINT, x=0.01, ha="left")
        save(figure, path)


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
