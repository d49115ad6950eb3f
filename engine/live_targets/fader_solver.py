"""Fader settings for asked shifts of the emotions: Gauss-Newton within the faders' range.

Shifts are a function of seven faders in dB, given as a callable: the analysis's measured response (at once, without
torch: `estimate.py`) or the network on stretches of the track (`measured.py`, a few evaluations). The least motion of
the faders is taken with which the asked shifts are met; where they cannot be met, the nearest.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...models.common.arrays import Floats
from ...models.common.constants import EMOTIONS, KEPT_SHARE, MIDLEVEL, REACHED_SHARE
from ..dsp.faders import FADER_RANGE_DB
from .bounded_least_squares import bounded_least_squares

Shifts = Callable[[Floats], Floats]
"""Faders [7] in dB -> shifts of the emotions [8]."""
MIN_SHIFT: Final = 0.02
"""Shifts below this count as this where misses are judged: nobody asks for less, and no network is as exact."""
_STEP_DB: Final = 1.0
_SHORTEST_DB: Final = 0.02
_RIDGES: Final = (0.03, 0.01, 0.003, 0.001, 3e-4, 1e-4)
_CLOSE: Final = 0.03


@dataclass(frozen=True)
class FaderSolution:
    """Faders in dB [7] and the shifts of all emotions [8] that they bring about.

    miss: the largest of an asked or kept emotion, as a share of the largest shift that was asked for.
    """

    faders_db: Floats
    shifts: Floats
    miss: float


@dataclass(frozen=True)
class Asked:
    """Shifts by emotion; 0 keeps one. Emotions that are not named may do what they like."""

    toward: Mapping[str, float]

    @property
    def rows(self) -> list[int]:
        """Numbers of the emotions that are asked for or kept."""
        return [EMOTIONS.index(name) for name in self.toward]

    @property
    def wanted(self) -> Floats:
        """Their shifts."""
        return np.array(list(self.toward.values()), float)

    @property
    def scale(self) -> float:
        """The largest shift that is asked for, at least MIN_SHIFT."""
        return max(MIN_SHIFT, *(abs(value) for value in self.toward.values()))

    def miss(self, shifts: Floats) -> float:
        """The largest miss, as a share of `scale`."""
        return float(np.abs(shifts[self.rows] - self.wanted).max()) / self.scale

    def reached(self, shifts: Floats) -> bool:
        """Whether each shift is there to nine tenths (not more than eleven), and what is kept moves little."""
        misses = np.abs(shifts[self.rows] - self.wanted)
        allowed = [
            (1 - REACHED_SHARE) * max(abs(value), MIN_SHIFT) if value else KEPT_SHARE * self.scale
            for value in self.toward.values()
        ]
        return bool((misses <= np.array(allowed) + 1e-12).all())


def slopes_at(shifts: Shifts, faders_db: Floats) -> Floats:
    """Change of the emotions per dB of each fader, [8, 7], by differences to both sides within the faders' range."""
    low, high = FADER_RANGE_DB
    columns = []
    for k in range(len(MIDLEVEL)):
        up, down = faders_db.copy(), faders_db.copy()
        up[k], down[k] = min(up[k] + _STEP_DB, high), max(down[k] - _STEP_DB, low)
        columns.append((shifts(up) - shifts(down)) / (up[k] - down[k]))
    return np.stack(columns, 1)


def nearest_faders(slopes: Floats, offset: Floats, asked: Asked) -> Floats:
    """Faders [7] for which offset + slopes @ faders is nearest to what is asked, with the least motion that does.

    Parameters
    ----------
    slopes
        Of all emotions, [8, 7] per dB.
    offset
        Shifts that the linear model has at zero, [8].
    asked
        What is wanted.
    """
    low, high = (np.full(len(MIDLEVEL), edge) for edge in FADER_RANGE_DB)
    matrix = slopes[asked.rows] / asked.scale
    wanted = (asked.wanted - offset[asked.rows]) / asked.scale
    faders_db = np.zeros(len(MIDLEVEL))
    reach = float(np.abs(matrix).max(initial=0.0)) ** 2  # squared shares per dB: the ridge is relative to it
    if reach == 0:
        return faders_db
    before = math.inf
    for ridge in _RIDGES:
        found = bounded_least_squares(matrix, wanted, low, high, ridge=ridge * reach)
        miss = float(np.abs(matrix @ found - wanted).max())
        if miss > 0.98 * before:  # more motion brings nothing
            break
        faders_db, before = found, miss
        if miss <= _CLOSE:
            break
    return faders_db


def solve_faders(
    shifts: Shifts, asked: Asked, *, start: Floats | None = None, slopes: Floats | None = None, tries: int = 6
) -> FaderSolution:
    """Faders for what is asked.

    Parameters
    ----------
    shifts
        What faders bring about.
    asked
        What is wanted.
    start
        Faders to begin at; None: at zero.
    slopes
        Of the emotions there, [8, 7]; None: found by differences wherever it goes (14 evaluations of `shifts`).
        Given ones are corrected by Broyden's method (1965) from try to try, one evaluation each. After a step that
        made it worse the next one is at most half as long.
    tries
        At most so many.

    Returns
    -------
    FaderSolution
        The best try.
    """
    differences = slopes is None
    faders_db = np.zeros(len(MIDLEVEL)) if start is None else start.astype(float)
    moved = shifts(faders_db)
    best = FaderSolution(faders_db, moved, asked.miss(moved))
    furthest = math.inf  # how long a step may be: half of one that made it worse
    for _ in range(tries):
        if best.miss <= _CLOSE:
            break
        if slopes is None or (differences and furthest == math.inf):
            slopes = slopes_at(shifts, best.faders_db)
        step = nearest_faders(slopes, best.shifts - slopes @ best.faders_db, asked) - best.faders_db
        length = float(np.linalg.norm(step))
        if length < _SHORTEST_DB:
            break
        step *= min(1.0, furthest / length)
        proposed = best.faders_db + step
        after = shifts(proposed)
        slopes = slopes + np.outer(after - best.shifts - slopes @ step, step) / float(step @ step)
        if asked.miss(after) < best.miss:
            best, furthest = FaderSolution(proposed, after, asked.miss(after)), math.inf
        else:
            furthest = float(np.linalg.norm(step)) / 2
    return best
