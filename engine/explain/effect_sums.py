"""Accumulation of segment effects over the windows of a track, with checkpoints on disk for resuming."""

import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import FloatArray, Floats
from ...models.common.atomic_write import atomic_write
from ...models.common.constants import MIDLEVEL
from ...models.common.errors import InputError
from ...models.common.parsing import BAD_ARCHIVE
from ...models.common.progress import ProgressCallback
from .lime import SegmentEffects

KEEP_SECONDS: Final = 30.0
"""Time between two checkpoints."""


@dataclass
class EffectSums:
    """Sums of the effects of the first `done` windows, as effects on the mean prediction of ten seconds.

    Attributes
    ----------
    done
        Number of windows added.
    clips
        Their total length as a multiple of ten seconds.
    weights, ols_weights, variances
        As in `lime.SegmentEffects`, [segments of the track, 7].
    split_halves
        [2, segments, 7].
    dof
        Degrees of freedom: the smallest of all windows, [segments, 7].
    residual_var, total_var
        Variance that the linear surrogate leaves, and all of it, [7].
    """

    done: int
    clips: float
    weights: Floats
    ols_weights: Floats
    variances: Floats
    split_halves: Floats
    dof: Floats
    residual_var: Floats
    total_var: Floats

    @classmethod
    def empty(cls, segments: int) -> "EffectSums":
        """Return sums of no windows for a track with so many segments."""
        shape = (segments, len(MIDLEVEL))
        tables = (np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros((2, *shape)))
        return cls(0, 0.0, *tables, np.full(shape, np.inf), np.zeros(shape[1]), np.zeros(shape[1]))

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
        self.clips += share
        self.weights[segments] += effects.weights * share
        self.ols_weights[segments] += effects.ols_weights * share
        self.variances[segments] += effects.variances * share**2
        self.split_halves[:, segments] += effects.split_halves * share
        self.dof[segments] = np.minimum(self.dof[segments], effects.dof)  # conservative
        self.residual_var += effects.residual_var * share**2
        self.total_var += effects.total_var * share**2

    @property
    def half_agreement(self) -> FloatArray:
        """Pearson correlation [7] of weights estimated from two halves of the samples; 0 where they are constant."""
        first, second = self.split_halves
        a, b = first - first.mean(0), second - second.mean(0)
        norm = np.sqrt((a**2).sum(0) * (b**2).sum(0))
        return np.asarray(np.divide((a * b).sum(0), norm, out=np.zeros_like(norm), where=norm > 0), np.float32)

    @property
    def surrogate_r2(self) -> FloatArray:
        """Share of the variance that the linear surrogate explains, [7]."""
        return (1 - self.residual_var / np.maximum(self.total_var, 1e-30)).astype(np.float32)

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
            if any(np.shape(saved[field.name]) != np.shape(getattr(empty, field.name)) for field in fields(cls)):
                return empty
            return cls(**{**saved, "done": int(saved["done"]), "clips": float(saved["clips"])})
        except BAD_ARCHIVE:
            return empty


class Checkpoints:
    """Keeps sums in a file while windows are added to them: every KEEP_SECONDS, and when the work is interrupted."""

    def __init__(self, sums: EffectSums, path: Path | None) -> None:
        """path: of the file; None: nothing is kept."""
        self._sums, self._path = sums, path
        self._last_saved = time.monotonic()

    def save_if_due(self) -> None:
        """Write the sums if the last checkpoint is KEEP_SECONDS old."""
        if self._path is None or time.monotonic() - self._last_saved <= KEEP_SECONDS:
            return
        try:
            self._sums.save(self._path)
        except InputError:
            self._path = None  # a full disk must not cost the analysis, only its resumption
        self._last_saved = time.monotonic()

    def saving_when_interrupted(self, progress: ProgressCallback | None) -> ProgressCallback | None:
        """The same callback; if it ends the work by an exception, the sums are written first."""
        if progress is None or self._path is None:
            return progress

        def report(done: float) -> None:
            try:
                progress(done)
            except BaseException:
                if self._path is not None:
                    self._sums.save(self._path)
                raise

        return report
