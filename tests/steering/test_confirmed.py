"""What is promised of a fader: what all further listeners agree on, never more than the network's own move."""

import numpy as np
import pytest
from moodfader.engine.steering.confirmed import (
    CONFIRMED,
    HEARD_PER_UNIT,
    LISTENER_UNITS,
    confirmed_part,
    confirmed_shares,
)
from moodfader.engine.steering.levels import LEVELS_DB, hardly_heard
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


@pytest.mark.parametrize("deaf", LISTENER_UNITS)
def test_nothing_is_promised_where_one_listener_does_not_follow(deaf) -> None:
    for moved in (0.0, -0.5):
        assert not confirmed_shares(OWN, _moves(**{deaf: moved})).any()
    few = confirmed_shares(OWN, _moves(**{deaf: 0.125}))
    assert np.allclose(few, confirmed_shares(OWN, _moves()) * 0.125 ** (1 / len(LISTENER_UNITS)))


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
