"""The paper's procedure against its own tools: lime's LimeBase and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from lime.lime_base import LimeBase
from moodfader.engine.explain.lime import KERNEL_WIDTH, fit_weighted_ridge, p_values, sample_masks, sample_weights
from sklearn.metrics import pairwise_distances

SEGMENTS, SAMPLES = 40, 700


@pytest.fixture(scope="module")
def sample():
    """Bits, noisy outputs of seven targets that depend on them, and the kernel's weights."""
    rng = np.random.default_rng(11)
    bits = sample_masks(SAMPLES, SEGMENTS, rng)
    truth = rng.normal(size=(SEGMENTS, 7)) * (rng.random((SEGMENTS, 7)) < 0.3)
    outputs = 0.4 + bits @ truth + 0.5 * bits[:, :1] * bits[:, 1:2] + rng.normal(size=(SAMPLES, 7))
    return bits, outputs, sample_weights(bits)


def test_kernel_is_limes(sample):
    bits, _, weights = sample
    distances = pairwise_distances(bits.astype(float), np.ones((1, SEGMENTS)), metric="cosine").ravel()
    np.testing.assert_allclose(weights, np.sqrt(np.exp(-(distances**2) / KERNEL_WIDTH**2)), atol=1e-12)
    assert bits[0].all()


def test_a_sample_of_silence_is_as_far_as_can_be():
    bits = np.array([[True, True], [False, False]])
    np.testing.assert_allclose(sample_weights(bits), [1, np.sqrt(np.exp(-1 / KERNEL_WIDTH**2))])


def test_weights_and_score_are_limebases(sample):
    bits, outputs, _ = sample
    distances = pairwise_distances(bits.astype(float), np.ones((1, SEGMENTS)), metric="cosine").ravel()
    base = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / KERNEL_WIDTH**2)))
    effects = fit_weighted_ridge(bits, outputs, sample_weights(bits))
    for target in range(7):
        _, ranked, score, _ = base.explain_instance_with_data(
            bits.astype(float), outputs, distances, target, num_features=SEGMENTS, feature_selection="none"
        )
        reference = np.zeros(SEGMENTS)
        for segment, weight in ranked:
            reference[segment] = weight
        np.testing.assert_allclose(effects.weights[:, target], reference, atol=1e-10)
        assert 1 - effects.residual_var[target] / effects.total_var[target] == pytest.approx(score, abs=1e-10)


def test_p_values_are_statsmodels(sample):
    bits, outputs, weights = sample
    effects = fit_weighted_ridge(bits, outputs, weights)
    ours = p_values(effects.ols_weights, effects.variances, effects.dof)
    for target in range(7):
        fit = sm.WLS(outputs[:, target], sm.add_constant(bits.astype(float)), weights=weights).fit()
        np.testing.assert_allclose(effects.ols_weights[:, target], fit.params[1:], atol=1e-9)
        np.testing.assert_allclose(np.sqrt(effects.variances[:, target]), fit.bse[1:], rtol=1e-7)
        np.testing.assert_allclose(ours[:, target], fit.pvalues[1:], atol=1e-10)


def test_running_sums_do_not_depend_on_how_many_rows_are_taken_at_once(sample, monkeypatch):
    bits, outputs, weights = sample
    whole = fit_weighted_ridge(bits, outputs, weights)
    monkeypatch.setattr("moodfader.engine.explain.lime.BLOCK_SAMPLES", 64)
    np.testing.assert_allclose(fit_weighted_ridge(bits, outputs, weights).weights, whole.weights, atol=1e-10)
