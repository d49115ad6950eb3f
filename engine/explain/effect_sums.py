"""Effects of stretches, added up to effects on the track, and kept on disk while the work goes on."""

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
    """Running sums over the stretches 0..done-1: of effects [segments, 7] and of variances [7].

    Effects are on a mean of ten seconds; halves is [2, segments, 7], freedom [segments].
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
        shape = (segments, len(MIDLEVEL))
        tables = (np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros((2, *shape)))
        return cls(0, 0.0, *tables, np.full(segments, np.inf), np.zeros(shape[1]), np.zeros(shape[1]))

    def add(self, effects: SegmentEffects, segments: npt.NDArray[np.int64], *, share: float) -> None:
        """Add the next stretch, `share` of ten seconds long, in which these segments of the track occur."""
        self.done += 1
        self.shares += share
        self.weights[segments] += effects.weights * share
        self.plain[segments] += effects.ols_weights * share
        self.variances[segments] += effects.variances * share**2
        self.halves[:, segments] += effects.split_halves * share
        self.freedom[segments] = np.minimum(self.freedom[segments], effects.dof)  # the careful choice
        self.unexplained += effects.residual_var * share**2
        self.total += effects.total_var * share**2

    def save(self, path: Path) -> None:
        """Write what is there so far. Raises InputError."""
        with atomic_write(path) as beside, beside.open("wb") as file:
            np.savez(file, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path, segments: int) -> "EffectSums":
        """What an interrupted run had kept there; from the start where nothing is, or nothing that can be used."""
        fresh = cls.empty(segments)
        try:
            with np.load(path, allow_pickle=False) as archive:
                kept = {field.name: archive[field.name] for field in fields(cls)}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return fresh
        if any(np.shape(kept[field.name]) != np.shape(getattr(fresh, field.name)) for field in fields(cls)):
            return fresh
        return cls(**{**kept, "done": int(kept["done"]), "shares": float(kept["shares"])})
