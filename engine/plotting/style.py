"""What all figures share: fonts, axes of seconds and Hz, colour maps (of the colours of colours.py), saving."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from ...models.common.arrays import FloatArray, Labels
from ...models.common.atomic_write import atomic_write
from ...models.common.constants import HOP_LENGTH, SAMPLE_RATE
from ...models.common.formatting import printable
from ...models.network.spectrogram import band_frequencies
from .colours import DARKEST, INK, LIGHTEST, PAPER, QUIET_GREY

FLOOR_DB: Final = -60.0
STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.7,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "svg.hashsalt": "moodfader",  # the same figure gives the same bytes
}
_DPI = 200
_FREQUENCIES = (100, 200, 500, 1000, 2000, 5000, 10000)


def figure_title(path: Path) -> str:
    """A file's name as text of a figure, where letters must be UTF-8 and a dollar sign would begin a formula."""
    name = printable(os.fsencode(path.name).decode("utf-8", "replace"))
    return name.replace("\n", " ").replace("$", r"\$")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of width x height inches in the style of all figures (one that pyplot does not know of)."""
    with rc_context(STYLE):
        return Figure(figsize=(width, height), layout="constrained")


def pyplot_figure(width: float, height: float) -> Figure:
    """As new_figure, but one of pyplot, so that a notebook or `pyplot.show()` shows it."""
    from matplotlib import pyplot

    with rc_context(STYLE):
        return pyplot.figure(figsize=(width, height), layout="constrained")


def figure_of(axes: Sequence[Axes]) -> Figure:
    """The figure that the axes of a plot lie in."""
    figure = axes[0].get_figure(root=True)
    assert figure is not None  # (it has one as long as it was not removed)
    return figure


def save_figure(figure: Figure, paths: Path | Sequence[Path]) -> None:
    """Write PNG and SVG files, by their endings, whole or not at all; the same figure gives the same bytes.

    Raises InputError when one cannot be written.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # its font cache is mentioned at first use
    for path in [paths] if isinstance(paths, Path) else paths:
        nothing = {"Date": None, "Creator": None} if path.suffix == ".svg" else {"Software": None}
        with atomic_write(path) as beside, rc_context(STYLE):
            figure.savefig(beside, dpi=_DPI, metadata=nothing, facecolor=PAPER)


def spectrogram_db(spectrogram: FloatArray) -> FloatArray:
    """The network's log10(1 + x) [frames, bands] in dB below the loudest point, not below FLOOR_DB."""
    magnitude = np.maximum(10.0**spectrogram - 1, 1e-12)
    return np.asarray(np.maximum(20 * np.log10(magnitude / magnitude.max()), FLOOR_DB), np.float32)


def draw_spectrogram(axes: Axes, colours: FloatArray, first: int) -> None:
    """Draw colours [frames, bands, 3] over seconds and Hz, a band as high as another; `first` frame's number."""
    edges = (np.array([first, first + len(colours)]) - 0.5) * HOP_LENGTH / SAMPLE_RATE
    image = np.ascontiguousarray(colours.transpose(1, 0, 2))
    axes.imshow(  # "none": pixels stay pixels, also in SVG
        image, origin="lower", aspect="auto", interpolation="none", extent=(*edges, -0.5, len(image) - 0.5)
    )
    axes.set_xlim(max(edges[0], 0), edges[1])
    places = np.interp(np.log2(_FREQUENCIES), np.log2(band_frequencies()), np.arange(len(image)))
    axes.set_yticks(places, [f"{hz // 1000}k" if hz >= 1000 else str(hz) for hz in _FREQUENCIES])
    axes.set_xlabel("time (s)")


def draw_borders(
    axes: Axes, labels: Labels, first: int, *, colour: str, width: float, rasterized: bool = False
) -> None:
    """Draw the borders between unlike neighbours in labels [frames, bands] over a `picture` of the same frames."""
    lines = [line for line in (_borders(labels), _borders(labels.T)[:, :, ::-1]) if len(line)]
    if not lines:
        return
    ends = np.concatenate(lines).reshape(-1, 2) - 0.5  # (frame, band), two a line
    ends[:, 0] = (ends[:, 0] + first) * HOP_LENGTH / SAMPLE_RATE
    codes = np.tile([Outline.MOVETO, Outline.LINETO], len(ends) // 2)
    patch = PathPatch(Outline(ends, codes), facecolor="none", edgecolor=colour, linewidth=width)
    patch.set_rasterized(rasterized)
    patch.set_clip_path(axes.patch)
    axes.add_artist(patch)


def _borders(labels: Labels) -> FloatArray:
    """Lines [count, 2 ends, (row, column)] along which a row differs from the one before it."""
    differ = np.zeros((len(labels) - 1, labels.shape[1] + 2), np.int8)
    differ[:, 1:-1] = labels[1:] != labels[:-1]
    steps = np.diff(differ, axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, stops = np.nonzero(steps == -1)
    return np.stack([np.stack([rows + 1, starts], 1), np.stack([rows + 1, stops], 1)], 1).astype(np.float32)


def tint(loudness_db: FloatArray, hue: FloatArray, strength: FloatArray) -> FloatArray:
    """A grey spectrogram in dB [frames, bands] that takes the colour hue [frames, bands, 3] by strength in 0..1."""
    grey = hue_colormap(QUIET_GREY)((loudness_db / -FLOOR_DB + 1) * 0.36)[..., :3]
    return np.asarray(grey + (hue - grey) * strength[..., None], np.float32)


def hue_colormap(colour: str) -> Colormap:
    """From nearly white to a colour to nearly black: brighter is quieter."""
    return LinearSegmentedColormap.from_list(colour, [LIGHTEST, colour, DARKEST])


def hide_spines(axes: Axes) -> None:
    """Hide the top and right spines."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
