"""Cluster bootstrap: statistics of clips with 95 percent percentile intervals (Efron & Tibshirani 1993).

Clips of one album (artist, piece) are not independent, so whole groups are drawn with replacement. A bootstrap sample
is a row of weights: how often each clip was drawn. Row 0 is all ones, so the estimate itself is computed by the same
formula as its bootstrap distribution. Clips without a value (NaN) in either series are left out.

Shapes: weights [1 + draws, clips]; series [clips], or [1 + draws, clips] where they differ between bootstrap samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..common.arrays import Floats

DRAWS = 1000
"""Number of bootstrap samples."""


@dataclass(frozen=True)
class Estimate:
    """A statistic and the limits of its 95 percent interval; NaN where undefined."""

    value: float
    low: float
    high: float


def bootstrap_weights(groups: Sequence[str], *, seed: int, draws: int = DRAWS) -> Floats:
    """Draw bootstrap samples of whole groups.

    Parameters
    ----------
    groups
        Group of each clip.
    seed
        Random seed.
    draws
        Number of bootstrap samples.

    Returns
    -------
    numpy.ndarray
        Weights [1 + draws, clips]: a row of ones, then how often each clip occurs in each sample. A sample has as
        many groups as the data.
    """
    _, member = np.unique(np.asarray(groups, str), return_inverse=True)
    count = int(member.max()) + 1
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(count, np.full(count, 1 / count), size=draws)  # [draws, groups]
    return np.concatenate([np.ones((1, len(member))), counts[:, member]]).astype(float)


def percentile_interval(values: Floats) -> Estimate:
    """Return the percentile interval of a bootstrap distribution.

    Parameters
    ----------
    values
        The statistic [1 + draws], of the data first.

    Returns
    -------
    Estimate
        The first value, and the 2.5th and 97.5th percentile of the finite others (NaN without any).
    """
    samples = values[1:][np.isfinite(values[1:])]
    low, high = np.percentile(samples, [2.5, 97.5]) if len(samples) else (np.nan, np.nan)
    return Estimate(float(values[0]), float(low), float(high))


def pearson(weights: Floats, a: Floats, b: Floats) -> Floats:
    """Pearson correlation in each bootstrap sample.

    Parameters
    ----------
    weights
        [1 + draws, clips].
    a, b
        The series, [clips] or [1 + draws, clips].

    Returns
    -------
    numpy.ndarray
        [1 + draws]; NaN where a series is constant or has fewer than three clips.
    """
    return _moments(weights, a, b).correlation


def spearman(weights: Floats, a: Floats, b: Floats) -> Floats:
    """Spearman's rank correlation in each bootstrap sample; ties get the mean of their ranks.

    Parameters
    ----------
    weights
        [1 + draws, clips].
    a, b
        The series [clips].

    Returns
    -------
    numpy.ndarray
        [1 + draws]; NaN as for `pearson`.
    """
    valid = weights * (np.isfinite(a) & np.isfinite(b))
    return pearson(valid, _ranks(valid, a), _ranks(valid, b))


def fit_line(weights: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Fit the least-squares line of y on x in each bootstrap sample.

    Parameters
    ----------
    weights
        [1 + draws, clips].
    x, y
        The series, [clips] or [1 + draws, clips].

    Returns
    -------
    slope, offset : numpy.ndarray
        [1 + draws] each; NaN as for `pearson`.
    """
    m = _moments(weights, x, y)
    return m.slope, m.mean_y - m.slope * m.mean_x


def mean(weights: Floats, values: Floats) -> Floats:
    """Mean in each bootstrap sample.

    Parameters
    ----------
    weights
        [1 + draws, clips].
    values
        [clips].

    Returns
    -------
    numpy.ndarray
        [1 + draws].
    """
    valid = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights @ np.where(valid, values, 0.0)) / (weights @ valid.astype(float)))


@dataclass(frozen=True)
class _Moments:
    """First and second moments of two series in each bootstrap sample, [1 + draws] each."""

    mean_x: Floats
    mean_y: Floats
    slope: Floats
    correlation: Floats


def _moments(weights: Floats, x: Floats, y: Floats) -> _Moments:
    valid = np.isfinite(x) & np.isfinite(y)
    centre_x, centre_y = (float(np.mean(v[valid])) if valid.any() else 0.0 for v in (x, y))
    # Centred first, against loss of precision by cancellation.
    x, y = (np.where(valid, v - c, 0.0) for v, c in ((x, centre_x), (y, centre_y)))
    w = weights * valid
    with np.errstate(invalid="ignore", divide="ignore"):
        total = w.sum(-1)
        mean_x, mean_y = (w * x).sum(-1) / total, (w * y).sum(-1) / total
        var_x = (w * x * x).sum(-1) / total - mean_x**2
        var_y = (w * y * y).sum(-1) / total - mean_y**2
        covariance = (w * x * y).sum(-1) / total - mean_x * mean_y
        defined = ((w > 0).sum(-1) >= 3) & (var_x > 1e-15)
        slope = np.where(defined, covariance / var_x, np.nan)
        correlation = np.where(defined & (var_y > 1e-15), covariance / np.sqrt(var_x * var_y), np.nan)
    return _Moments(mean_x + centre_x, mean_y + centre_y, slope, correlation)


def _ranks(weights: Floats, values: Floats) -> Floats:
    """Ranks [1 + draws, clips] of values [clips] within each bootstrap sample."""
    levels, index = np.unique(np.where(np.isfinite(values), values, np.inf), return_inverse=True)
    indicator = np.zeros((len(values), len(levels)))
    indicator[np.arange(len(values)), index] = 1
    counts = weights @ indicator  # [1 + draws, levels]
    return np.asarray((np.cumsum(counts, 1) - counts / 2 + 0.5)[:, index])
