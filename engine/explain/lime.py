"""LIME as in the paper: effects of the segments of ten seconds on each feature, by weighted ridge regression.

Haunschmid et al. (2019) mask a random half of the segments in each sample, weight the samples by their similarity to
the original, and fit a ridge regression for each feature. This is the image explainer of the library `lime` (Ribeiro
et al. 2016), with the samples shared by all seven features and the regression solved from running sums, so that
50,000 samples need no more memory than 500.
"""

from dataclasses import astuple, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import Floats
from ...models.common.constants import MIDLEVEL
from ...models.common.progress import report_step
from ...models.inference.checkpoint import Model
from . import methods
from .perturbation import AnalysisWindow, local_outputs

PASSES: Final = methods.PASSES["lime"]
"""Default number of network evaluations (samples) per window."""
POSITIONS: Final = 0
"""Length of a window in output positions of the network; 0 stands for ten seconds."""
BIT_VARIANCE: Final = 0.25
"""Variance of a mask bit."""
KERNEL_WIDTH: Final = 0.25
"""Width of the exponential kernel of the sample weights, `lime`'s default."""
RIDGE: Final = 1.0
"""Ridge penalty, `lime`'s default."""
BLOCK_SAMPLES: Final = 4096


@dataclass(frozen=True)
class SegmentEffects:
    """Estimated effects of the segments of a window on the mean of its local outputs.

    An effect is the change of the mean prediction when a segment's perturbation variable goes from 0 to 1.

    Attributes
    ----------
    weights
        The estimated effects, [segments, 7].
    ols_weights
        Estimates of ordinary least squares, without a ridge penalty, [segments, 7].
    variances
        Squared standard errors of `ols_weights`, [segments, 7].
    split_halves
        The effects estimated from each half of the samples, [2, segments, 7].
    dof
        Degrees of freedom of the variances: a number, or one for each feature [7].
    residual_var, total_var
        (Weighted) variance of the predictions that the linear surrogate leaves, and all of it, [7].
    """

    weights: Floats
    ols_weights: Floats
    variances: Floats
    split_halves: Floats
    dof: float | Floats
    residual_var: Floats
    total_var: Floats


