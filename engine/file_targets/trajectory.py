"""From targets to coefficients of handles over a track: constant, or a row of a curve at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from ...models.common.arrays import Floats
from ...models.common.constants import EMOTIONS
from ...models.inference.checkpoint import Model
from ...models.inference.threads import torch_threads
from ..audio.track import Track
from ..excerpts.stretches import read_excerpts, spread_stretches, stretch_around
from ..steering.handle_excerpts import HandleExcerpts
from ..steering.handles import HANDLES
from ..steering.listeners import own_listeners
from .curve import Curve
from .gain_map import Trajectory
from .quality import QUALITY_FLOOR, within_quality
from .targets import Targets, TargetSolution, narrow_fields, solve_targets

NO_CORRECTION: Final = dict.fromkeys(EMOTIONS, 0.0)
_MAX_JUDGED: Final = 6
"""So many excerpts of a curve are looked at for the quality."""


class TrajectorySolver:
    """Solves a track's targets, again if need be with a correction; `quality` is that of the last solution."""

    def __init__(
        self,
        track: Track,
        model: Model,
        toward: Targets | Curve,
        *,
        keep: tuple[str, ...],
        max_rms_db: float,
        min_quality: float | None,
    ) -> None:
        """Take what is asked, and the limits.

        keep: for a curve, which names none. max_rms_db: of the gain field. min_quality: mean opinion score, by
        default QUALITY_FLOOR.
        """
        self._toward, self._keep = toward, keep
        self._max_rms_db = max_rms_db
        self._min_quality = QUALITY_FLOOR if min_quality is None else min_quality
        self._listeners = own_listeners(model)
        if isinstance(toward, Curve):
            stretches = [stretch_around(float(time), track) for time in toward.times_s]
        else:
            stretches = spread_stretches(track)
        self._sounds = read_excerpts(track, stretches)
        with torch_threads(1):  # (many small operations: a second thread waits more than it works)
            self._whole = None if isinstance(toward, Curve) else HandleExcerpts(self._sounds, self._listeners)
        self._last: TargetSolution | None = None
        names = (*toward.emotions, *keep) if isinstance(toward, Curve) else toward.names
        self.narrow = narrow_fields(self._listeners[0], names)
        """Makes the fields that the coefficients have beside the handles."""
        self.quality: float | None = None
        """Mean opinion score of the last solution; None without Zimtohrli."""
        self.missed = 0.0
        """The largest miss of the last solution at the excerpts, per shift asked."""

    def solve(self, correction: Mapping[str, float] = NO_CORRECTION) -> Trajectory:
        """The trajectory of coefficients, made smaller until the quality is as good as asked.

        With a correction it goes on from the last solution.
        """
        if isinstance(self._toward, Curve):
            return self._curve(self._toward)
        assert self._whole is not None
        self._last = found = solve_targets(
            self._whole, self._toward, max_rms_db=self._max_rms_db, correction=correction, start=self._last
        )
        self.missed = found.missed
        coefficients, self.quality = within_quality(self._whole, self._sounds, found.coefficients, self._min_quality)
        return Trajectory(np.zeros(1), coefficients[None], tuple(base[None] for base in found.bases))

    def _curve(self, curve: Curve) -> Trajectory:
        solved: list[TargetSolution] = []
        scores = []
        judged = set(np.unique(np.linspace(0, len(curve.times_s) - 1, _MAX_JUDGED).round().astype(int)).tolist())
        for row, sound in enumerate(self._sounds):
            if not curve.shifts[row].any():
                solved.append(TargetSolution(np.zeros(len(HANDLES))))
                continue
            targets = curve.targets(row, self._keep)
            excerpts = HandleExcerpts([sound], self._listeners)
            found = solve_targets(excerpts, targets, max_rms_db=self._max_rms_db)
            if row in judged:
                coefficients, score = within_quality(excerpts, [sound], found.coefficients, self._min_quality)
                found = replace(found, coefficients=coefficients)
                scores.append(score)
            solved.append(found)
        known = [score for score in scores if score is not None]
        self.quality = float(np.mean(known)) if known else None
        return joined(curve.times_s, solved, len(self.narrow.outputs))


def joined(times_s: Floats, solved: Sequence[TargetSolution], outputs: int) -> Trajectory:
    """A trajectory through solutions at moments [moments], each with stages of so many narrow fields.

    Where one has fewer stages than another, it has none of the further ones: these are made under what it is.
    """
    stages = max(len(found.bases) for found in solved)

    def filled(coefficients: Floats, stages: int) -> Floats:
        return np.pad(coefficients, (0, len(HANDLES) + stages * outputs - len(coefficients)))

    coefficients = np.stack([filled(found.coefficients, stages) for found in solved])
    bases = [
        np.stack([filled(found.bases[n] if n < len(found.bases) else found.coefficients, n) for found in solved])
        for n in range(stages)
    ]
    return Trajectory(times_s, coefficients, tuple(bases))
