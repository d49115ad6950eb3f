"""LIME by the paper's procedure: which segments of ten seconds speak for and against each mid-level feature.

Haunschmid et al. (2019) hide random halves of the segments, weight each sample by its likeness to the original and
fit one ridge regression a feature; this is `lime`'s image explainer (Ribeiro et al., 2016), shared by all seven
features and solved from running sums, so that 50,000 samples need no more memory than 500.
"""

from dataclasses import astuple, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import linalg, stats

from ...models.common.arrays import Floats
from ...models.common.constants import MIDLEVEL
from ...models.inference.checkpoint import Model
from .perturbation import AnalysisWindow, local_outputs

PASSES: Final = 50_000
POSITIONS: Final = 0
BIT_VARIANCE: Final = 0.25
KERNEL_WIDTH: Final = 0.25
RIDGE: Final = 1.0
_ROWS_AT_ONCE: Final = 4096


@dataclass(frozen=True)
class SegmentEffects:
    """What turning a segment's bit from 0 to 1 does to the mean local output of a window.

    weights are the estimator's, plain those of least squares without a ridge, variances the squared standard errors
    of these, all [segments, 7]; halves [2, segments, 7] the weights that each half of the samples gives alone;
    freedom is the degrees of freedom of the variances, unexplained and total the (weighted) variance [7] that the
    linear surrogate leaves, and all of it.
    """

    weights: Floats
    ols_weights: Floats
    variances: Floats
    split_halves: Floats
    dof: float
    residual_var: Floats
    total_var: Floats


def sample_masks(samples: int, segments: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Fair bits [samples, segments], the first sample being the original (all 1), as in lime_image."""
    bits = rng.integers(0, 2, (samples, segments), np.uint8).astype(bool)
    bits[0] = True
    return bits


def sample_weights(bits: npt.NDArray[np.bool_]) -> Floats:
    """Weight of each sample: sqrt(exp(-d^2 / width^2)) of its cosine distance d to the original [samples]."""
    share = bits.mean(axis=1)
    distance = np.where(share > 0, 1 - np.sqrt(share), 1.0)
    return np.asarray(np.sqrt(np.exp(-(distance**2) / KERNEL_WIDTH**2)))


def fit_weighted_ridge(
    bits: npt.NDArray[np.bool_], outputs: Floats, weights: Floats, *, ridge: float = RIDGE
) -> SegmentEffects:
    """Weighted ridge regression of outputs [samples, targets] on bits [samples, segments], with an intercept.

    The coefficients are those of lime.lime_base.LimeBase (scikit-learn's Ridge). The variances are those of weighted
    least squares (statsmodels' WLS, without the ridge), whose t values give the p-values.
    """
    middle = len(bits) // 2
    halves = [_Sums.of(bits[rows], outputs[rows], weights[rows]) for rows in (slice(middle), slice(middle, None))]
    whole = halves[0] + halves[1]
    gram, cross, square = whole.centred()
    coefficients = _solved(gram, cross, ridge)
    unexplained = square - 2 * (coefficients * cross).sum(0) + (coefficients * (gram @ coefficients)).sum(0)
    # Least squares without the ridge, for the standard errors
    inverse = np.linalg.pinv(gram, hermitian=True)
    plain = inverse @ cross
    freedom = len(bits) - np.linalg.matrix_rank(gram, hermitian=True) - 1
    noise = np.maximum(square - (plain * cross).sum(0), 0) / max(freedom, 1)
    return SegmentEffects(
        weights=coefficients,
        ols_weights=plain,
        variances=np.outer(np.diag(inverse), noise),
        split_halves=np.stack([_solved(*half.centred()[:2], ridge) for half in halves]),
        dof=float(freedom),
        residual_var=np.maximum(unexplained, 0) / whole.weight,
        total_var=square / whole.weight,
    )


def _solved(gram: Floats, cross: Floats, ridge: float) -> Floats:
    return np.asarray(linalg.solve(gram + ridge * np.eye(len(gram)), cross, assume_a="pos"))


@dataclass(frozen=True)
class _Sums:
    """Weighted sums over samples: of bits, outputs, and their products."""

    weight: float
    bits: Floats
    outputs: Floats
    gram: Floats
    cross: Floats
    square: Floats

    @classmethod
    def of(cls, bits: npt.NDArray[np.bool_], outputs: Floats, weights: Floats) -> "_Sums":
        parts = []
        for start in range(0, len(bits), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            block, out, weight = bits[rows].astype(np.float64), outputs[rows], weights[rows, None]
            scaled = block * weight
            sums = (scaled.sum(0), (weight * out).sum(0), scaled.T @ block, scaled.T @ out, (weight * out**2).sum(0))
            parts.append(cls(float(weight.sum()), *sums))
        return sum(parts[1:], parts[0])

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def centred(self) -> tuple[Floats, Floats, Floats]:
        """Gram matrix, cross products and squares of the deviations from the weighted means."""
        return (
            self.gram - np.outer(self.bits, self.bits) / self.weight,
            self.cross - np.outer(self.bits, self.outputs) / self.weight,
            np.maximum(self.square - self.outputs**2 / self.weight, 0),
        )


def p_values(plain: Floats, variances: Floats, freedom: npt.ArrayLike) -> Floats:
    """Two-sided p-value of each least-squares weight being zero, by Student's t; 1 where nothing was measured."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(plain) / np.sqrt(variances)
    p = 2 * stats.t.sf(np.nan_to_num(t, nan=0.0, posinf=np.inf), np.asarray(freedom, float))
    return np.asarray(np.where(plain == 0, 1.0, p))


def explain_window(
    stretch: AnalysisWindow, model: Model, *, passes: int, perturbation: str, rng: np.random.Generator
) -> SegmentEffects:
    """The paper's explanation of one window, for all seven features at once."""
    bits = sample_masks(passes, len(stretch.segments), rng)
    outputs = np.empty((passes, len(MIDLEVEL)))
    done = 0
    for block in local_outputs(stretch, bits, model, perturbation):
        outputs[done : done + len(block)] = block.mean((2, 3), dtype=np.float64)
        done += len(block)
    return fit_weighted_ridge(bits, outputs, sample_weights(bits))
