"""How predictions agree with human ratings: correlation, error, calibration, and what chance would reach.

`said` are predictions of several runs (seeds), [runs, clips, columns]; a statistic is computed for each run and
averaged, never the predictions, for the mean of networks is better than the network that ships. Albums are drawn for
the intervals, see resampling.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..common.arrays import Floats
from .bootstrap import DRAWS, Estimate, bootstrap_weights, fit_line, mean, pearson, percentile_interval


@dataclass(frozen=True)
class RegressionMetrics:
    """Of one rated quality, or of the mean over several. Errors are on the scale of the ratings, 0..1.

    slope, offset: rated = slope * predicted + offset; a calibrated prediction has 1 and 0. chance_r: r of
    predictions dealt to other albums, and the 95 percent of it. constant_rmse, constant_mae: errors of always saying
    the mean rating. r_of_runs: r of each run by itself.
    """

    clips: int
    r: Estimate
    rmse: Estimate
    mae: Estimate
    slope: Estimate
    offset: Estimate
    chance_r: Estimate
    constant_rmse: float
    constant_mae: float
    r_of_runs: tuple[float, ...]


def compute_metrics(
    said: Floats, rated: Floats, groups: Sequence[str], names: Sequence[str], *, seed: int
) -> dict[str, RegressionMetrics]:
    """Agreement of each column, and their `mean`; a column with fewer than three ratings is left out.

    said: [runs, clips, columns]; rated: [clips, columns], NaN where there is no rating; groups: the clips' albums.
    """
    judged = np.isfinite(rated) & np.isfinite(said[0])
    rows = np.flatnonzero(judged.any(1)).tolist()
    kept = np.flatnonzero(judged.sum(0) >= 3).tolist()
    if not kept:
        return {}
    albums = [groups[row] for row in rows]
    weights, deals = bootstrap_weights(albums, seed=seed), _deals(albums, seed=seed)
    columns = [_column(said[:, rows, c], rated[rows, c], weights, deals) for c in kept]
    together = {key: np.mean([column[key] for column in columns], axis=0) for key in columns[0]}
    found = {names[c]: _summary(column) for c, column in zip(kept, columns, strict=True)}
    return {**found, "mean": _summary(together)}


def _column(said: Floats, rated: Floats, weights: Floats, deals: Floats) -> dict[str, Floats]:
    """The statistics of one column, a row of draws each; `runs` has the r of each run."""
    correlations = np.array([pearson(weights, run, rated) for run in said])
    lines = [fit_line(weights, run, rated) for run in said]
    run = np.where(np.isfinite(said[0]), rated, np.nan)
    ones = np.ones(deals.shape)
    chance = pearson(ones, said[0][deals.astype(int)], rated[None].repeat(len(deals), 0))
    return {
        "clips": np.array(float(np.isfinite(run).sum())),
        "r": correlations.mean(0),
        "rmse": np.mean([np.sqrt(mean(weights, (one - rated) ** 2)) for one in said], axis=0),
        "mae": np.mean([mean(weights, np.abs(one - rated)) for one in said], axis=0),
        "slope": np.mean([slope for slope, _ in lines], axis=0),
        "offset": np.mean([offset for _, offset in lines], axis=0),
        "chance": chance,
        "constant_rmse": np.array(float(np.nanstd(run))),
        "constant_mae": np.array(float(np.nanmean(np.abs(run - np.nanmean(run))))),
        "runs": correlations[:, 0],
    }


def _summary(column: dict[str, Floats]) -> RegressionMetrics:
    return RegressionMetrics(
        clips=round(float(column["clips"])),
        r=percentile_interval(column["r"]),
        rmse=percentile_interval(column["rmse"]),
        mae=percentile_interval(column["mae"]),
        slope=percentile_interval(column["slope"]),
        offset=percentile_interval(column["offset"]),
        chance_r=percentile_interval(np.concatenate([[np.nanmean(column["chance"])], column["chance"]])),
        constant_rmse=float(column["constant_rmse"]),
        constant_mae=float(column["constant_mae"]),
        r_of_runs=tuple(float(r) for r in column["runs"]),
    )


def _deals(groups: Sequence[str], *, seed: int) -> Floats:
    """Which clip's prediction each clip gets when the albums are shuffled whole, [DRAWS, clips] of indices.

    The albums are laid end to end in a new order and read off in the old one; so clips of one album keep
    predictions of one album, and chance is not made to look smaller than it is.
    """
    rng = np.random.default_rng([seed, 1])
    members: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    lists = list(members.values())
    old = np.concatenate(lists)
    deals = np.empty((DRAWS, len(old)))
    for deal in deals:
        deal[old] = np.concatenate([lists[i] for i in rng.permutation(len(lists))])
    return deals


def column_correlations(said: npt.ArrayLike, rated: npt.ArrayLike) -> Floats:
    """Pearson r of each column, over the rows that are rated; NaN where fewer than three are."""
    a, b = np.asarray(said, float), np.asarray(rated, float)
    result = np.full(a.shape[1], np.nan)
    for column in range(a.shape[1]):
        rows = ~np.isnan(b[:, column])
        if rows.sum() >= 3:
            result[column] = np.corrcoef(a[rows, column], b[rows, column])[0, 1]
    return result
