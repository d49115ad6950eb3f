"""The plot of one feature's mask: its weights over time and frequency, over the spectrogram where that is given."""

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes

from ...models.common.arrays import FloatArray
from ...models.common.constants import MIDLEVEL
from ..analysis.analysis import Analysis
from .colours import LOWERS, RAISES
from .style import FLOOR_DB, STYLE, draw_spectrogram, hue_colormap, pyplot_figure, spectrogram_db, tint


def plot_mask(
    analysis: Analysis, feature: str, axes: Axes | None = None, *, spectrogram: FloatArray | None = None
) -> Axes:
    """Plot the mask of a feature: blue segments raise its prediction, orange ones lower it.

    Parameters
    ----------
    analysis
        The analysis of the track.
    feature
        A name of MIDLEVEL.
    axes
        To draw into; those of a new figure of pyplot if None.
    spectrogram
        [frames, bands] of the whole track, log10(1 + magnitude), as the background; flat grey if None.

    Returns
    -------
    Axes
        Seconds from left to right, Hz from bottom to top.
    """
    weights = analysis.selected_weights[:, MIDLEVEL.index(feature)][analysis.segments]  # [frames, bands]
    if spectrogram is None:
        level_db = np.full(weights.shape, FLOOR_DB / 2, np.float32)
    else:
        level_db = spectrogram_db(spectrogram)[: len(weights)]
    brightness = level_db / -FLOOR_DB + 1
    strength = np.asarray(np.abs(weights) ** 0.4, np.float32)
    colours = np.where(
        weights[..., None] > 0, hue_colormap(RAISES)(brightness)[..., :3], hue_colormap(LOWERS)(brightness)[..., :3]
    )
    with rc_context(STYLE):
        axes = axes or pyplot_figure(8, 3.5).subplots()
        draw_spectrogram(axes, tint(level_db, colours.astype(np.float32), strength), 0)
        axes.set_ylabel("frequency (Hz)")
        axes.set_title(f"{feature.replace('_', ' ')}: segments that raise (blue) and lower (orange) it")
    return axes
