"""From targets to coefficients of handles over a track: constant, or a row of a curve at a time."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ...models.common.arrays import Floats
from ...models.common.constants import EMOTIONS
from ...models.inference.checkpoint import Model
from ..audio.track import Track
from ..excerpts.stretches import around, read_excerpts, spread_starts
from ..steering.listeners import own_listeners
from .curve import Curve
from .gain_map import Trajectory
from .quality import QUALITY_FLOOR, within_quality
from .targets import Targets, fields_beside, solve_targets, target_excerpts

NO_CORRECTION: Final = dict.fromkeys(EMOTIONS, 0.0)
_MOST_JUDGED: Final = 6
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
            stretches = [around(float(time), track) for time in toward.times_s]
        else:
            stretches = spread_starts(track)
        self._sounds = read_excerpts(track, stretches)
        self._whole = None if isinstance(toward, Curve) else target_excerpts(self._sounds, self._listeners, toward)
        names = (*toward.emotions, *keep) if isinstance(toward, Curve) else toward.names
        self.fields_beside = fields_beside(self._listeners[0], names)
        """Makes the fields that the coefficients have beside the handles, from a log-spectrogram."""
        self.quality: float | None = None
        """Mean opinion score of the last solution; None without Zimtohrli."""

    def solve(self, correction: Mapping[str, float] = NO_CORRECTION) -> Trajectory:
        """The trajectory of coefficients, made smaller until the quality is as good as asked."""
        if isinstance(self._toward, Curve):
            return self._curve(self._toward)
        assert self._whole is not None
        coefficients = solve_targets(self._whole, self._toward, max_rms_db=self._max_rms_db, correction=correction)
        coefficients, self.quality = within_quality(self._whole, self._sounds, coefficients, self._min_quality)
        return Trajectory(np.zeros(1), coefficients[None])

    def _curve(self, curve: Curve) -> Trajectory:
        solved: list[Floats | None] = [None] * len(curve.times_s)
        scores = []
        judged = set(np.unique(np.linspace(0, len(solved) - 1, _MOST_JUDGED).round().astype(int)).tolist())
        for row, sound in enumerate(self._sounds):
            if not curve.shifts[row].any():
                continue
            targets = curve.targets(row, self._keep)
            excerpts = target_excerpts([sound], self._listeners, targets)
            found = solve_targets(excerpts, targets, max_rms_db=self._max_rms_db)
            if row in judged:
                found, score = within_quality(excerpts, [sound], found, self._min_quality)
                scores.append(score)
            solved[row] = found
        known = [score for score in scores if score is not None]
        self.quality = float(np.mean(known)) if known else None
        size = max(len(found) for found in solved if found is not None)
        return Trajectory(curve.times_s, np.stack([np.zeros(size) if one is None else one for one in solved]))
