"""What is promised of a fader: what all further listeners agree on, never more than the network's own move."""

import math

import numpy as np
import pytest
from moodfader.engine.steering.faders.confirmed import (
    CONFIRMED,
    HEARD_PER_UNIT,
    LISTENER_UNITS,
    agreed_moves,
    confirmed_part,
    confirmed_shares,
)
from moodfader.engine.steering.faders.levels import LEVELS_DB, hardly_heard
from moodfader.models.common.constants import MIDLEVEL

OWN = np.full((7, 2), 0.2)


def _moves(**units: float) -> dict[str, np.ndarray]:
    """Moves of all faders by listener, given in units of each; one that is not named moves by one."""
    return {name: np.full((7, 2), units.get(name, 1.0) * unit) for name, unit in LISTENER_UNITS.items()}


def test_where_all_listeners_move_by_their_unit_the_table_holds() -> None:
    shares = confirmed_shares(OWN, _moves())
    assert shares.dtype == np.float32
    for name, (above, below) in zip(MIDLEVEL, shares, strict=True):
        assert above == below == pytest.approx(HEARD_PER_UNIT[name] / 0.2)


def test_little_is_promised_where_one_listener_does_not_follow() -> None:
    whole = confirmed_shares(OWN, _moves())
    for deaf in LISTENER_UNITS:
        assert (confirmed_shares(OWN, _moves(**{deaf: 0.8})) < whole).all()
        assert not confirmed_shares(OWN, _moves(**{deaf: -0.5}))[0].any()
        count = len(LISTENER_UNITS)
        rest = confirmed_shares(OWN, _moves(**{deaf: 0.0}))[0] / whole[0]
        np.testing.assert_allclose(rest, (count - 1 - math.sqrt(count - 1)) / count, rtol=1e-5)


def test_who_knows_nothing_of_a_feature_counts_little_in_it() -> None:
    """The companion in tonal stability; of the listeners that know of it one alone makes nothing sure."""
    feature = MIDLEVEL.index("tonal_stability")
    whole = confirmed_shares(OWN, _moves())[feature]
    assert (confirmed_shares(OWN, _moves(companion=0.0))[feature] > 0.6 * whole).all()
    assert (confirmed_shares(OWN, _moves(shape=0.0))[feature] < 0.3 * whole).all()


def test_listeners_agree_on_the_mean_less_the_deviation() -> None:
    moves = np.array([[1.0, 2.0, -1.0], [1.0, 0.0, -1.0]])
    np.testing.assert_allclose(agreed_moves(moves, np.ones((2, 1))), [1, 0, 0])
    np.testing.assert_allclose(agreed_moves(moves, np.array([[4.0], [1.0]])), [1, 1.6 - 0.8, 0])


def test_a_listener_of_another_kind_changes_nothing_and_a_missing_one_leaves_one_share_a_feature() -> None:
    moves = _moves()
    np.testing.assert_array_equal(confirmed_shares(OWN, {**moves, "further": OWN}), confirmed_shares(OWN, moves))
    del moves[next(iter(moves))]
    shares = confirmed_shares(OWN, moves)
    assert dict(zip(MIDLEVEL, shares[:, 0].tolist(), strict=True)) == pytest.approx(dict(CONFIRMED))


def test_no_more_is_promised_than_the_network_moves() -> None:
    strong = {name: 10 * moved for name, moved in _moves().items()}
    assert (confirmed_shares(OWN, strong) == 1).all()
    still = confirmed_shares(np.zeros((7, 2)), _moves())
    assert np.isfinite(still).all()
    assert (still <= 1).all()


def test_a_move_has_the_share_of_its_way() -> None:
    shares = np.zeros((7, 2), np.float32)
    shares[MIDLEVEL.index("modality")] = 0.5, 0.25
    assert confirmed_part({"modality": 0.1}, shares) == pytest.approx({"modality": 0.05})
    assert confirmed_part({"modality": -0.1}, shares) == pytest.approx({"modality": -0.025})
    assert confirmed_part({"modality": -0.1}) == pytest.approx({"modality": -0.1 * CONFIRMED["modality"]})


def test_hardly_heard_are_faders_that_move_the_network_alone() -> None:
    response = np.zeros((7, len(LEVELS_DB), 7), np.float32)
    for feature, moved in enumerate((0.05, 0.05, 0.004)):
        response[feature, LEVELS_DB.index(6.0), feature] = moved
        response[feature, LEVELS_DB.index(-6.0), feature] = -moved
    confirmed = np.full((7, 2), 0.1, np.float32)
    confirmed[1, 1] = 0.5
    assert hardly_heard(response, confirmed) == (MIDLEVEL[0],)
    assert hardly_heard(None, confirmed) == hardly_heard(response, None) == ()
