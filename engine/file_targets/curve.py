"""Targets over time: a CSV with a column `time_s` and one for each emotion asked, for a film cue.

    time_s,tender,tension
    0,0,0
    12.5,0.10,-0.05

Between two rows shifts go straight; before the first and after the last they stay. Times rise, in seconds of the
track. A spreadsheet's semicolons and decimal commas do as well.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.errors import InputError
from ...models.datasets.table import number_of, read_cells
from .targets import LARGEST_SHIFT, Targets, emotion_called

MAX_ROWS: Final = 256
_LARGEST_FILE: Final = 1_000_000


@dataclass(frozen=True)
class Curve:
    """times_s [rows], rising; shifts [rows, emotions] on the scale 0..1."""

    times_s: npt.NDArray[np.float64]
    emotions: tuple[str, ...]
    shifts: npt.NDArray[np.float64]

    def targets(self, row: int, keep: tuple[str, ...]) -> Targets:
        """What is asked at the time of a row."""
        return Targets(dict(zip(self.emotions, self.shifts[row].tolist(), strict=True)), keep)

    def mean(self, duration_s: float) -> dict[str, float]:
        """Mean shift over a track of that length, by emotion."""
        return self._mean(self._over(duration_s))

    def mean_size(self, duration_s: float) -> dict[str, float]:
        """Mean size of the shift over a track of that length, by emotion: not zero where up and down are alike."""
        return self._mean(np.abs(self._over(duration_s)))

    def _mean(self, shifts: npt.NDArray[np.float64]) -> dict[str, float]:
        return dict(zip(self.emotions, shifts.mean(0).tolist(), strict=True))

    def _over(self, duration_s: float) -> npt.NDArray[np.float64]:
        """Shifts [moments, emotions] at moments of equal distance."""
        moments = np.linspace(0, duration_s, 2001)
        return np.stack([np.interp(moments, self.times_s, column) for column in self.shifts.T], 1)


def read_curve(path: Path, *, duration_s: float | None = None) -> Curve:
    """Read a curve.

    Raises InputError, which names the row: for a file that is missing or no table, a column that is no emotion, a
    cell that is empty, no number or out of range, times that do not rise, and (with duration_s) a curve that begins
    after the track's end.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such curve file")
    if path.stat().st_size > _LARGEST_FILE:
        raise InputError(f"{path}: too large for a curve (a sound file by mistake?)")
    table = read_cells(path)
    header = [name.strip().lower()[:80] for name in table.rows[0][1]] if table.rows else []
    if not header or header[0] != "time_s" or len(header) < 2:
        raise InputError(f"{path}: a curve begins with the line time_s,tender (time_s, then emotions)")
    try:
        emotions = tuple(emotion_called(name) for name in header[1:])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    if len(set(emotions)) < len(emotions):
        raise InputError(f"{path}: an emotion has two columns")
    rows = table.rows[1:]
    if not 1 <= len(rows) <= MAX_ROWS:
        raise InputError(f"{path}: {len(rows)} rows; a curve has 1 to {MAX_ROWS}")
    values = np.array(
        [_numbers(path, number, row, header, decimal_comma=table.decimal_comma) for number, row in rows]
    )
    times, shifts = values[:, 0], values[:, 1:]
    for (number, _), before, time in zip(rows, np.r_[-np.inf, times[:-1]], times, strict=True):
        if time < 0 or time <= before:
            raise InputError(
                f"{path}, row {number}: time_s {time:g} does not follow the one before (times rise, from 0)"
            )
    if duration_s is not None and times[0] >= duration_s:
        raise InputError(f"{path}: it begins at {times[0]:g} s, the track ends at {duration_s:.2f} s (in seconds?)")
    if not np.abs(shifts).max() > 0:
        raise InputError(f"{path}: all its shifts are zero")
    return Curve(times, emotions, shifts)


def _numbers(path: Path, line: int, row: list[str], header: list[str], *, decimal_comma: bool) -> list[float]:
    if len(row) != len(header):
        raise InputError(f"{path}, row {line}: {len(row)} cells, the header has {len(header)} (a gap?)")
    values = []
    for name, cell in zip(header, row, strict=True):
        value = number_of(cell, decimal_comma=decimal_comma)
        if math.isnan(value):
            raise InputError(f"{path}, row {line}: {name} is {cell.strip()[:40]!r}, not a number")
        if name != "time_s" and abs(value) > LARGEST_SHIFT:
            raise InputError(
                f"{path}, row {line}: {name} {value:g} is outside of -{LARGEST_SHIFT:g}..{LARGEST_SHIFT:g}"
            )
        values.append(value)
    return values
