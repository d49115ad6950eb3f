"""The gain map: the spectrogram around the playing position, orange where faders boost it and blue where they cut.

Time goes from left to right, bands from bottom to top; louder is brighter. Signs where there are few colours or none.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from rich.style import Style
from rich.text import Span, Text

from ....engine.analysis.analysis_file import load_mean_masks
from ....engine.audio.thumbnail import FRAMES, ROWS, thumbnail_bands
from ....engine.dsp.segment_mask import SEGMENT_LIMIT_DB, segment_gain_db
from ....models.common.constants import HOP_LENGTH, SAMPLE_RATE
from .cells import fit
from .palette import Palette, level_colour

MAX_LINES: Final = 24
"""Lines that the map takes at most, with its heading."""
MIN_LINES: Final = 5
_STEP: Final = 4  # the map moves on by so many columns at once, twice a second: it has to go through ssh
_PAST: Final = 0.25  # of the width
_MARGIN: Final = 2  # cells at the left
_LEVELS: Final = 16  # number of shades
_MARKED_DB: Final = 1.0  # gains from which on a cell has a sign


class GainMap:
    """Segments and mask weights of one analysis, at the resolution of a terminal.

    Parameters
    ----------
    analysis : Path
        The analysis file.
    levels : array, optional
        Thumbnail spectrogram of the track (thumbnail.py), uint8 [columns, ROWS].

    Raises
    ------
    InputError
        If the analysis file cannot be read.
    """

    def __init__(self, analysis: Path, levels: np.ndarray | None = None) -> None:
        labels, self._mask_weights = load_mean_masks(analysis)
        self._labels = np.ascontiguousarray(labels[::FRAMES, thumbnail_bands(labels.shape[1])])  # [columns, ROWS]
        self._levels = levels
        self._last: tuple[tuple[object, ...], list[Text]] = (), []

    def gains_db(self, first: int, count: int, faders_db: np.ndarray) -> np.ndarray:
        """Gain of `count` columns from column `first` on: [count, ROWS] in dB, NaN outside of the track."""
        gains = np.full((count, self._labels.shape[1]), np.nan, np.float32)
        begin, end = max(first, 0), min(first + count, len(self._labels))
        if begin < end:
            by_segment = segment_gain_db(self._mask_weights, faders_db)
            gains[begin - first : end - first] = by_segment[self._labels[begin:end]]
        return gains

    def _levels_from(self, first: int, count: int) -> np.ndarray:
        """Level of the music, 0..1: [count, ROWS]; a low one where it is not known."""
        levels = np.full((count, ROWS), 0.2)
        if self._levels is not None:
            begin, end = max(first, 0), min(first + count, len(self._levels))
            if begin < end:
                levels[begin - first : end - first] = self._levels[begin:end] / 255
        return levels

    def render_text(
        self, position_s: float, faders_db: np.ndarray, width: int, height: int, palette: Palette
    ) -> list[Text]:
        """The map around a position of the track.

        Parameters
        ----------
        position_s : float
            Playing position in s; it stands at a quarter of the width.
        faders_db : array
            Fader positions in dB, float32 [7].
        width, height : int
            Cells of each line, and lines with the heading.
        palette : Palette
            Colours; signs, where it has no shades.

        Returns
        -------
        list of Text
            A heading and the lines.
        """
        columns = max(width - 2, 1)
        now = int(position_s * SAMPLE_RATE / HOP_LENGTH / FRAMES) // _STEP * _STEP
        key = (now, faders_db.tobytes(), width, height, palette)
        if self._last[0] != key:
            past = int(columns * _PAST)
            gains_db = self.gains_db(now - past, columns, faders_db)
            levels = self._levels_from(now - past, columns)
            legend = "orange boosted, blue cut" if palette.shades else "+ ▲ boosted, - ▼ cut"
            lines = [fit(Text(f"{' ' * (past + _MARGIN)}▼ now   gain map: {legend}", palette.quiet), width)]
            draw = _half_blocks if palette.shades else _signs
            lines += [fit(line, width) for line in draw(gains_db, levels, max(height - 1, 1), palette)]
            self._last = key, lines
        return self._last[1]


def _half_blocks(gains_db: np.ndarray, levels: np.ndarray, lines: int, palette: Palette) -> list[Text]:
    """Two cells above each other in each character, in 24-bit colours."""
    bands = np.arange(2 * lines) * ROWS // (2 * lines)  # low ones first
    strong = np.clip(np.nan_to_num(gains_db, nan=np.inf), -SEGMENT_LIMIT_DB, np.inf)
    halves_db = np.rint(strong * 2) / 2  # (so that few colours are made anew)
    shades = np.rint(levels * (_LEVELS - 1))
    drawn = []
    for line in range(lines):
        high, low = bands[-1 - 2 * line], bands[-2 - 2 * line]
        cells = np.stack([halves_db[:, high], shades[:, high], halves_db[:, low], shades[:, low]], axis=1)
        starts = np.flatnonzero(np.append(True, np.any(cells[1:] != cells[:-1], axis=1)))  # of runs of one style
        ends = np.append(starts[1:], len(cells))
        signs = "".join(np.where(np.isfinite(cells[:, 0]), "▀", " ").tolist())
        spans = [
            Span(first + _MARGIN, last + _MARGIN, _cell(*cell))
            for first, last, cell in zip(starts.tolist(), ends.tolist(), cells[starts].tolist(), strict=True)
        ]
        drawn.append(Text(" " * _MARGIN + signs, spans=spans))
    return drawn


@lru_cache(maxsize=4096)
def _cell(upper_db: float, level: float, lower_db: float, level_below: float) -> Style:
    """Style of two cells; none of its own beyond the ends of the track."""
    if not np.isfinite(upper_db) or not np.isfinite(lower_db):
        return Style.null()
    full_db = SEGMENT_LIMIT_DB / 2
    return Style(
        color=level_colour(upper_db, level / (_LEVELS - 1), full_db=full_db),
        bgcolor=level_colour(lower_db, level_below / (_LEVELS - 1), full_db=full_db),
    )


def _signs(gains_db: np.ndarray, levels: np.ndarray, lines: int, palette: Palette) -> list[Text]:
    """One sign a cell: what the faders do where they do something, else how loud it is."""
    lines = min(lines, ROWS)
    bands = np.arange(lines) * ROWS // lines
    drawn = []
    for band in bands[::-1]:
        row = Text(" " * _MARGIN)
        for gain_db, level in zip(gains_db[:, band].tolist(), levels[:, band].tolist(), strict=True):
            if np.isnan(gain_db):
                row.append(" ")
            elif abs(gain_db) < _MARKED_DB:
                row.append(" ░▒▓"[min(int(level * 4), 3)], palette.quiet)
            else:
                row.append(("+▲" if gain_db > 0 else "-▼")[level > 1 / 3], palette.direction(gain_db))
        drawn.append(row)
    return drawn
