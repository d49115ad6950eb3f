"""The gain map over the spectrogram passing by: time from left to right, bands from bottom to top, brighter where the
music is louder, red where the faders boost, blue where they cut.
"""

from pathlib import Path
from typing import Final

import numpy as np
from rich.color import Color
from rich.style import Style
from rich.text import Text

from ...engine.analysis.thumbnail import FRAMES, ROWS, thumbnail_bands
from ...engine.dsp.segment_mask import SEGMENT_LIMIT_DB, segment_gain_db
from ...models.common.constants import HOP_LENGTH, SAMPLE_RATE
from ...models.common.errors import InputError

LINES: Final = ROWS // 2
"""Lines of the map; each shows two rows of bands."""
_STEP: Final = 4  # the map moves on by so many columns at once, twice a second: it has to go through ssh
_PAST: Final = 0.25  # of the width


class GainMap:
    """The segments of one analysis, thinned out to what a terminal can show."""

    def __init__(self, analysis: Path, levels: np.ndarray | None = None) -> None:
        """`levels` are the track's picture (see picture.py), if it is there already.

        Raises InputError if the analysis file cannot be read.
        """
        try:
            with np.load(analysis, allow_pickle=False) as archive:
                labels, self._mask_weights = archive["segments"], archive["mask_weights"]
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{analysis}: the analysis cannot be read ({error})") from error
        self._labels = np.ascontiguousarray(labels[::FRAMES, thumbnail_bands(labels.shape[1])])  # [columns, ROWS]
        self._levels = levels

    def gains_db(self, first: int, count: int, faders_db: np.ndarray) -> np.ndarray:
        """Gain of the map's cells: [count, 2 * LINES], NaN before the beginning and after the end."""
        gains = np.full((count, self._labels.shape[1]), np.nan, np.float32)
        begin, end = max(first, 0), min(first + count, len(self._labels))
        if begin < end:
            by_segment = segment_gain_db(self._mask_weights, faders_db)
            gains[begin - first : end - first] = by_segment[self._labels[begin:end]]
        return gains

    def _seen(self, first: int, count: int) -> np.ndarray:
        """How loud the music is in the map's cells, 0..1: [count, ROWS]; dark where it is not known."""
        levels = np.full((count, ROWS), 0.2)
        if self._levels is not None:
            begin, end = max(first, 0), min(first + count, len(self._levels))
            if begin < end:
                levels[begin - first : end - first] = self._levels[begin:end] / 255
        return levels

    def render_text(self, position_s: float, faders_db: np.ndarray, width: int) -> Text:
        """The map around a position of the track, with a line above it."""
        columns = max(width - 2, 1)
        now = int(position_s * SAMPLE_RATE / HOP_LENGTH / FRAMES) // _STEP * _STEP
        past = int(columns * _PAST)
        gains_db, levels = self.gains_db(now - past, columns, faders_db), self._seen(now - past, columns)
        heading = Text(
            ("  " + " " * past + "▼ now" + " gain map: red boosted, blue cut")[:width], style="bright_black"
        )
        lines = [heading]
        for line in range(LINES):
            high, low = -1 - 2 * line, -2 - 2 * line
            row = Text("  ")
            for gain_db, level in zip(gains_db[:, [high, low]], levels[:, [high, low]], strict=True):
                upper, lower = (_colour(float(g), float(shown)) for g, shown in zip(gain_db, level, strict=True))
                row.append("▀", Style(color=upper, bgcolor=lower))
            lines.append(row)
        return Text("\n").join(lines)


def _colour(gain_db: float, level: float) -> Color:
    """Grey at 0 dB, brighter for a higher level 0..1, black beyond the ends; 12 dB are full colour already."""
    if np.isnan(gain_db):
        return Color.from_rgb(0, 0, 0)
    strength = min(abs(gain_db) / (SEGMENT_LIMIT_DB / 2), 1.0) ** 0.5
    grey = 30 + 170 * level
    strong, weak = round(grey + (250 - grey) * strength * (0.4 + 0.6 * level)), round(grey * (1 - 0.75 * strength))
    middle = round(grey * (1 - 0.25 * strength))
    return Color.from_rgb(strong, weak, weak) if gain_db > 0 else Color.from_rgb(weak, middle, strong)
