"""LIME by the paper's procedure: which segments of ten seconds speak for and against each mid-level feature.

Haunschmid et al. (2019) hide random halves of the segments, weight each sample by its likeness to the original and
fit one ridge regression a feature; this is `lime`'s image explainer (Ribeiro et al., 2016), shared by all seven
features and solved from running sums, so that 50,000 samples need no more memory than 500.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import linalg, stats

from ..models.checkpoint import Model
from ..models.vocabulary import MIDLEVEL
from .perturbation import Window, local_outputs

KERNEL_WIDTH: Final = 0.25
RIDGE: Final = 1.0
_ROWS_AT_ONCE: Final = 4096

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effects:
    """What turning a segment's bit from 0 to 1 does to the mean local output of a window.

    weights are the estimator's, plain those of least squares without a ridge, variances the squared standard errors of
    these, all [segments, 7]; freedom is the degrees of freedom of the
    variances, unexplained and total the (weighted) variance [7] that the linear surrogate leaves, and all of it.
    """

    weights: Doubles
    plain: Doubles
    variances: Doubles
    freedom: float
    unexplained: Doubles
    total: Doubles


def draw_bits(samples: int, segments: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Fair bits [samples, segments], the first sample being the original (all 1), as in lime_image."""
    bits = rng.integers(0, 2, (samples, segments), np.uint8).astype(bool)
    bits[0] = True
    return bits


def kernel(bits: npt.NDArray[np.bool_]) -> Doubles:
    """Weight of each sample: sqrt(exp(-d^2 / width^2)) of its cosine distance d to the original [samples]."""
    share = bits.mean(axis=1)
    distance = np.where(share > 0, 1 - np.sqrt(share), 1.0)
    return np.asarray(np.sqrt(np.exp(-(distance**2) / KERNEL_WIDTH**2)))


def weighted_ridge(
    bits: npt.NDArray[np.bool_], outputs: Doubles, weights: Doubles, *, ridge: float = RIDGE
) -> Effects:
    """Weighted ridge regression of outputs [samples, targets] on bits [samples, segments], with an intercept.

    The coefficients are those of lime.lime_base.LimeBase (scikit-learn's Ridge). The variances are those of weighted
    least squares (statsmodels' WLS, without the ridge), whose t values give the p-values.
    """
    total_weight = weights.sum()
    mean_bits = np.zeros(bits.shape[1])
    gram = np.zeros((bits.shape[1], bits.shape[1]))
    cross = np.zeros((bits.shape[1], outputs.shape[1]))
    mean_outputs = weights @ outputs / total_weight
    centred = outputs - mean_outputs
    for start in range(0, len(bits), _ROWS_AT_ONCE):  # running sums over the samples
        rows = slice(start, start + _ROWS_AT_ONCE)
        block = bits[rows].astype(np.float64)
        mean_bits += weights[rows] @ block / total_weight
        scaled = block * weights[rows, None]
        gram += scaled.T @ block
        cross += scaled.T @ centred[rows]
    gram -= total_weight * np.outer(mean_bits, mean_bits)  # sums of centred bits
    square = weights @ centred**2
    coefficients = linalg.solve(gram + ridge * np.eye(len(gram)), cross, assume_a="pos")
    unexplained = square - 2 * (coefficients * cross).sum(0) + (coefficients * (gram @ coefficients)).sum(0)
    # Least squares without the ridge, for the standard errors
    inverse = np.linalg.pinv(gram, hermitian=True)
    plain = inverse @ cross
    freedom = len(bits) - np.linalg.matrix_rank(gram, hermitian=True) - 1
    noise = np.maximum(square - (plain * cross).sum(0), 0) / max(freedom, 1)
    variances = np.outer(np.diag(inverse), noise)
    unexplained = np.maximum(unexplained, 0) / total_weight
    return Effects(coefficients, plain, variances, float(freedom), unexplained, square / total_weight)


def p_values(plain: Doubles, variances: Doubles, freedom: npt.ArrayLike) -> Doubles:
    """Two-sided p-value of each least-squares weight being zero, by Student's t; 1 where nothing was measured."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(plain) / np.sqrt(variances)
    p = 2 * stats.t.sf(np.nan_to_num(t, nan=0.0, posinf=np.inf), np.asarray(freedom, float))
    return np.asarray(np.where(plain == 0, 1.0, p))


def explain_window(
    stretch: Window, model: Model, *, passes: int, perturbation: str, rng: np.random.Generator
) -> Effects:
    """The paper's explanation of one window, for all seven features at once."""
    bits = draw_bits(passes, len(stretch.segments), rng)
    outputs = np.empty((passes, len(MIDLEVEL)))
    done = 0
    for block in local_outputs(stretch, bits, model, perturbation):
        outputs[done : done + len(block)] = block.mean((2, 3), dtype=np.float64)
        done += len(block)
    return weighted_ridge(bits, outputs, kernel(bits))
