"""Statistics with intervals: equal to scipy's where it has them, and to a slow loop where it has not."""

import numpy as np
import pytest
from moodfader.models.evaluation.bootstrap import (
    bootstrap_weights,
    fit_line,
    mean,
    pearson,
    percentile_interval,
    spearman,
)
from moodfader.models.evaluation.metrics import compute_metrics
from scipy import stats


@pytest.fixture
def series():
    rng = np.random.default_rng(1)
    a = rng.normal(size=40)
    b = np.round(a + rng.normal(size=40), 1)  # with ties
    b[3] = np.nan
    return a, b, [str(i // 3) for i in range(40)]


def repeated(weights, *values):
    """The clips of a draw, written out."""
    often = weights.astype(int)
    return [np.repeat(v, often) for v in values]


def test_every_draw_is_what_a_loop_over_its_clips_finds(series):
    a, b, groups = series
    weights = bootstrap_weights(groups, seed=2, draws=20)
    counted = np.isfinite(b)
    for row in range(21):
        x, y = repeated(weights[row, counted], a[counted], b[counted])
        assert pearson(weights, a, b)[row] == pytest.approx(stats.pearsonr(x, y).statistic)
        assert spearman(weights, a, b)[row] == pytest.approx(stats.spearmanr(x, y).statistic)
        slope, offset = fit_line(weights, a, b)
        assert (slope[row], offset[row]) == pytest.approx(tuple(np.polyfit(x, y, 1)))
        assert mean(weights, b)[row] == pytest.approx(y.mean())


def test_whole_groups_are_drawn(series):
    groups = series[2]
    weights = bootstrap_weights(groups, seed=0, draws=50)
    assert (weights[0] == 1).all()
    for group in set(groups):
        own = weights[:, [g == group for g in groups]]
        assert (own == own[:, :1]).all()
    first = weights[:, [groups.index(group) for group in sorted(set(groups))]]
    assert (first.sum(1) == len(set(groups))).all()
    np.testing.assert_array_equal(weights, bootstrap_weights(groups, seed=0, draws=50))


def test_what_is_not_defined_is_no_number():
    weights = bootstrap_weights(["a", "b", "c"], seed=0)
    flat = np.ones(3)
    found = percentile_interval(pearson(weights, flat, np.arange(3.0)))
    assert np.isnan([found.value, found.low, found.high]).all()
    two = np.array([1.0, 2.0, np.nan])
    assert np.isnan(pearson(weights, two, np.arange(3.0))[0])


def test_the_interval_holds_the_truth_and_narrows_with_more_albums():
    rng = np.random.default_rng(2)

    def found(count):
        truth = rng.normal(size=(count, 8))
        predicted = truth + rng.normal(size=truth.shape)
        return compute_metrics(predicted[None], truth, [str(i // 3) for i in range(count)], list("abcdefgh"), seed=0)[
            "mean"
        ]

    small, large = found(60), found(600)
    for one in (small, large):
        assert one.r.low < np.sqrt(0.5) < one.r.high
    assert large.r.high - large.r.low < small.r.high - small.r.low


def test_agreement_of_a_prediction_that_is_shifted_and_squeezed():
    rng = np.random.default_rng(0)
    rated = rng.uniform(0, 1, (120, 2))
    rated[:, 1] = np.nan
    predicted = 0.5 * rated + 0.1
    found = compute_metrics(
        np.stack([predicted, predicted]), rated, [str(i // 2) for i in range(120)], ["happy", "sad"], seed=3
    )
    assert set(found) == {"happy", "mean"}, "what nobody rated is left out"
    happy = found["happy"]
    assert happy.r.value == pytest.approx(1)
    assert (happy.slope.value, happy.offset.value) == pytest.approx((2, -0.2))
    assert happy.rmse.value == pytest.approx(np.sqrt(np.mean((predicted[:, 0] - rated[:, 0]) ** 2)))
    assert happy.mae.value == pytest.approx(np.abs(predicted[:, 0] - rated[:, 0]).mean())
    assert happy.constant_rmse == pytest.approx(rated[:, 0].std())
    assert happy.chance_r.low < 0 < happy.chance_r.high
    assert abs(happy.chance_r.value) < 0.03
    assert happy.r_of_runs == pytest.approx((1, 1))


def test_chance_keeps_albums_whole():
    """Where all clips of an album are alike, dealing clips one by one would make chance look too small."""
    rng = np.random.default_rng(5)
    album = np.repeat(np.arange(12), 10)
    level = rng.normal(size=12)[album][:, None]
    whole = compute_metrics(level[None], level, [str(a) for a in album], ["x"], seed=0)["x"].chance_r
    apart = compute_metrics(level[None], level, [str(i) for i in range(120)], ["x"], seed=0)["x"].chance_r
    assert whole.high - whole.low > 2 * (apart.high - apart.low)


def test_what_is_rated_alike_for_all_clips_correlates_with_nothing_and_is_left_out():
    rng = np.random.default_rng(0)
    rated = rng.uniform(0, 1, (12, 3))
    rated[:, 1] = 0.5
    found = compute_metrics(rated[None] + 0.1, rated, [str(i) for i in range(12)], list("abc"), seed=0)
    assert set(found) == {"a", "c", "mean"}
    assert found["mean"].r.value == pytest.approx(1)
    assert not compute_metrics(rated[None], np.full((12, 3), 0.5), ["one"] * 12, list("abc"), seed=0)