def sample_masks(samples: int, segments: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Draw the masks of the samples as `lime.lime_image` does.

    Parameters
    ----------
    samples, segments
        Numbers of samples and of segments.
    rng
        Random generator.

    Returns
    -------
    numpy.ndarray
        bool [samples, segments], False for a masked segment; the first sample is the original (all True).
    """
    bits = rng.integers(0, 2, (samples, segments), np.uint8).astype(bool)
    bits[0] = True
    return bits


def sample_weights(bits: npt.NDArray[np.bool_]) -> Floats:
    """Return the weight of each sample by its similarity to the original.

    It is sqrt(exp(-d^2 / width^2)), with the cosine distance d of its mask to the original.

    Parameters
    ----------
    bits
        Masks [samples, segments].

    Returns
    -------
    numpy.ndarray
        [samples], 0..1.
    """
    fraction = bits.mean(axis=1)
    distance = np.where(fraction > 0, 1 - np.sqrt(fraction), 1.0)
    return np.asarray(np.sqrt(np.exp(-(distance**2) / KERNEL_WIDTH**2)))


def fit_weighted_ridge(
    bits: npt.NDArray[np.bool_], outputs: Floats, weights: Floats, *, ridge: float = RIDGE
) -> SegmentEffects:
    """Fit a weighted ridge regression with an intercept.

    Parameters
    ----------
    bits
        Masks [samples, segments].
    outputs
        Predictions [samples, targets].
    weights
        Of the samples, [samples].
    ridge
        Penalty.

    Returns
    -------
    SegmentEffects
        The coefficients are those of `lime.lime_base.LimeBase` (scikit-learn's Ridge), the variances those of
        weighted least squares without a penalty (statsmodels' WLS).
    """
    middle = len(bits) // 2
    halves = [
        _WeightedSums.of(bits[rows], outputs[rows], weights[rows]) for rows in (slice(middle), slice(middle, None))
    ]
    whole = halves[0] + halves[1]
    gram, cross, square = whole.centred()
    coefficients = _solve_ridge(gram, cross, ridge)
    unexplained = square - 2 * (coefficients * cross).sum(0) + (coefficients * (gram @ coefficients)).sum(0)
    # Least squares without the ridge, for the standard errors
    inverse = np.linalg.pinv(gram, hermitian=True)
    plain = inverse @ cross
    dof = len(bits) - np.linalg.matrix_rank(gram, hermitian=True) - 1
    noise = np.maximum(square - (plain * cross).sum(0), 0) / max(dof, 1)
    return SegmentEffects(
        weights=coefficients,
        ols_weights=plain,
        variances=np.outer(np.diag(inverse), noise),
        split_halves=np.stack([_solve_ridge(*half.centred()[:2], ridge) for half in halves]),
        dof=float(dof),
        residual_var=np.maximum(unexplained, 0) / whole.weight,
        total_var=square / whole.weight,
    )


def _solve_ridge(gram: Floats, cross: Floats, ridge: float) -> Floats:
    """Ridge coefficients from the centred Gram matrix and cross products."""
    from scipy import linalg

    return np.asarray(linalg.solve(gram + ridge * np.eye(len(gram)), cross, assume_a="pos"))


@dataclass(frozen=True)
class _WeightedSums:
    """Weighted sums over samples: of weights, masks, outputs, and their products."""

    weight: float
    bits: Floats
    outputs: Floats
    gram: Floats
    cross: Floats
    square: Floats

    @classmethod
    def of(cls, bits: npt.NDArray[np.bool_], outputs: Floats, weights: Floats) -> "_WeightedSums":
        parts = []
        for start in range(0, len(bits), BLOCK_SAMPLES):
            rows = slice(start, start + BLOCK_SAMPLES)
            block, out, weight = bits[rows].astype(np.float64), outputs[rows], weights[rows, None]
            scaled = block * weight
            sums = (scaled.sum(0), (weight * out).sum(0), scaled.T @ block, scaled.T @ out, (weight * out**2).sum(0))
            parts.append(cls(float(weight.sum()), *sums))
        return sum(parts[1:], parts[0])

    def __add__(self, other: "_WeightedSums") -> "_WeightedSums":
        return _WeightedSums(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def centred(self) -> tuple[Floats, Floats, Floats]:
        """Gram matrix, cross products and squares of the deviations from the weighted means."""
        return (
            self.gram - np.outer(self.bits, self.bits) / self.weight,
            self.cross - np.outer(self.bits, self.outputs) / self.weight,
            np.maximum(self.square - self.outputs**2 / self.weight, 0),
        )


def p_values(plain: Floats, variances: Floats, dof: npt.ArrayLike) -> Floats:
    """Return the two-sided p-values of Student's t test that the effects are zero.

    Parameters
    ----------
    plain, variances
        Least-squares estimates and their squared standard errors, [segments, 7].
    dof
        Degrees of freedom, broadcastable.

    Returns
    -------
    numpy.ndarray
        [segments, 7]; 1 where the estimate is exactly zero.
    """
    from scipy import special  # (imported late: with what it needs a fifth of a second)

    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(plain) / np.sqrt(variances)
    p = 2 * special.stdtr(np.asarray(dof, float), -np.nan_to_num(t, nan=0.0, posinf=np.inf))
    return np.asarray(np.where(plain == 0, 1.0, p))


def explain_window(
    window: AnalysisWindow, model: Model, *, passes: int, perturbation: str, rng: np.random.Generator
) -> SegmentEffects:
    """Estimate the effects of a window's segments on the mean of its local outputs, for all features at once.

    Parameters
    ----------
    window
        The window.
    model
        The model to explain.
    passes
        Number of samples.
    perturbation
        "gain" or "hide"; the paper's is "hide".
    rng
        Random generator of this window.
    """
    bits = sample_masks(passes, len(window.segments), rng)
    outputs = np.empty((passes, len(MIDLEVEL)))
    done = 0
    for block in local_outputs(window, bits, model, perturbation):
        outputs[done : done + len(block)] = block.mean((2, 3), dtype=np.float64)
        done += len(block)
        report_step(done / passes)
    return fit_weighted_ridge(bits, outputs, sample_weights(bits))
