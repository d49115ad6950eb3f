"""What the features say of music of known qualities, and of series of pieces in which one quality alone is turned.

Within a series everything but one quality is the same, so the slope of a prediction over the series is its answer to
that quality and to nothing else; the matrix of these slopes is what a listener of the network would want to be
diagonal. Over all series of a quality together, everything else varies at random: that is the harder question.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..common.arrays import Floats
from ..common.constants import MIDLEVEL
from .bootstrap import Estimate, bootstrap_weights, mean, pearson, percentile_interval, spearman


@dataclass(frozen=True)
class SweepResponse:
    """What happens while one quality is turned.

    pooled: Spearman's rho of its feature with the quality over all clips of its series; within: mean rho of the
    series. slopes: of each of the seven features [7], change of the prediction from quality 0 to 1 with the rest
    held; slopes_in_sd: the same in standard deviations of that feature over all clips of all series.
    """

    clips: int
    series: int
    rho_pooled: Estimate
    rho_within: Estimate
    slopes: dict[str, Estimate]
    slopes_in_sd: dict[str, float]


def label_correlations(said: Floats, known: Floats, groups: Sequence[str], *, seed: int) -> dict[str, Estimate]:
    """Pearson r of each feature with the known quality. said: [runs, clips, 7]; known: [clips, 7]."""
    weights = bootstrap_weights(groups, seed=seed)
    found = {}
    for column, name in enumerate(MIDLEVEL):
        if (np.isfinite(known[:, column]) & np.isfinite(said[0, :, column])).sum() >= 3:
            runs = [pearson(weights, run[:, column], known[:, column]) for run in said]
            found[name] = percentile_interval(np.mean(runs, axis=0))
    return found


def sweep_responses(
    said: Floats,
    known: Floats,
    qualities: Sequence[str],
    series: Sequence[str],
    groups: Sequence[str],
    *,
    seed: int,
) -> dict[str, SweepResponse]:
    """By quality that is turned. qualities, series: of each clip, empty for clips that belong to no series.

    groups: what is drawn whole for the intervals, the series themselves or more (all those of one score).
    """
    turned = np.array([bool(quality) for quality in qualities])
    if not turned.any():
        return {}
    spread = np.nanmean([run[turned].std(0) for run in said], axis=0)  # [7]
    found = {}
    for column, quality in enumerate(MIDLEVEL):
        rows = np.array([i for i, q in enumerate(qualities) if q == quality], int)
        names = np.array([series[i] for i in rows])
        if len(set(names)) >= 2:
            weights = bootstrap_weights([groups[row] for row in rows], seed=seed)
            found[quality] = _turning(said[:, rows], known[rows, column], names.tolist(), column, spread, weights)
    return found


def _turning(
    said: Floats, value: Floats, series: list[str], column: int, spread: Floats, weights: Floats
) -> SweepResponse:
    one_each, rows_of = _series_weights(weights, series)
    pooled = np.mean([spearman(weights, run[:, column], value) for run in said], axis=0)
    within = [[_rho(run[rows, column], value[rows]) for rows in rows_of] for run in said]
    slopes = [[_slopes(run[rows], value[rows]) for rows in rows_of] for run in said]  # [runs][series][7]
    mean_slopes = np.mean(slopes, axis=0)  # [series, 7]
    return SweepResponse(
        clips=len(value),
        series=len(rows_of),
        rho_pooled=percentile_interval(pooled),
        rho_within=percentile_interval(mean(one_each, np.mean(within, axis=0))),
        slopes={name: percentile_interval(mean(one_each, mean_slopes[:, i])) for i, name in enumerate(MIDLEVEL)},
        slopes_in_sd={
            name: float(mean_slopes[:, i].mean() / max(spread[i], 1e-9)) for i, name in enumerate(MIDLEVEL)
        },
    )


def _series_weights(weights: Floats, series: list[str]) -> tuple[Floats, list[list[int]]]:
    """The same draws with one column a series [1 + draws, series], and the rows of each series."""
    rows: dict[str, list[int]] = {}
    for index, name in enumerate(series):
        rows.setdefault(name, []).append(index)
    return weights[:, [own[0] for own in rows.values()]], list(rows.values())


def _rho(said: Floats, value: Floats) -> float:
    """Spearman's rho within a series; a prediction that does not move has none of the order: 0."""
    rho = float(spearman(np.ones((1, len(value))), said, value)[0])
    return rho if np.isfinite(rho) else 0.0


def _slopes(said: Floats, value: Floats) -> Floats:
    """Least-squares slope of each column of said [clips, 7] on value [clips]."""
    centred = value - value.mean()
    return np.asarray(centred @ (said - said.mean(0)) / (centred @ centred))
