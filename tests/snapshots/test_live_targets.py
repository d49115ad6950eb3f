"""Targets by faders: bounded least squares, the solver on known functions, the network in the loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.engine.live_targets.bounded_least_squares import bounded_least_squares
from moodfader.engine.live_targets.fader_solver import Asked, nearest_faders, slopes_at, solve_faders
from moodfader.engine.live_targets.measured import stretches_ahead
from moodfader.models.common.constants import EMOTIONS
from scipy.optimize import lsq_linear


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8), st.floats(0.2, 50))
def test_bounded_least_squares_is_scipys(seed, rows, scale):
    rng = np.random.default_rng(seed)
    matrix, wanted = rng.normal(size=(rows, 7)), rng.normal(size=rows) * scale
    low, high, ridge = np.full(7, -1.0), np.full(7, 1.0), 0.01
    found = bounded_least_squares(matrix, wanted, low, high, ridge=ridge)
    stacked = np.vstack((matrix, np.sqrt(ridge) * np.eye(7)))
    right = np.concatenate((wanted, np.zeros(7)))
    other = lsq_linear(stacked, right, (low, high), tol=1e-12).x
    assert np.all((found >= low) & (found <= high))
    cost, best = (float(((stacked @ x - right) ** 2).sum()) for x in (found, other))
    assert cost <= best * (1 + 1e-5) + 1e-9


def curved(seed):
    """A function of seven faders that saturates and interacts, as a network does."""
    rng = np.random.default_rng(seed)
    slopes = rng.normal(size=(8, 7)) * 0.01
    return lambda faders_db: 0.15 * np.tanh(slopes @ faders_db / 0.15) + 2e-5 * faders_db[0] * faders_db[1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(EMOTIONS), st.floats(-0.06, 0.06))
def test_one_emotion_is_reached_within_the_faders_range(seed, name, shift):
    asked = Asked({name: shift})
    found = solve_faders(curved(seed), asked)
    assert np.abs(found.faders_db).max() <= 12
    assert np.allclose(found.shifts, curved(seed)(found.faders_db))
    assert asked.reached(found.shifts)


def test_a_kept_emotion_stays():
    function, free = curved(3), Asked({"tender": 0.05})
    emotions = [EMOTIONS.index(name) for name in ("sad", "fear", "anger")]
    sad = max(emotions, key=lambda row: abs(solve_faders(function, free).shifts[row]))
    kept = Asked({"tender": 0.05, EMOTIONS[sad]: 0.0})
    assert abs(solve_faders(function, free).shifts[sad]) > 0.01
    found = solve_faders(function, kept)
    assert abs(found.shifts[sad]) < 0.005
    assert found.shifts[EMOTIONS.index("tender")] == pytest.approx(0.05, abs=0.005)


def test_what_cannot_be_reached_is_gone_to_as_far_as_it_goes():
    function, asked = curved(1), Asked({"valence": 0.9})
    found = solve_faders(function, asked)
    assert not asked.reached(found.shifts)
    row = EMOTIONS.index("valence")
    best = function(12 * np.sign(slopes_at(function, np.zeros(7))[row]))[row]
    assert found.shifts[row] >= 0.95 * best


def test_given_slopes_are_corrected_in_few_evaluations():
    function = curved(5)
    calls = []

    def counted(faders_db):
        calls.append(faders_db)
        return function(faders_db)

    asked = Asked({"tension": 0.06, "happy": 0.03})
    wrong = 0.6 * slopes_at(function, np.zeros(7))
    start = nearest_faders(wrong, np.zeros(8), asked)
    assert not asked.reached(function(start))
    found = solve_faders(counted, asked, start=start, slopes=wrong, tries=5)
    assert asked.reached(found.shifts)
    assert len(calls) <= 6


def test_nothing_to_hold_on_to_is_no_motion():
    found = solve_faders(lambda faders_db: np.zeros(8), Asked({"tender": 0.1}))
    assert not found.faders_db.any()
    assert found.miss == pytest.approx(1.0)


class Sounding:
    def __init__(self, first_s, end_s):
        self.sounding = (round(first_s * 22050), round(end_s * 22050))


@pytest.mark.parametrize(
    ("track", "position_s", "wanted"),
    [
        (Sounding(0, 120), 30, [(30, 10), (75, 10)]),
        (Sounding(2, 120), 0, [(2, 10), (61, 10)]),
        (Sounding(0, 120), 118, [(110, 10)]),
        (Sounding(0, 6), 3, [(0, 6)]),
    ],
)
def test_stretches_lie_ahead_and_within_what_sounds(track, position_s, wanted):
    assert stretches_ahead(track, position_s) == [pytest.approx(one) for one in wanted]
