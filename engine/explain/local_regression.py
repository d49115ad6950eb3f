"""The same coefficients as LIME's from far fewer samples, because the prediction is a mean of local outputs.

A local output can depend only on the segments within its field of view. So a segment's effect on the prediction is
its effect on the sum of those outputs that see it, its *own* outputs; regressing these on the segments that any of
them sees leaves out the noise of all others. Samples come in antithetic pairs (z, 1 - z) and the regression runs on
half the difference of each pair: whatever is even in z, the intercept included, cancels exactly. The pairs form an
orthogonal design: segments that some output sees together follow different columns of a Hadamard matrix, drawn with
random signs, so that none of their effects passes for another's, and no pair is spent on telling them apart
(Plackett & Burman, Biometrika 1946). It is Paley's matrix, which spreads what three segments do together evenly over
all columns; in the powers of two it would fall on single ones.

The target is LIME's with equal sample weights, E[f | z_s = 1] - E[f | z_s = 0], without bias; LIME's own weights
differ little from each other at this number of segments (0.50 +- 0.05).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import linalg

from ...models.common.arrays import Floats
from ...models.common.constants import MIDLEVEL
from ...models.inference.checkpoint import Model
from .experimental_design import pad_with_random_signs, paley_hadamard, visible_segments
from .lime import SegmentEffects
from .perturbation import BATCH_SIZE, AnalysisWindow, local_outputs

PASSES: Final = 1024
POSITIONS: Final = 64
BIT_VARIANCE: Final = 0.25


def hadamard_design(pairs: int, together: npt.NDArray[np.bool_], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Bits of the first sample of each pair, [pairs, segments], balanced and orthogonal as far as pairs suffice.

    together: [segments, segments], what some output sees together. The rows of a matrix of Paley's are orthogonal in
    all segments that are in one regression; what is left of rows and segments are coins.
    """
    segments = len(together)
    matrix = paley_hadamard(pairs)
    order = len(matrix)
    apart = (together.astype(np.float32) @ together) > 0  # regressed together: seen together with a third
    bits = rng.random((order, segments)) < 0.5
    columns = np.full(segments, -1)
    for s in range(segments):
        free = np.ones(order - 1, bool)
        taken = columns[apart[s]]
        free[taken[taken >= 0]] = False
        choice = np.flatnonzero(free)
        if len(choice):
            columns[s] = rng.choice(choice)
            bits[:, s] = matrix[:, columns[s]] ^ (rng.random() < 0.5)
    return pad_with_random_signs(bits, pairs, rng)


def explain_window(
    stretch: AnalysisWindow, model: Model, *, passes: int, perturbation: str, rng: np.random.Generator
) -> SegmentEffects:
    """Effects of the window's segments on the mean of its local outputs, from passes // 2 antithetic pairs."""
    seen = visible_segments(stretch, model.network.geometry).reshape(-1, len(stretch.segments)).astype(np.float32)
    outputs, segments = seen.shape
    pairs = max(passes // 2, 2)
    together = (seen.T @ seen) > 0  # some output sees both segments
    halves = hadamard_design(pairs, together, rng)
    features = len(MIDLEVEL)
    sums = [_Sums.nothing(segments), _Sums.nothing(segments)]
    whole_odd = np.zeros((pairs, features))
    whole_even = np.zeros((pairs, features))
    step = BATCH_SIZE // 2
    for start in range(0, pairs, step):
        bits = halves[start : start + step]
        both = next(local_outputs(stretch, np.concatenate([bits, ~bits]), model, perturbation, batch_size=2 * step))
        one, other = both[: len(bits)], both[len(bits) :]
        odd = ((one - other) / 2).reshape(len(bits) * features, outputs)
        own = (odd @ seen).reshape(len(bits), features, segments).transpose(0, 2, 1) / outputs
        sums[start // step % 2].add(np.where(bits, np.float32(0.5), np.float32(-0.5)), np.asarray(own, np.float32))
        rows = slice(start, start + len(bits))
        whole_odd[rows] = odd.mean(1, dtype=np.float64).reshape(len(bits), features)
        whole_even[rows] = ((one + other) / 2).mean((2, 3), dtype=np.float64)
    half_weights = np.stack([half.regressions(together)[0] for half in sums])
    sums[0].join(sums[1])
    weights, variances, freedom = sums[0].regressions(together)
    left = whole_odd - (halves - 0.5) @ weights
    even = whole_even.var(0)
    return SegmentEffects(
        weights=weights,
        ols_weights=weights,
        variances=variances,
        split_halves=half_weights,
        dof=freedom,
        residual_var=(left**2).mean(0) + even,
        total_var=(whole_odd**2).mean(0) + even,
    )


@dataclass
class _Sums:
    """Sums over pairs of the products of signs [segments] with themselves and with own outputs [segments, 7]."""

    pairs: int
    gram: Floats
    cross: Floats
    square: Floats

    @classmethod
    def nothing(cls, segments: int) -> "_Sums":
        features = len(MIDLEVEL)
        return cls(
            0,
            np.zeros((segments, segments)),
            np.zeros((segments, segments * features)),
            np.zeros((segments, features)),
        )

    def add(self, signs: npt.NDArray[np.float32], own: npt.NDArray[np.float32]) -> None:
        self.pairs += len(signs)
        self.gram += signs.T @ signs
        self.cross += signs.T @ own.reshape(len(own), -1)
        self.square += (own.astype(np.float64) ** 2).sum(0)

    def join(self, other: "_Sums") -> None:
        self.pairs += other.pairs
        self.gram += other.gram
        self.cross += other.cross
        self.square += other.square

    def regressions(self, together: npt.NDArray[np.bool_]) -> tuple[Floats, Floats, float]:
        """Least squares of each segment's own outputs on the segments near it; weights, variances, freedom."""
        segments, features = self.square.shape
        cross = self.cross.reshape(segments, segments, features)
        weights, variances = np.zeros_like(self.square), np.zeros_like(self.square)
        freedom = float(self.pairs)
        for s in range(segments):
            near = np.flatnonzero(together[s])
            if len(near) == 0:
                continue
            if len(near) > 0.7 * self.pairs:
                near = np.array([s])  # too few samples for all of them: the plain difference
            place = int(np.searchsorted(near, s))
            factor = linalg.cho_factor(self.gram[np.ix_(near, near)], lower=True, check_finite=False)
            unit = np.zeros(len(near))
            unit[place] = 1.0
            solved = linalg.cho_solve(factor, np.column_stack([cross[near, s], unit]), check_finite=False)
            coefficients = solved[:, :features]
            left = np.maximum(self.square[s] - (coefficients * cross[near, s]).sum(0), 0)
            weights[s] = coefficients[place]
            variances[s] = left / (self.pairs - len(near)) * solved[place, -1]
            freedom = min(freedom, float(self.pairs - len(near)))
        return weights, variances, freedom
