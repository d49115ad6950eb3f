"""The estimators on networks whose coefficients are known, and against each other on one where they are not."""

import dataclasses

import numpy as np
import pytest
import torch
from moodfader.engine import lime, local
from moodfader.engine.perturbation import extremes, local_outputs, response_per_db, window
from moodfader.engine.segments import segment
from moodfader.models.network import MidlevelNetwork
from moodfader.models.vocabulary import N_BANDS
from scipy import stats
from torch import nn


@pytest.fixture(scope="module")
def picture():
    """Forty frames with some structure, so that segments are not all alike."""
    rng = np.random.default_rng(4)
    rough = rng.random((8, 15)).repeat(5, 0).repeat(10, 1)[:, :N_BANDS]
    return (rough + 0.2 * rng.random(rough.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def labels(picture):
    return segment(picture)


@pytest.fixture(scope="module")
def linear_model(random_model):
    """The network without its rectifiers: its prediction is linear in the spectrogram."""
    network = MidlevelNetwork("small")
    network.load_state_dict(_unfused(random_model))
    network.eval()
    network.trunk = nn.Sequential(*(nn.Identity() if isinstance(m, nn.ReLU) else m for m in network.trunk))
    return dataclasses.replace(random_model, network=network)


def _unfused(model):
    from safetensors.torch import load_file

    return load_file(model.path)


def stretch_of(picture, labels, model):
    return window(picture, labels, model, 0, model.network.geometry.positions(len(picture)))


@pytest.mark.parametrize("estimator", [lime, local])
@pytest.mark.parametrize("perturbation", ["hide", "gain"])
def test_known_coefficients_of_a_linear_network(picture, labels, linear_model, estimator, perturbation):
    """There the effect of a bit is what one change alone does, whatever else is on or off."""
    stretch = stretch_of(picture, labels, linear_model)
    if perturbation == "hide":
        changes = [np.where(labels == s, picture, 0) for s in stretch.segments]
    else:
        on, off = extremes(torch.from_numpy(picture), "gain")
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
    tolerance = 1e-4 if estimator is local else 0.06
    np.testing.assert_allclose(effects.weights, truth, atol=tolerance * size)
    assert (1 - effects.unexplained / effects.total > (0.9999 if estimator is local else 0.99)).all()


def test_local_and_plain_lime_estimate_the_same(picture, labels, random_model):
    """On the real, rectified network: their differences are as large as their standard errors say, no larger."""
    stretch = stretch_of(picture, labels, random_model)
    runs = {
        estimator: estimator.explain_window(
            stretch, random_model, passes=passes, perturbation="hide", rng=np.random.default_rng(seed)
        )
        for estimator, passes, seed in ((local, 2048, 1), (lime, 6000, 2))
    }
    one, other = runs.values()
    z = (one.weights - other.weights) / np.sqrt(one.variances + other.variances)
    assert 0.8 < z.std() < 1.25
    assert np.abs(z).max() < 5
    assert one.variances.mean() < other.variances.mean() / 3, "fewer passes and yet less noise"


def test_standard_errors_tell_how_far_two_seeds_differ(picture, labels, random_model):
    stretch = stretch_of(picture, labels, random_model)
    one, other = (
        local.explain_window(stretch, random_model, passes=512, perturbation="gain", rng=np.random.default_rng(seed))
        for seed in (1, 2)
    )
    z = (one.weights - other.weights) / np.sqrt(one.variances + other.variances)
    assert 0.8 < z.std() < 1.2


@pytest.mark.parametrize("estimator", [lime, local])
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
        found.append(lime.p_values(effects.plain, effects.variances, effects.freedom)[silent])
    p = np.concatenate(found)
    for feature in range(7):
        assert stats.kstest(p[:, feature], "uniform").pvalue > 1e-3
    assert 0.02 < (p < 0.05).mean() < 0.09


def test_sight_is_what_the_gradient_sees(picture, labels, random_model):
    """Segments that an output is said not to see change nothing in it when they are hidden."""
    stretch = stretch_of(picture, labels, random_model)
    seen = local.sight(stretch, random_model.network.geometry)
    bits = np.ones((2, len(stretch.segments)), bool)
    for s in range(0, len(stretch.segments), 7):
        bits[1] = True
        bits[1, s] = False
        one, other = next(local_outputs(stretch, bits, random_model, "hide"))
        changed = np.abs(one - other).max(0) > 1e-6
        assert changed.any()
        assert not (changed & ~seen[:, :, s]).any()


def test_response_to_a_gain(picture, labels):
    assert response_per_db(picture, labels, "gain") == pytest.approx(1 / 12)
    hidden = response_per_db(picture, labels, "hide")
    # a log magnitude of 1 is an x of 9: 1 dB more is log10(1 + 9 * 1.122) - 1 = 0.045 of it
    flat = response_per_db(np.ones_like(picture), labels, "hide")
    assert flat == pytest.approx(0.045, abs=0.002)
    assert (hidden > 0).all()
