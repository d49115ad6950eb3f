"""The gain map passing by: time from left to right, bands from bottom to top, red where the faders boost, blue where
they cut. The spectrogram's grid, but the segments' gains only: how loud the music is there is not shown.
"""

from pathlib import Path
from typing import Final

import numpy as np
from rich.color import Color
from rich.style import Style
from rich.text import Text

from ..engine.bandgains import SEGMENT_LIMIT_DB, segment_gain_db
from ..models.errors import InputError
from ..models.vocabulary import HOP_LENGTH, SAMPLE_RATE

LINES: Final = 8
"""Lines of the map; each shows two rows of bands."""
_FRAMES: Final = 4  # frames in a column: 0.13 s
_STEP: Final = 4  # the map moves on by so many columns at once, twice a second: it has to go through ssh
_PAST: Final = 0.25  # of the width


class GainMap:
    """The segments of one analysis, thinned out to what a terminal can show."""

    def __init__(self, analysis: Path) -> None:
        """Raises InputError if the analysis file cannot be read."""
        try:
            with np.load(analysis, allow_pickle=False) as archive:
                labels, self._mask_weights = archive["segments"], archive["mask_weights"]
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{analysis}: the analysis cannot be read ({error})") from error
        bands = np.linspace(0, labels.shape[1] - 1, 2 * LINES).round().astype(int)
        self._labels = np.ascontiguousarray(labels[::_FRAMES, bands])  # [columns, 2 * LINES], low bands first

    def gains_db(self, first: int, count: int, faders_db: np.ndarray) -> np.ndarray:
        """Gain of the map's cells: [count, 2 * LINES], NaN before the beginning and after the end."""
        gains = np.full((count, self._labels.shape[1]), np.nan, np.float32)
        begin, end = max(first, 0), min(first + count, len(self._labels))
        if begin < end:
            by_segment = segment_gain_db(self._mask_weights, faders_db)
            gains[begin - first : end - first] = by_segment[self._labels[begin:end]]
        return gains

    def rows(self, position_s: float, faders_db: np.ndarray, width: int) -> Text:
        """The map around a position of the track, with a line above it."""
        columns = max(width - 2, 1)
        now = int(position_s * SAMPLE_RATE / HOP_LENGTH / _FRAMES) // _STEP * _STEP
        past = int(columns * _PAST)
        gains_db = self.gains_db(now - past, columns, faders_db)
        heading = Text(
            ("  " + " " * past + "▼ now" + " gain map: red boosted, blue cut")[:width], style="bright_black"
        )
        lines = [heading]
        for line in range(LINES):
            high, low = gains_db[:, -1 - 2 * line], gains_db[:, -2 - 2 * line]
            row = Text("  ")
            for upper, lower in zip(high, low, strict=True):
                row.append("▀", Style(color=_colour(float(upper)), bgcolor=_colour(float(lower))))
            lines.append(row)
        return Text("\n").join(lines)


def _colour(gain_db: float) -> Color:
    """Grey at 0 dB, black beyond the track's ends; 12 dB are full colour already."""
    if np.isnan(gain_db):
        return Color.from_rgb(0, 0, 0)
    strength = min(abs(gain_db) / (SEGMENT_LIMIT_DB / 2), 1.0) ** 0.5
    strong, weak = round(60 + 180 * strength), round(60 - 40 * strength)
    return (
        Color.from_rgb(strong, weak, weak) if gain_db > 0 else Color.from_rgb(weak, round(60 + 40 * strength), strong)
    )
