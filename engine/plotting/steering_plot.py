"""The figure of a steered recording: fader positions, gain map, emotions before and after."""

from collections.abc import Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from ...models.common.arrays import FloatArray
from ...models.common.constants import EMOTIONS, HOP_LENGTH, MIDLEVEL, SAMPLE_RATE
from ...models.common.formatting import display_name, format_signed
from ..analysis.analysis import Analysis
from ..dsp.faders import FADER_RANGE_DB, Faders
from ..dsp.segment_mask import segment_gain_db
from ..render.render import RenderResult
from .colours import AFTER, BEFORE, BOOST, CUT, GAIN_STOPS, GREY, INK, PAPER, REFERENCE_LINE, TRACK
from .style import FLOOR_DB, STYLE, draw_spectrogram, hide_spines, new_figure, spectrogram_db, tint

_DIVERGING = LinearSegmentedColormap.from_list("cut to boost", GAIN_STOPS)


def plot_steering(
    analysis: Analysis,
    spectrogram: FloatArray,
    faders: Faders,
    rendered: RenderResult,
    *,
    title: str,
    excerpt_s: tuple[float, float] | None = None,
    gains_db: FloatArray | None = None,
    figure: Figure | None = None,
) -> list[Axes]:
    """Plot the faders, the gain of each segment over the spectrogram, and the emotions before and after.

    Parameters
    ----------
    analysis, spectrogram
        Of the whole track; spectrogram is log10(1 + magnitude) [frames, bands].
    faders, rendered
        The fader positions and the result of rendering with them.
    title
        The figure's title.
    excerpt_s
        Seconds (begin, end) to show; the whole track if None.
    gains_db
        Gains in dB by `mask_labels` as they were solved for all faders together; None: the sum of the faders' masks.
    figure
        To draw into; a new one if None.

    Returns
    -------
    list of Axes
        Of the three parts, from left to right.
    """
    begin, end = excerpt_s or (0.0, analysis.duration_s)
    first, last = (round(second * SAMPLE_RATE / HOP_LENGTH) for second in (begin, end))
    gains_db = segment_gain_db(analysis.mask_weights, faders.to_array()) if gains_db is None else gains_db
    pixels_db = gains_db[analysis.mask_labels[first:last]]
    figure = figure or new_figure(12, 4.6)
    with rc_context(STYLE):
        left, middle, right = figure.subplots(1, 3, width_ratios=(2.7, 5.2, 2.9))
        _faders(left, faders)
        _gain_map(figure, middle, spectrogram_db(spectrogram)[first:last], pixels_db, first)
        _emotions(right, rendered.emotions)
        figure.suptitle(title, fontsize=12, x=0.008, ha="left")
    return [left, middle, right]


def _faders(axes: Axes, faders: Faders) -> None:
    """Draw the faders as horizontal sliders: -12 dB at the left, 12 dB at the right."""
    low, high = FADER_RANGE_DB
    values = faders.to_array()
    for row, value in enumerate(values):
        axes.plot([low, high], [row, row], color=TRACK, linewidth=4, solid_capstyle="round", zorder=1)
        colour = GREY if value == 0 else BOOST if value > 0 else CUT
        axes.plot([0, value], [row, row], color=colour, linewidth=4, zorder=2)
        knob = FancyBboxPatch(
            (value - 0.75, row - 0.3), 1.5, 0.6, boxstyle="round,pad=0,rounding_size=0.25", facecolor=INK, zorder=3
        )
        axes.add_patch(knob)
        axes.plot([value, value], [row - 0.2, row + 0.2], color=PAPER, linewidth=1, zorder=4)
        axes.text(
            high + 2,
            row,
            format_signed(value, ".1f" if value % 1 else ".0f"),
            va="center",
            fontsize=8.5,
            color=colour,
        )
    axes.axvline(0, color=REFERENCE_LINE, linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(MIDLEVEL)), [display_name(name) for name in MIDLEVEL])
    axes.set_ylim(len(MIDLEVEL) - 0.4, -0.6)
    axes.set_xlim(low - 1.5, high + 5)
    axes.set_xticks([low, 0, high], [format_signed(low, ".0f"), "0", f"{format_signed(high, '.0f')} dB"])
    axes.tick_params(axis="both", length=0)
    axes.set_title("1  the faders")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _gain_map(figure: Figure, axes: Axes, loudness_db: FloatArray, gains_db: FloatArray, first: int) -> None:
    """Draw the spectrogram in grey, boosted segments in orange and cut ones in blue."""
    limit = max(3.0, float(np.ceil(np.percentile(np.abs(gains_db), 97))))
    scale = Normalize(-limit, limit)
    hue = _DIVERGING(scale(gains_db))[..., :3]
    # No colour on silence, where a gain does nothing.
    audible = np.clip((loudness_db - FLOOR_DB) / 20, 0, 1)
    strength = np.minimum(np.abs(gains_db) / limit, 1) ** 0.6 * audible
    draw_spectrogram(axes, tint(loudness_db, hue, strength.astype(np.float32)), first)
    axes.set_ylabel("frequency (Hz)")
    axes.set_title("2  what they do to the sound")
    figure.colorbar(
        ScalarMappable(scale, _DIVERGING), ax=axes, pad=0.015, aspect=34, label="gain (dB)", extend="both"
    )


def _emotions(axes: Axes, emotions: Mapping[str, Mapping[str, float]]) -> None:
    """Draw the emotions before and after, as measured on the sound."""
    rows = np.arange(len(EMOTIONS))
    before = np.array([emotions["before"][name] for name in EMOTIONS])
    after = np.array([emotions["after"][name] for name in EMOTIONS])
    axes.barh(rows - 0.19, before, height=0.34, color=BEFORE)
    axes.barh(rows + 0.19, after, height=0.34, color=AFTER)
    top = max(float(before.max()), float(after.max()), 0.1)
    for row, old, new in zip(rows, before, after, strict=True):
        shift = new - old
        colour = GREY if abs(shift) < 0.005 else BOOST if shift > 0 else CUT
        axes.text(
            max(old, new, 0) + top * 0.04,
            float(row),
            format_signed(shift, ".2f"),
            va="center",
            fontsize=8.5,
            color=colour,
        )
    axes.set_yticks(rows, EMOTIONS)
    axes.set_ylim(len(EMOTIONS) - 0.4, -0.6)
    axes.set_xlim(min(0, float(before.min()), float(after.min())), top * 1.22)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("0 to 1, measured")
    axes.set_title("3  how the emotions move")
    longest = int(np.minimum(before, after).argmax())  # where there is room to say which is which
    for offset, name, colour in ((-0.19, "before", INK), (0.19, "after", PAPER)):
        axes.text(top * 0.02, longest + offset, name, va="center", fontsize=7.5, color=colour)
    hide_spines(axes)
