"""Local regression: LIME's coefficients from far fewer samples, because the prediction is a mean of local outputs.

A local output depends only on the segments in its receptive field. So the effect of a segment on the prediction is
its effect on the sum of the outputs that see it, its *own* outputs. Regressing these on the segments that any of them
sees excludes the noise of all others.

- Samples are antithetic pairs (z, 1 - z), and the regression uses half the difference of each pair: terms that are
even in
  z, the intercept included, cancel exactly.
- The pairs form an orthogonal design (Plackett & Burman, Biometrika 1946): segments that some output sees together
follow
  different columns of a Hadamard matrix with random signs, so that their effects are not confounded. Paley's matrix
  spreads the interactions of three segments evenly over all columns; Sylvester's (powers of two) would alias them
  with single ones.

The estimand is E[f | z_s = 1] - E[f | z_s = 0], LIME's with equal sample weights, without bias. LIME's own sample
weights are almost equal at this number of segments (0.50 +- 0.05).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import linalg

from ...models.common.arrays import Floats
from ...models.common.constants import MIDLEVEL
from ...models.common.progress import report_step
from ...models.inference.checkpoint import Model
from . import methods
from .experimental_design import pad_with_random_signs, paley_hadamard, visible_segments
from .lime import SegmentEffects
from .perturbation import BATCH_SIZE, AnalysisWindow, local_outputs

PASSES: Final = methods.PASSES["local"]
"""Default number of network evaluations (samples) per window."""
POSITIONS: Final = 64
"""Length of a window in output positions of the network."""
BIT_VARIANCE: Final = 0.25
"""Variance of a mask bit."""


def hadamard_design(pairs: int, together: npt.NDArray[np.bool_], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Draw the masks of the first sample of each pair: orthogonal within each regression as far as pairs suffice.

    Parameters
    ----------
    pairs
        Number of antithetic pairs.
    together
        bool [segments, segments]: some output sees both segments.
    rng
        Random generator.

    Returns
    -------
    numpy.ndarray
        bool [pairs, segments]; rows and segments beyond the Hadamard matrix are random.
    """
    segments = len(together)
    matrix = paley_hadamard(pairs)
    order = len(matrix)
    # In one regression: both are seen together with a third segment.
    conflicts = (together.astype(np.float32) @ together) > 0
    bits = rng.random((order, segments)) < 0.5
    columns = np.full(segments, -1)
    for s in range(segments):
        free = np.ones(order - 1, bool)
        taken = columns[conflicts[s]]
        free[taken[taken >= 0]] = False
        candidates = np.flatnonzero(free)
        if len(candidates):
            columns[s] = rng.choice(candidates)
            bits[:, s] = matrix[:, columns[s]] ^ (rng.random() < 0.5)
    return pad_with_random_signs(bits, pairs, rng)


def explain_window(
    window: AnalysisWindow, model: Model, *, passes: int, perturbation: str, rng: np.random.Generator
) -> SegmentEffects:
    """Estimate the effects of a window's segments on the mean of its local outputs.

    Parameters
    ----------
    window
        The window.
    model
        The model to explain.
    passes
        Number of samples, two per antithetic pair; two pairs at least.
    perturbation
        "gain" or "hide".
    rng
        Random generator of this window.
    """
    visible = visible_segments(window, model.network.geometry).reshape(-1, len(window.segments)).astype(np.float32)
    outputs, segments = visible.shape
    pairs = max(passes // 2, 2)
    together = (visible.T @ visible) > 0  # some output sees both segments
    first_masks = hadamard_design(pairs, together, rng)
    features = len(MIDLEVEL)
    sums = [_PairSums.empty(segments), _PairSums.empty(segments)]
    mean_odd = np.zeros((pairs, features))
    mean_even = np.zeros((pairs, features))
    step = BATCH_SIZE // 2
    for start in range(0, pairs, step):
        bits = first_masks[start : start + step]
        both = next(local_outputs(window, np.concatenate([bits, ~bits]), model, perturbation, batch_size=2 * step))
        first, second = both[: len(bits)], both[len(bits) :]
        odd = ((first - second) / 2).reshape(len(bits) * features, outputs)
        own = (odd @ visible).reshape(len(bits), features, segments).transpose(0, 2, 1) / outputs
        sums[start // step % 2].add(np.where(bits, np.float32(0.5), np.float32(-0.5)), np.asarray(own, np.float32))
        rows = slice(start, start + len(bits))
        mean_odd[rows] = odd.mean(1, dtype=np.float64).reshape(len(bits), features)
        mean_even[rows] = ((first + second) / 2).mean((2, 3), dtype=np.float64)
        report_step(rows.stop / pairs)
    half_weights = np.stack([half.regressions(together)[0] for half in sums])
    sums[0].join(sums[1])
    weights, variances, freedom = sums[0].regressions(together)
    residuals = mean_odd - (first_masks - 0.5) @ weights
    even = mean_even.var(0)
    return SegmentEffects(
        weights=weights,
        ols_weights=weights,
        variances=variances,
        split_halves=half_weights,
        dof=freedom,
        residual_var=(residuals**2).mean(0) + even,
        total_var=(mean_odd**2).mean(0) + even,
    )


@dataclass
class _PairSums:
    """Sums over pairs of the products of signs [segments] with themselves and with own outputs [segments, 7]."""

    pairs: int
    gram: Floats
    cross: Floats
    square: Floats

    @classmethod
    def empty(cls, segments: int) -> "_PairSums":
        """Return sums of no pairs."""
        features = len(MIDLEVEL)
        return cls(
            0,
            np.zeros((segments, segments)),
            np.zeros((segments, segments * features)),
            np.zeros((segments, features)),
        )

    def add(self, signs: npt.NDArray[np.float32], own: npt.NDArray[np.float32]) -> None:
        """Add pairs: signs [pairs, segments] and own outputs [pairs, segments, 7]."""
        self.pairs += len(signs)
        self.gram += signs.T @ signs
        self.cross += signs.T @ own.reshape(len(own), -1)
        self.square += (own.astype(np.float64) ** 2).sum(0)

    def join(self, other: "_PairSums") -> None:
        """Add the sums of other pairs."""
        self.pairs += other.pairs
        self.gram += other.gram
        self.cross += other.cross
        self.square += other.square

    def regressions(self, together: npt.NDArray[np.bool_]) -> tuple[Floats, Floats, float]:
        """Regress each segment's own outputs on the segments that share an output with it, by least squares.

        Returns weights and squared standard errors [segments, 7], and the smallest degrees of freedom.
        """
        segments, features = self.square.shape
        cross = self.cross.reshape(segments, segments, features)
        weights, variances = np.zeros_like(self.square), np.zeros_like(self.square)
        freedom = float(self.pairs)
        for s in range(segments):
            near = np.flatnonzero(together[s])
            if len(near) == 0:
                continue
            if len(near) > 0.7 * self.pairs:
                near = np.array([s])  # too few pairs for a regression: difference of means
            index = int(np.searchsorted(near, s))
            factor = linalg.cho_factor(self.gram[np.ix_(near, near)], lower=True, check_finite=False)
            unit = np.zeros(len(near))
            unit[index] = 1.0
            solution = linalg.cho_solve(factor, np.column_stack([cross[near, s], unit]), check_finite=False)
            coefficients = solution[:, :features]
            residual = np.maximum(self.square[s] - (coefficients * cross[near, s]).sum(0), 0)
            weights[s] = coefficients[index]
            variances[s] = residual / (self.pairs - len(near)) * solution[index, -1]
            freedom = min(freedom, float(self.pairs - len(near)))
        return weights, variances, freedom
