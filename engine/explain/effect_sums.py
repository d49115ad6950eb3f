"""Accumulation of segment effects over the windows of a track, with checkpoints on disk for resuming."""

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import Floats
from ...models.common.atomic_write import atomic_write
from ...models.common.constants import MIDLEVEL
from .lime import SegmentEffects


@dataclass
class EffectSums:
    """Sums of the effects of the first `done` windows, as effects on the mean prediction of ten seconds.

    Attributes
    ----------
    done
        Number of windows added.
    shares
        Their total length as a multiple of ten seconds.
    weights, plain, variances
        As in `lime.SegmentEffects`, [segments of the track, 7].
    halves
        [2, segments, 7].
    freedom
        Degrees of freedom by segment: the smallest of all windows, [segments].
    unexplained, total
        Variance that the linear surrogate leaves, and all of it, [7].
    """

    done: int
    shares: float
    weights: Floats
    plain: Floats
    variances: Floats
    halves: Floats
    freedom: Floats
    unexplained: Floats
    total: Floats

    @classmethod
    def empty(cls, segments: int) -> "EffectSums":
        """Return sums of no windows for a track with so many segments."""
        shape = (segments, len(MIDLEVEL))
        tables = (np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros((2, *shape)))
        return cls(0, 0.0, *tables, np.full(segments, np.inf), np.zeros(shape[1]), np.zeros(shape[1]))

    def add(self, effects: SegmentEffects, segments: npt.NDArray[np.int64], *, share: float) -> None:
        """Add the effects of the next window.

        Parameters
        ----------
        effects
            Effects on the mean prediction of the window.
        segments
            Numbers of the window's segments in the track.
        share
            Length of the window as a fraction of ten seconds.
        """
        self.done += 1
        self.shares += share
        self.weights[segments] += effects.weights * share
        self.plain[segments] += effects.ols_weights * share
        self.variances[segments] += effects.variances * share**2
        self.halves[:, segments] += effects.split_halves * share
        self.freedom[segments] = np.minimum(self.freedom[segments], effects.dof)  # conservative
        self.unexplained += effects.residual_var * share**2
        self.total += effects.total_var * share**2

    def save(self, path: Path) -> None:
        """Write a checkpoint.

        Raises
        ------
        InputError
            The file cannot be written.
        """
        with atomic_write(path) as temp_path, temp_path.open("wb") as file:
            np.savez(file, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path, segments: int) -> "EffectSums":
        """Read a checkpoint; return empty sums if there is none or it does not fit or is damaged."""
        empty = cls.empty(segments)
        try:
            with np.load(path, allow_pickle=False) as archive:
                saved = {field.name: archive[field.name] for field in fields(cls)}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return empty
        if any(np.shape(saved[field.name]) != np.shape(getattr(empty, field.name)) for field in fields(cls)):
            return empty
        return cls(**{**saved, "done": int(saved["done"]), "shares": float(saved["shares"])})
