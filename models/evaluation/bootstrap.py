"""Statistics of clips that are drawn again and again by whole groups: every number with its 95 percent interval.

Clips of one album (artist, piece) are no independent witnesses, so whole groups are drawn with replacement (the
cluster bootstrap, Efron & Tibshirani 1993, percentile interval). A draw is a row of weights: how often each clip was
drawn. Row 0 has all ones, so that the estimate itself is the first of its draws and every formula stands here once.
A clip that has no value (NaN) in either series does not count.

Shapes: weights [1 + draws, clips]; series [clips], or [1 + draws, clips] where they differ from draw to draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..common.arrays import Floats

DRAWS = 1000


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 percent interval."""

    value: float
    low: float
    high: float


def bootstrap_weights(groups: Sequence[str], *, seed: int, draws: int = DRAWS) -> Floats:
    """Weights [1 + draws, clips]: ones, then how often each clip is in a draw of as many groups as there are."""
    _, member = np.unique(np.asarray(groups, str), return_inverse=True)
    count = int(member.max()) + 1
    rng = np.random.default_rng(seed)
    often = rng.multinomial(count, np.full(count, 1 / count), size=draws)  # [draws, groups]
    return np.concatenate([np.ones((1, len(member))), often[:, member]]).astype(float)


def percentile_interval(values: Floats) -> Estimate:
    """The first of [1 + draws] values, and 2.5 and 97.5 percent of the others; NaN where none is defined."""
    others = values[1:][np.isfinite(values[1:])]
    low, high = np.percentile(others, [2.5, 97.5]) if len(others) else (np.nan, np.nan)
    return Estimate(float(values[0]), float(low), float(high))


def pearson(weights: Floats, a: Floats, b: Floats) -> Floats:
    """Correlation in each draw [1 + draws]; NaN where a series does not vary or fewer than three clips count."""
    return _moments(weights, a, b).correlation


def spearman(weights: Floats, a: Floats, b: Floats) -> Floats:
    """Rank correlation in each draw [1 + draws]; ties get the mean of their ranks. a, b: [clips]."""
    both = weights * (np.isfinite(a) & np.isfinite(b))
    return pearson(both, _ranks(both, a), _ranks(both, b))


def fit_line(weights: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Slope and offset of the least-squares line of y on x in each draw, [1 + draws] each."""
    m = _moments(weights, x, y)
    return m.slope, m.mean_y - m.slope * m.mean_x


def mean(weights: Floats, values: Floats) -> Floats:
    """Mean in each draw [1 + draws] of values [clips]."""
    counted = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights @ np.where(counted, values, 0.0)) / (weights @ counted.astype(float)))


@dataclass(frozen=True)
class _Moments:
    mean_x: Floats
    mean_y: Floats
    slope: Floats
    correlation: Floats


def _moments(weights: Floats, x: Floats, y: Floats) -> _Moments:
    counted = np.isfinite(x) & np.isfinite(y)
    centre_x, centre_y = (float(np.mean(v[counted])) if counted.any() else 0.0 for v in (x, y))
    x, y = (np.where(counted, v - c, 0.0) for v, c in ((x, centre_x), (y, centre_y)))  # centred: nothing cancels
    own = weights * counted
    with np.errstate(invalid="ignore", divide="ignore"):
        total = own.sum(-1)
        mean_x, mean_y = (own * x).sum(-1) / total, (own * y).sum(-1) / total
        var_x = (own * x * x).sum(-1) / total - mean_x**2
        var_y = (own * y * y).sum(-1) / total - mean_y**2
        shared = (own * x * y).sum(-1) / total - mean_x * mean_y
        enough = ((own > 0).sum(-1) >= 3) & (var_x > 1e-15)
        slope = np.where(enough, shared / var_x, np.nan)
        correlation = np.where(enough & (var_y > 1e-15), shared / np.sqrt(var_x * var_y), np.nan)
    return _Moments(mean_x + centre_x, mean_y + centre_y, slope, correlation)


def _ranks(weights: Floats, values: Floats) -> Floats:
    """Ranks [1 + draws, clips] of values [clips] among what each draw holds."""
    levels, place = np.unique(np.where(np.isfinite(values), values, np.inf), return_inverse=True)
    at = np.zeros((len(values), len(levels)))
    at[np.arange(len(values)), place] = 1
    often = weights @ at  # [1 + draws, levels]
    return np.asarray((np.cumsum(often, 1) - often / 2 + 0.5)[:, place])
