"""Response of the predicted features to synthetic music: correlation with the labels, and parameter sweeps.

Within a sweep everything but one generator parameter is constant, so the slope of a prediction over it is its
response to that parameter alone; ideally the matrix of these slopes is diagonal. Pooled over all sweeps of a
parameter, everything else varies at random, which is the harder test.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..common.arrays import Floats
from ..common.constants import MIDLEVEL
from .bootstrap import Estimate, bootstrap_weights, mean, pearson, percentile_interval, spearman


@dataclass(frozen=True)
class SweepResponse:
    """Response of the seven features to the sweeps of one parameter.

    Attributes
    ----------
    clips, series
        Number of clips and of sweeps.
    pooled
        Spearman's rho of the parameter and its feature over all clips.
    within
        Mean of Spearman's rho within each sweep.
    slopes
        By feature: mean change of the prediction while the parameter goes from 0 to 1.
    slopes_in_sd
        The same in standard deviations of the feature over the clips of all sweeps.
    """

    clips: int
    series: int
    pooled: Estimate
    within: Estimate
    slopes: dict[str, Estimate]
    slopes_in_sd: dict[str, float]


def label_correlations(
    predictions: Floats, labels: Floats, groups: Sequence[str], *, seed: int
) -> dict[str, Estimate]:
    """Pearson correlation of each feature with its label.

    Parameters
    ----------
    predictions
        Mid-level features [runs, clips, 7]; correlations are averaged over the runs.
    labels
        Generator parameters [clips, 7].
    groups
        Group of each clip, for the bootstrap.
    seed
        Of the bootstrap.

    Returns
    -------
    dict of str to Estimate
        By feature; those with fewer than three labelled clips are left out.
    """
    weights = bootstrap_weights(groups, seed=seed)
    results = {}
    for column, name in enumerate(MIDLEVEL):
        if (np.isfinite(labels[:, column]) & np.isfinite(predictions[0, :, column])).sum() >= 3:
            runs = [pearson(weights, run[:, column], labels[:, column]) for run in predictions]
            results[name] = percentile_interval(np.mean(runs, axis=0))
    return results


def sweep_responses(
    predictions: Floats,
    labels: Floats,
    qualities: Sequence[str],
    series: Sequence[str],
    groups: Sequence[str],
    *,
    seed: int,
) -> dict[str, SweepResponse]:
    """Compute the response to the sweeps of each parameter.

    Parameters
    ----------
    predictions
        Mid-level features [runs, clips, 7]; results are averaged over the runs.
    labels
        Generator parameters [clips, 7].
    qualities
        The parameter that changes in the sweep of each clip; empty for clips of no sweep.
    series
        Name of the sweep of each clip; empty for clips of no sweep.
    groups
        What the bootstrap draws: the sweeps, or larger groups (all sweeps made from one score).
    seed
        Of the bootstrap.

    Returns
    -------
    dict of str to SweepResponse
        By parameter; those with fewer than two sweeps are left out.
    """
    in_sweep = np.array([bool(quality) for quality in qualities])
    if not in_sweep.any():
        return {}
    sd = np.nanmean([run[in_sweep].std(0) for run in predictions], axis=0)  # [7]
    results = {}
    for column, quality in enumerate(MIDLEVEL):
        rows = np.array([i for i, q in enumerate(qualities) if q == quality], int)
        names = np.array([series[i] for i in rows])
        if len(set(names)) >= 2:
            weights = bootstrap_weights([groups[row] for row in rows], seed=seed)
            results[quality] = _response(
                predictions[:, rows], labels[rows, column], names.tolist(), column, sd, weights
            )
    return results


def _response(
    predictions: Floats, values: Floats, series: list[str], column: int, sd: Floats, weights: Floats
) -> SweepResponse:
    """Response to the sweeps of the parameter `column`, whose values are [clips]."""
    sweep_weights, rows_by_sweep = _by_sweep(weights, series)
    pooled = np.mean([spearman(weights, run[:, column], values) for run in predictions], axis=0)
    within = [[_rho(run[rows, column], values[rows]) for rows in rows_by_sweep] for run in predictions]
    slopes = [[_slopes(run[rows], values[rows]) for rows in rows_by_sweep] for run in predictions]
    mean_slopes = np.mean(slopes, axis=0)  # [sweeps, 7]
    return SweepResponse(
        clips=len(values),
        series=len(rows_by_sweep),
        pooled=percentile_interval(pooled),
        within=percentile_interval(mean(sweep_weights, np.mean(within, axis=0))),
        slopes={name: percentile_interval(mean(sweep_weights, mean_slopes[:, i])) for i, name in enumerate(MIDLEVEL)},
        slopes_in_sd={name: float(mean_slopes[:, i].mean() / max(sd[i], 1e-9)) for i, name in enumerate(MIDLEVEL)},
    )


def _by_sweep(weights: Floats, series: list[str]) -> tuple[Floats, list[list[int]]]:
    """The bootstrap weights of the sweeps [1 + draws, sweeps], and the rows of each."""
    rows: dict[str, list[int]] = {}
    for index, name in enumerate(series):
        rows.setdefault(name, []).append(index)
    return weights[:, [sweep_rows[0] for sweep_rows in rows.values()]], list(rows.values())


def _rho(predictions: Floats, values: Floats) -> float:
    """Spearman's rho within one sweep; 0 where the prediction is constant."""
    rho = float(spearman(np.ones((1, len(values))), predictions, values)[0])
    return rho if np.isfinite(rho) else 0.0


def _slopes(predictions: Floats, values: Floats) -> Floats:
    """Least-squares slope of each column of predictions [clips, 7] on values [clips]."""
    centred = values - values.mean()
    return np.asarray(centred @ (predictions - predictions.mean(0)) / (centred @ centred))
