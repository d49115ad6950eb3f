"""Moderated variances against simulated ones, whose truth is known."""

import numpy as np
from moodfader.engine.explain.experimental_design import hadamard, sylvester_hadamard
from moodfader.engine.explain.moderated_variance import moderate
from scipy import stats

SEGMENTS, FEATURES = 600, 7


def simulated(dof, spread, seed):
    """True and sample variances [segments, features]: a segment's level, and for each feature a bit of its own."""
    rng = np.random.default_rng(seed)
    levels = rng.normal(0, 1, (SEGMENTS, 1)) + rng.normal(0, 1, FEATURES)
    true = np.exp(levels + spread * rng.normal(size=(SEGMENTS, FEATURES)))
    return true, true * rng.chisquare(dof, true.shape) / dof


def test_moderated_variances_are_nearer_to_the_truth():
    for dof in (3, 7, 15):
        true, sample = simulated(dof, 0.3, dof)
        moderated, known = moderate(sample, dof)
        assert (dof < known).all()
        assert (known <= 5 * dof).all()
        errors = [np.log(found / true).std() for found in (sample, moderated)]
        assert errors[1] < 0.8 * errors[0]
        assert abs(np.log(moderated / true).mean()) < 0.15


def test_p_values_of_nothing_are_uniform_with_moderated_variances():
    dof = 7
    true, sample = simulated(dof, 0.4, 3)
    moderated, known = moderate(sample, dof)
    t = np.random.default_rng(4).normal(0, np.sqrt(true)) / np.sqrt(moderated)
    p = 2 * stats.t.sf(np.abs(t), known)
    assert 0.04 < (p < 0.05).mean() < 0.062
    assert (p < 1e-3).mean() < 2.5e-3


def test_what_the_others_say_counts_little_where_they_do_not_fit():
    _, sample = simulated(15, 2.0, 5)
    moderated, known = moderate(sample, 15)
    assert (known < 17).all()
    assert np.median(np.abs(np.log(moderated / sample))) < 0.1


def test_each_feature_has_degrees_of_freedom_of_its_own():
    """One that has nothing to do with the others learns nothing from them; those learn no less for it."""
    _, sample = simulated(7, 0.3, 7)
    before = moderate(sample, 7)[1]
    sample[:, 2] = np.exp(2 * np.random.default_rng(8).normal(size=SEGMENTS))
    known = moderate(sample, 7)[1]
    assert known[2] < 9 < before[2]
    assert (np.delete(known, 2) > 0.8 * np.delete(before, 2)).all()


def test_segments_without_effect_and_few_segments_are_left_as_they_are():
    _, sample = simulated(7, 0.3, 6)
    sample[::3] = 0
    moderated, _ = moderate(sample, 7)
    assert (moderated[::3] == 0).all()
    assert (moderated[1::3] > 0).all()
    assert (moderate(sample[:12], 7)[1] == 7).all()


def test_hadamard_matrices_are_orthogonal():
    for rows in (4, 8, 12, 16, 20, 24, 32):
        matrix = np.where(hadamard(rows), 1, -1)
        assert matrix.shape == (rows, rows - 1)
        np.testing.assert_array_equal(matrix.T @ matrix, rows * np.eye(rows - 1))
        assert (matrix.sum(0) == 0).all()
    assert sylvester_hadamard(2).shape == (2, 1)
    assert len(hadamard(27)) == 24
