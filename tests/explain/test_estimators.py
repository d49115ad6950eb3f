"""The estimators on a linear network, whose effects are known, and against each other on nonlinear ones."""

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


@pytest.fixture(scope="module")
def spectrogram():
    """[120, N_BANDS]: longer than a receptive field, so that an output does not see a segment twice (edges wrap)."""
    rng = np.random.default_rng(4)
    rough = rng.random((24, 15)).repeat(5, 0).repeat(10, 1)[:, :N_BANDS]
    return (rough + 0.2 * rng.random(rough.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def labels(spectrogram):
    return segment_spectrogram(spectrogram)


@pytest.fixture(scope="module")
def trunk_model(random_model):
    """A network without a context branch: every output has a small receptive field."""
    network = new_network(TrainingSettings(architecture="small", seed=5)).eval().requires_grad_(False)
    return dataclasses.replace(random_model, network=network)


def window_of(spectrogram, labels, model):
    return cut_window(spectrogram, labels, model, 0, model.network.geometry.positions(len(spectrogram)))


@pytest.mark.parametrize("estimator", [lime, local_regression, expected_gradients])
@pytest.mark.parametrize("perturbation", ["hide", "gain"])
def test_known_coefficients_of_a_linear_network(spectrogram, labels, linear_model, estimator, perturbation):
    """There the effect of a segment does not depend on the others."""
    window = window_of(spectrogram, labels, linear_model)
    if perturbation == "hide":
        changes = [np.where(labels == s, spectrogram, 0) for s in window.segments]
    else:
        on, off = perturbation_range(torch.from_numpy(spectrogram), "gain")
        changes = [np.where(labels == s, (on - off).numpy(), 0) for s in window.segments]
    with torch.inference_mode():
        silence = linear_model.network(torch.zeros(1, *spectrogram.shape))[0][0].numpy()
        truth = [linear_model.network(torch.from_numpy(c)[None])[0][0].numpy() - silence for c in changes]
    passes = 4 * len(changes) + 64
    effects = estimator.explain_window(
        window, linear_model, passes=passes, perturbation=perturbation, rng=np.random.default_rng(0)
    )
    size = np.abs(truth).max()
    # LIME's ridge of 1 shrinks its weights by about 4 / (samples * kernel weight)
    tolerance = 0.06 if estimator is lime else 1e-4
    np.testing.assert_allclose(effects.weights, truth, atol=tolerance * size)
    assert (1 - effects.residual_var / effects.total_var > (0.99 if estimator is lime else 0.9999)).all()


@pytest.mark.slow
def test_local_and_plain_lime_estimate_the_same(spectrogram, labels, trunk_model):
    """On a network with ReLUs, their differences are as large as their standard errors predict."""
    window = window_of(spectrogram, labels, trunk_model)
    runs = {
        estimator: estimator.explain_window(
            window, trunk_model, passes=passes, perturbation="hide", rng=np.random.default_rng(seed)
        )
        for estimator, passes, seed in ((local_regression, 2048, 1), (lime, 6000, 2))
    }
    first, second = runs.values()
    z = (first.weights - second.weights) / np.sqrt(first.variances + second.variances)
    assert 0.8 < z.std() < 1.25
    assert np.abs(z).max() < 5
    assert first.variances.mean() < second.variances.mean() / 3, "fewer passes and yet less noise"


def test_mean_derivatives_equal_the_effect_of_the_whole_range(spectrogram, labels, random_model):
    """A slow reference: one segment from off to on, all others at random t, many times."""
    window = window_of(spectrogram, labels, random_model)
    effects = expected_gradients.explain_window(
        window, random_model, passes=1600, perturbation="hide", rng=np.random.default_rng(3)
    )
    perturber = SegmentPerturber(window, random_model, "hide")
    strongest = np.argsort(-np.abs(effects.weights).max(1))[:4]
    t = np.random.default_rng(4).random((100, len(window.segments)))
    with torch.inference_mode():
        for s in strongest:
            ends = []
            for end in (1.0, 0.0):
                changed_t = t.copy()
                changed_t[:, s] = end
                ends.append(random_model.network.local(perturber.perturb(changed_t)).mean((2, 3)).numpy())
            differences = ends[0] - ends[1]
            error = np.sqrt(differences.var(0) / len(differences) + effects.variances[s])
            assert (np.abs(differences.mean(0) - effects.weights[s]) < 4.5 * error).all()


def test_expected_gradients_and_local_regression_agree(spectrogram, labels, random_model):
    """The effect of a segment hardly depends on whether the others are between their ends or at them."""
    window = window_of(spectrogram, labels, random_model)
    gradients, regression = (
        estimator.explain_window(
            window, random_model, passes=passes, perturbation="gain", rng=np.random.default_rng(1)
        ).weights
        for estimator, passes in ((expected_gradients, 640), (local_regression, 2048))
    )
    for first, second in zip(gradients.T, regression.T, strict=True):
        assert np.corrcoef(first, second)[0, 1] > 0.98
        assert np.polyfit(first, second, 1)[0] == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    ("estimator", "passes", "least"), [(local_regression, 512, 0.8), (expected_gradients, 512, 0.5)]
)
def test_standard_errors_predict_the_difference_of_two_seeds(
    spectrogram, labels, random_model, estimator, passes, least
):
    """Those of expected gradients are conservative: they ignore that the design is balanced."""
    window = window_of(spectrogram, labels, random_model)
    first, second = (
        estimator.explain_window(
            window, random_model, passes=passes, perturbation="gain", rng=np.random.default_rng(seed)
        )
        for seed in (1, 2)
    )
    z = (first.weights - second.weights) / np.sqrt(first.variances + second.variances)
    assert least < z.std() < 1.2


@pytest.mark.parametrize("estimator", [lime, pytest.param(local_regression, marks=pytest.mark.slow)])
def test_p_values_of_segments_that_do_nothing_are_uniform(spectrogram, labels, random_model, estimator):
    """A third of the segments are silent: masking them changes nothing, and their estimates are noise."""
    silent = np.unique(labels)[::3]
    quiet = np.where(np.isin(labels, silent), 0, spectrogram).astype(np.float32)
    window = window_of(quiet, labels, random_model)
    found = []
    for seed in range(6):
        effects = estimator.explain_window(
            window, random_model, passes=512, perturbation="hide", rng=np.random.default_rng(seed)
        )
        found.append(lime.p_values(effects.ols_weights, effects.variances, effects.dof)[silent])
    p = np.concatenate(found)
    for feature in range(7):
        assert stats.kstest(p[:, feature], "uniform").pvalue > 1e-3
    assert 0.02 < (p < 0.05).mean() < 0.09


def test_a_silent_segment_has_no_effect(spectrogram, labels, random_model):
    silent = np.unique(labels)[::3]
    quiet = np.where(np.isin(labels, silent), 0, spectrogram).astype(np.float32)
    effects = expected_gradients.explain_window(
        window_of(quiet, labels, random_model),
        random_model,
        passes=320,
        perturbation="hide",
        rng=np.random.default_rng(0),
    )
    assert (effects.weights[silent] == 0).all()
    assert (lime.p_values(effects.ols_weights, effects.variances, effects.dof)[silent] == 1).all()


def test_the_design_is_balanced_and_orthogonal():
    """For as many segments as there are columns; segments that are in no regression together may share first."""
    rng = np.random.default_rng(2)
    signs = 2.0 * local_regression.hadamard_design(60, np.ones((59, 59), bool), rng) - 1
    np.testing.assert_array_equal(signs.T @ signs, 60 * np.eye(59))
    np.testing.assert_array_equal(signs.sum(0) ** 2, np.zeros(59))
    chain = np.abs(np.subtract.outer(np.arange(300), np.arange(300))) < 10
    signs = 2.0 * local_regression.hadamard_design(64, chain, rng) - 1
    products = signs[:60].T @ signs[:60]
    assert signs.shape == (64, 300)
    assert np.abs(products[chain & ~np.eye(300, dtype=bool)]).max() < 40


def test_segments_with_common_outputs_have_orthogonal_signs():
    """Neighbouring segments have orthogonal columns as long as there are enough; distant ones share them."""
    rng = np.random.default_rng(2)
    visible = np.zeros((100, 1, 300), bool)
    for time in range(100):
        visible[time, 0, 3 * time : 3 * time + 12] = True
    signs = 2.0 * experimental_design.balanced_signs(36, visible, rng, context=False) - 1
    assert signs.shape == (36, 300)
    products = signs.T @ signs
    flat = visible[:, 0].astype(float)
    together = (flat.T @ flat > 0) & ~np.eye(300, dtype=bool)
    # 32 rows are from Paley's matrix, four are random
    assert np.abs(products[together]).max() <= 4
    assert np.abs(signs.sum(0)).max() <= 4


def test_an_output_only_changes_with_its_visible_segments(spectrogram, labels, random_model):
    """Masking a segment that is not visible to an output leaves the output as it is."""
    window = window_of(spectrogram, labels, random_model)
    visible = experimental_design.visible_segments(window, random_model.network.geometry)
    bits = np.ones((2, len(window.segments)), bool)
    for s in range(0, len(window.segments), 7):
        bits[1] = True
        bits[1, s] = False
        first, second = next(local_outputs(window, bits, random_model, "hide"))
        changed = np.abs(first - second).max(0) > 1e-6
        assert changed.any()
        assert not (changed & ~visible[:, :, s]).any()


def test_response_to_a_gain(spectrogram, labels):
    assert perturbation_per_db(spectrogram, labels, "gain") == pytest.approx(1 / 12)
    hidden = perturbation_per_db(spectrogram, labels, "hide")
    # a log magnitude of 1 is an x of 9: 1 dB more is log10(1 + 9 * 1.122) - 1 = 0.045 of it
    flat = perturbation_per_db(np.ones_like(spectrogram), labels, "hide")
    assert flat == pytest.approx(0.045, abs=0.002)
    assert (hidden > 0).all()
