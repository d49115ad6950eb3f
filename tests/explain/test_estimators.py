"""The estimators on networks whose coefficients are known, and against each other on one where they are not."""

import dataclasses

import numpy as np
import pytest
import torch
from moodfader.engine.explain import expected_gradients, experimental_design, lime, local_regression
from moodfader.engine.explain.perturbation import (
    SegmentPerturber,
    cut_window,
    local_outputs,
    perturbation_per_db,
    perturbation_range,
)
from moodfader.engine.explain.segmentation import segment_spectrogram
from moodfader.models.common.constants import N_BANDS
from moodfader.models.training.settings import TrainingSettings
from moodfader.models.training.train import new_network
from scipy import stats
from torch import nn


@pytest.fixture(scope="module")
def picture():
    """A hundred and twenty frames with some structure, so that segments are not all alike."""
    rng = np.random.default_rng(4)
    rough = rng.random((24, 15)).repeat(5, 0).repeat(10, 1)[:, :N_BANDS]
    return (rough + 0.2 * rng.random(rough.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def labels(picture):
    return segment_spectrogram(picture)


@pytest.fixture(scope="module")
def trunk_model(random_model):
    """A network whose outputs all see little."""
    network = new_network(TrainingSettings(architecture="small", seed=5)).eval().requires_grad_(False)
    return dataclasses.replace(random_model, network=network)


@pytest.fixture(scope="module")
def linear_model(random_model):
    """A network of a trunk alone, without its rectifiers: its prediction is linear in the spectrogram."""
    network = new_network(TrainingSettings(architecture="small", seed=5)).eval().requires_grad_(False)
    network.trunk = nn.Sequential(*(nn.Identity() if isinstance(m, nn.ReLU) else m for m in network.trunk))
    return dataclasses.replace(random_model, network=network)


def stretch_of(picture, labels, model):
    return cut_window(picture, labels, model, 0, model.network.geometry.positions(len(picture)))


@pytest.mark.parametrize("estimator", [lime, local_regression, expected_gradients])
@pytest.mark.parametrize("perturbation", ["hide", "gain"])
def test_known_coefficients_of_a_linear_network(picture, labels, linear_model, estimator, perturbation):
    """There the effect of a bit is what one change alone does, whatever else is on or off."""
    stretch = stretch_of(picture, labels, linear_model)
    if perturbation == "hide":
        changes = [np.where(labels == s, picture, 0) for s in stretch.segments]
    else:
        on, off = perturbation_range(torch.from_numpy(picture), "gain")
        changes = [np.where(labels == s, (on - off).numpy(), 0) for s in stretch.segments]
    with torch.inference_mode():
        silence = linear_model.network(torch.zeros(1, *picture.shape))[0][0].numpy()
        truth = [linear_model.network(torch.from_numpy(c)[None])[0][0].numpy() - silence for c in changes]
    passes = 4 * len(changes) + 64
    effects = estimator.explain_window(
        stretch, linear_model, passes=passes, perturbation=perturbation, rng=np.random.default_rng(0)
    )
    size = np.abs(truth).max()
    # LIME's ridge of 1 shrinks its weights by about 4 / (samples * kernel weight)
    tolerance = 0.06 if estimator is lime else 1e-4
    np.testing.assert_allclose(effects.weights, truth, atol=tolerance * size)
    assert (1 - effects.residual_var / effects.total_var > (0.99 if estimator is lime else 0.9999)).all()


def test_local_and_plain_lime_estimate_the_same(picture, labels, trunk_model):
    """On a rectified network: their differences are as large as their standard errors say, no larger."""
    stretch = stretch_of(picture, labels, trunk_model)
    runs = {
        estimator: estimator.explain_window(
            stretch, trunk_model, passes=passes, perturbation="hide", rng=np.random.default_rng(seed)
        )
        for estimator, passes, seed in ((local_regression, 2048, 1), (lime, 6000, 2))
    }
    one, other = runs.values()
    z = (one.weights - other.weights) / np.sqrt(one.variances + other.variances)
    assert 0.8 < z.std() < 1.25
    assert np.abs(z).max() < 5
    assert one.variances.mean() < other.variances.mean() / 3, "fewer passes and yet less noise"


def test_slopes_add_up_to_what_whole_turns_do(picture, labels, random_model):
    """A slow reference: a segment turned from end to end, all others at random places, many times over."""
    stretch = stretch_of(picture, labels, random_model)
    effects = expected_gradients.explain_window(
        stretch, random_model, passes=1600, perturbation="hide", rng=np.random.default_rng(3)
    )
    bench = SegmentPerturber(stretch, random_model, "hide")
    strongest = np.argsort(-np.abs(effects.weights).max(1))[:4]
    places = np.random.default_rng(4).random((200, len(stretch.segments)))
    with torch.inference_mode():
        for s in strongest:
            ends = []
            for end in (1.0, 0.0):
                turned = places.copy()
                turned[:, s] = end
                ends.append(random_model.network.local(bench.perturb(turned)).mean((2, 3)).numpy())
            turns = ends[0] - ends[1]
            error = np.sqrt(turns.var(0) / len(turns) + effects.variances[s])
            assert (np.abs(turns.mean(0) - effects.weights[s]) < 4.5 * error).all()


def test_slopes_and_differences_agree(picture, labels, random_model):
    """Where others are, between their ends or at them, matters little for what a segment does."""
    stretch = stretch_of(picture, labels, random_model)
    slopes, differences = (
        estimator.explain_window(
            stretch, random_model, passes=passes, perturbation="gain", rng=np.random.default_rng(1)
        ).weights
        for estimator, passes in ((expected_gradients, 640), (local_regression, 2048))
    )
    for one, other in zip(slopes.T, differences.T, strict=True):
        assert np.corrcoef(one, other)[0, 1] > 0.98
        assert np.polyfit(one, other, 1)[0] == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    ("estimator", "passes", "least"), [(local_regression, 512, 0.8), (expected_gradients, 512, 0.5)]
)
def test_standard_errors_tell_how_far_two_seeds_differ(picture, labels, random_model, estimator, passes, least):
    """Those of slopes are cautious: the balance of the plan, which makes them smaller, is not counted in."""
    stretch = stretch_of(picture, labels, random_model)
    one, other = (
        estimator.explain_window(
            stretch, random_model, passes=passes, perturbation="gain", rng=np.random.default_rng(seed)
        )
        for seed in (1, 2)
    )
    z = (one.weights - other.weights) / np.sqrt(one.variances + other.variances)
    assert least < z.std() < 1.2


@pytest.mark.parametrize("estimator", [lime, local_regression])
def test_p_values_of_segments_that_do_nothing_are_uniform(picture, labels, random_model, estimator):
    """A third of the segments are silent: hiding them changes nothing, and what is measured of them is noise."""
    silent = np.unique(labels)[::3]
    quiet = np.where(np.isin(labels, silent), 0, picture).astype(np.float32)
    stretch = stretch_of(quiet, labels, random_model)
    found = []
    for seed in range(6):
        effects = estimator.explain_window(
            stretch, random_model, passes=512, perturbation="hide", rng=np.random.default_rng(seed)
        )
        found.append(lime.p_values(effects.ols_weights, effects.variances, effects.dof)[silent])
    p = np.concatenate(found)
    for feature in range(7):
        assert stats.kstest(p[:, feature], "uniform").pvalue > 1e-3
    assert 0.02 < (p < 0.05).mean() < 0.09


def test_a_silent_segment_has_no_slope(picture, labels, random_model):
    silent = np.unique(labels)[::3]
    quiet = np.where(np.isin(labels, silent), 0, picture).astype(np.float32)
    effects = expected_gradients.explain_window(
        stretch_of(quiet, labels, random_model),
        random_model,
        passes=320,
        perturbation="hide",
        rng=np.random.default_rng(0),
    )
    assert (effects.weights[silent] == 0).all()
    assert (lime.p_values(effects.ols_weights, effects.variances, effects.dof)[silent] == 1).all()


def test_the_design_is_balanced_and_orthogonal():
    """For as many segments as there are columns; what is never regressed together may share one."""
    rng = np.random.default_rng(2)
    signs = 2.0 * local_regression.hadamard_design(60, np.ones((59, 59), bool), rng) - 1
    np.testing.assert_array_equal(signs.T @ signs, 60 * np.eye(59))
    np.testing.assert_array_equal(signs.sum(0) ** 2, np.zeros(59))
    chain = np.abs(np.subtract.outer(np.arange(300), np.arange(300))) < 10
    signs = 2.0 * local_regression.hadamard_design(64, chain, rng) - 1
    products = signs[:60].T @ signs[:60]
    assert signs.shape == (64, 300)
    assert np.abs(products[chain & ~np.eye(300, dtype=bool)]).max() < 40


def test_what_is_seen_together_is_balanced():
    """Signs of segments in one place are orthogonal as long as there are columns; far ones share them."""
    rng = np.random.default_rng(2)
    seen = np.zeros((100, 1, 300), bool)
    for time in range(100):
        seen[time, 0, 3 * time : 3 * time + 12] = True
    signs = 2.0 * experimental_design.balanced_signs(36, seen, rng, context=False) - 1
    assert signs.shape == (36, 300)
    products = signs.T @ signs
    flat = seen[:, 0].astype(float)
    together = (flat.T @ flat > 0) & ~np.eye(300, dtype=bool)
    # 32 rows are Paley's, four are coins
    assert np.abs(products[together]).max() <= 4
    assert np.abs(signs.sum(0)).max() <= 4


def test_sight_is_what_the_gradient_sees(picture, labels, random_model):
    """Segments that an output is said not to see change nothing in it when they are hidden."""
    stretch = stretch_of(picture, labels, random_model)
    seen = experimental_design.visible_segments(stretch, random_model.network.geometry)
    bits = np.ones((2, len(stretch.segments)), bool)
    for s in range(0, len(stretch.segments), 7):
        bits[1] = True
        bits[1, s] = False
        one, other = next(local_outputs(stretch, bits, random_model, "hide"))
        changed = np.abs(one - other).max(0) > 1e-6
        assert changed.any()
        assert not (changed & ~seen[:, :, s]).any()


def test_response_to_a_gain(picture, labels):
    assert perturbation_per_db(picture, labels, "gain") == pytest.approx(1 / 12)
    hidden = perturbation_per_db(picture, labels, "hide")
    # a log magnitude of 1 is an x of 9: 1 dB more is log10(1 + 9 * 1.122) - 1 = 0.045 of it
    flat = perturbation_per_db(np.ones_like(picture), labels, "hide")
    assert flat == pytest.approx(0.045, abs=0.002)
    assert (hidden > 0).all()
