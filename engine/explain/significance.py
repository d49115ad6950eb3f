"""Significance: which segments of the spectrogram affect a feature, by the rule p-value / |weight| < 1e-6.

The rule is that of Haunschmid, Chowdhury & Widmer (2019). Coupled faders move these segments, by the mask weights
made here; the masks of decoupled faders, the default, are put together from them and from broad gain fields
(steering/faders/masks.py).

p-values depend on the number of samples, so the rule is defined only for a given number; the paper's is 50,000
samples of LIME. A segment is significant if the rule holds for both of

- its p-value as measured by the estimator, so that noise is never selected;
- the p-value expected from LIME with 50,000 samples, whose standard error follows from the variance that the linear
  surrogate leaves unexplained, so that a more precise estimator does not select more segments.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from ...models.common.arrays import Floats

RATIO: Final = 1e-6
"""Largest ratio of p-value to absolute weight of a significant segment."""
PAPER_SAMPLES: Final = 50_000
"""Number of samples in the paper."""


def expected_lime_p_values(weights: Floats, unexplained_variance: Floats, *, bit_variance: float = 0.25) -> Floats:
    """Return the expected p-values of LIME with 50,000 samples.

    Parameters
    ----------
    weights
        Effects on the prediction of ten seconds, [segments, 7].
    unexplained_variance
        Residual variance of the linear surrogate of that prediction, [7].
    bit_variance
        Variance of the perturbation variable: 0.25 for random bits.

    Returns
    -------
    numpy.ndarray
        Two-sided, by the normal distribution, [segments, 7].
    """
    from scipy import special  # (imported late: with what it needs a fifth of a second)

    error = np.sqrt(np.maximum(unexplained_variance, 1e-300) / (PAPER_SAMPLES * bit_variance))
    return np.asarray(2 * special.ndtr(-np.abs(weights) / error))


def is_significant(weights: Floats, p: Floats) -> npt.NDArray[np.bool_]:
    """Return where p-value / |weight| < 1e-6 (Haunschmid et al. 2019, section 3.2).

    Parameters
    ----------
    weights, p
        Effects and their p-values, [segments, 7].

    Returns
    -------
    numpy.ndarray
        bool [segments, 7].
    """
    return np.asarray(p < RATIO * np.abs(weights))


def mask_weights(weights: Floats, significant: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Scale the effects of the significant segments to mask weights.

    Parameters
    ----------
    weights
        Effects, [segments, 7].
    significant
        bool [segments, 7].

    Returns
    -------
    numpy.ndarray
        float32 [segments, 7] in -1..1: 0 for other segments, magnitude 1 for the largest effect on each feature.
    """
    masked = np.where(significant, weights, 0.0)
    largest = np.abs(masked).max(axis=0, initial=0.0)
    scaled = np.divide(masked, largest, out=np.zeros_like(masked), where=largest > 0)
    return np.asarray(scaled, np.float32)
