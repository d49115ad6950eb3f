"""Regression metrics of predictions against human ratings: correlation, errors, calibration, chance level.

Predictions are those of several runs (seeds), [runs, clips, columns]. Metrics are computed for each run and averaged
over the runs, not computed from averaged predictions: an ensemble is better than the single network that is shipped.
Intervals are those of a cluster bootstrap over albums (`bootstrap.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..common.arrays import Floats
from .bootstrap import DRAWS, Estimate, bootstrap_weights, fit_line, mean, pearson, percentile_interval


@dataclass(frozen=True)
class RegressionMetrics:
    """Regression metrics of one rated quantity, or their mean over several.

    Errors are on the scale of the ratings, 0..1.

    Attributes
    ----------
    clips
        Number of rated clips.
    r, rmse, mae
        Pearson correlation, root mean squared error, mean absolute error.
    slope, offset
        Calibration: rating = slope * prediction + offset; a calibrated prediction has 1 and 0.
    chance_r
        Correlation after predictions are permuted between albums: mean and 95 percent interval.
    constant_rmse, constant_mae
        Errors of predicting the mean rating for every clip.
    r_of_runs
        Correlation of each run.
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
    predictions: Floats, rated: Floats, groups: Sequence[str], names: Sequence[str], *, seed: int
) -> dict[str, RegressionMetrics]:
    """Compute the metrics of each column and their mean.

    Parameters
    ----------
    predictions
        [runs, clips, columns].
    rated
        [clips, columns], NaN where there is no rating.
    groups
        Album of each clip.
    names
        Name of each column.
    seed
        Of the bootstrap and the permutations.

    Returns
    -------
    dict of str to RegressionMetrics
        By name of the column, and `mean`; columns with fewer than three ratings are left out, and those with the same
        rating for all clips, which nothing correlates with.
    """
    valid = np.isfinite(rated) & np.isfinite(predictions[0])
    rows = np.flatnonzero(valid.any(1)).tolist()
    differ = ratings_differ(np.where(valid, rated, np.nan))
    columns = np.flatnonzero((valid.sum(0) >= 3) & differ).tolist()
    if not columns:
        return {}
    albums = [groups[row] for row in rows]
    weights, permutations = bootstrap_weights(albums, seed=seed), _album_permutations(albums, seed=seed)
    metrics = [_column_metrics(predictions[:, rows, c], rated[rows, c], weights, permutations) for c in columns]
    mean_metrics = {key: np.mean([column[key] for column in metrics], axis=0) for key in metrics[0]}
    results = {names[c]: _summary(column) for c, column in zip(columns, metrics, strict=True)}
    return {**results, "mean": _summary(mean_metrics)}


def _column_metrics(predictions: Floats, rated: Floats, weights: Floats, permutations: Floats) -> dict[str, Floats]:
    """Bootstrap distributions [1 + draws] of the metrics of one column; `runs` is the correlation of each run."""
    r = np.array([pearson(weights, run, rated) for run in predictions])
    lines = [fit_line(weights, run, rated) for run in predictions]
    valid_ratings = np.where(np.isfinite(predictions[0]), rated, np.nan)
    ones = np.ones(permutations.shape)
    chance = pearson(ones, predictions[0][permutations.astype(int)], rated[None].repeat(len(permutations), 0))
    return {
        "clips": np.array(float(np.isfinite(valid_ratings).sum())),
        "r": r.mean(0),
        "rmse": np.mean([np.sqrt(mean(weights, (run - rated) ** 2)) for run in predictions], axis=0),
        "mae": np.mean([mean(weights, np.abs(run - rated)) for run in predictions], axis=0),
        "slope": np.mean([slope for slope, _ in lines], axis=0),
        "offset": np.mean([offset for _, offset in lines], axis=0),
        "chance": chance,
        "constant_rmse": np.array(float(np.nanstd(valid_ratings))),
        "constant_mae": np.array(float(np.nanmean(np.abs(valid_ratings - np.nanmean(valid_ratings))))),
        "runs": r[:, 0],
    }


def _mean(values: Floats) -> float:
    """Mean of those that are numbers; NaN where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _summary(column: dict[str, Floats]) -> RegressionMetrics:
    """The metrics of a column with their intervals."""
    return RegressionMetrics(
        clips=round(float(column["clips"])),
        r=percentile_interval(column["r"]),
        rmse=percentile_interval(column["rmse"]),
        mae=percentile_interval(column["mae"]),
        slope=percentile_interval(column["slope"]),
        offset=percentile_interval(column["offset"]),
        chance_r=percentile_interval(np.concatenate([[_mean(column["chance"])], column["chance"]])),
        constant_rmse=float(column["constant_rmse"]),
        constant_mae=float(column["constant_mae"]),
        r_of_runs=tuple(float(r) for r in column["runs"]),
    )


def _album_permutations(groups: Sequence[str], *, seed: int) -> Floats:
    """Permutations of the clips that keep albums together, [DRAWS, clips] of indices.

    The albums are concatenated in a random order and read in the original one. So the clips of one album get the
    predictions of few albums, and the chance level includes the similarity within albums.
    """
    rng = np.random.default_rng([seed, 1])
    members: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    lists = list(members.values())
    order = np.concatenate(lists)
    permutations = np.empty((DRAWS, len(order)))
    for permutation in permutations:
        permutation[order] = np.concatenate([lists[i] for i in rng.permutation(len(lists))])
    return permutations


def ratings_differ(rated: Floats) -> npt.NDArray[np.bool_]:
    """Whether a column's ratings [clips, columns], NaN where there is none, are not all the same: [columns]."""
    known = [column[np.isfinite(column)] for column in rated.T]
    return np.array([ratings.size > 0 and np.ptp(ratings) > 0 for ratings in known], bool)


def column_correlations(predictions: npt.ArrayLike, rated: npt.ArrayLike) -> Floats:
    """Pearson correlation of each column.

    Parameters
    ----------
    predictions
        [clips, columns].
    rated
        [clips, columns], NaN where there is no rating.

    Returns
    -------
    numpy.ndarray
        [columns]; NaN where fewer than three clips are rated, 0 where either is the same for all.
    """
    a, b = np.asarray(predictions, float), np.asarray(rated, float)
    result = np.full(a.shape[1], np.nan)
    for column in range(a.shape[1]):
        rows = ~np.isnan(b[:, column])
        if rows.sum() >= 3:
            varies = np.ptp(a[rows, column]) > 0 and np.ptp(b[rows, column]) > 0
            result[column] = np.corrcoef(a[rows, column], b[rows, column])[0, 1] if varies else 0.0
    return result
