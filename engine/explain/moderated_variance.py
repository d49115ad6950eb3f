"""Moderated variances: each segment's variance is shrunk towards its expectation from the other features.

A variance of eight values is known to a half, and p-values far in the tail punish that. Segments have much in
common: one that is large or loud has noisy effects on all features. So the variance of a segment for one feature is
combined with its expectation from the other six, by a linear regression of its logarithm on theirs, weighted by how
well that fits (the empirical Bayes estimate of Smyth, Stat. Appl. Genet. Mol. Biol. 2004, with the expectation as a
trend). What was learned from the others counts as further degrees of freedom.
"""

from typing import Final

import numpy as np

from ...models.common.arrays import Floats

_MIN_SEGMENTS: Final = 30
_MAX_DOF: Final = 4.0
"""The expectation never counts as more than so many times the degrees of freedom of the variances."""


def moderate(variances: Floats, dof: float) -> tuple[Floats, Floats]:
    """Combine variances with their expectation.

    Parameters
    ----------
    variances
        Sample variances, [segments, features]; zero for a segment without any effect, which is left out.
    dof
        Their degrees of freedom.

    Returns
    -------
    tuple of numpy.ndarray
        Moderated variances [segments, features], and their degrees of freedom [features].
    """
    from scipy.special import (
        digamma,
        polygamma,
    )  # (imported while others work: a fifth of a second with what it needs)

    varied = (variances > 0).all(axis=1)
    if varied.sum() < _MIN_SEGMENTS:
        return variances, np.full(variances.shape[1], float(dof))
    logs = np.log(variances[varied]) - digamma(dof / 2) + np.log(dof / 2)
    expected = np.stack([_fitted(logs[:, k], np.delete(logs, k, axis=1)) for k in range(logs.shape[1])], axis=1)
    spread = ((logs - expected) ** 2).sum(0) / (len(logs) - logs.shape[1])
    prior_dof = np.array([_dof_of(float(value) - float(polygamma(1, dof / 2)), _MAX_DOF * dof) for value in spread])
    prior = np.exp(expected + digamma(prior_dof / 2) - np.log(prior_dof / 2))
    moderated = variances.copy()
    moderated[varied] = (prior_dof * prior + dof * variances[varied]) / (prior_dof + dof)
    return moderated, dof + prior_dof


def _fitted(values: Floats, others: Floats) -> Floats:
    """What a linear regression of values [n] on others [n, m] expects of them, [n]."""
    centred = others - others.mean(0)
    slopes, *_ = np.linalg.lstsq(centred, values - values.mean(), rcond=None)
    return np.asarray(values.mean() + centred @ slopes)


def _dof_of(log_variance: float, most: float) -> float:
    """Return the degrees of freedom of a variance whose logarithm varies by so much, at most `most`."""
    from scipy.special import polygamma

    low, high = 1e-3, most
    if log_variance <= polygamma(1, high / 2):
        return high
    while high / low > 1 + 1e-6:  # (the trigamma function falls)
        middle = (low * high) ** 0.5
        low, high = (middle, high) if polygamma(1, middle / 2) > log_variance else (low, middle)
    return low
