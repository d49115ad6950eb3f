"""How far faders shall move their features at the network: as far as the explanation's own masks do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from moodfader.engine.steering.faders.own_targets import (
    EXPLAINED_SHARE,
    LEAST_EXPLAINED_SHARE,
    MOST_RAISED,
    OWN_SHARE,
    OWN_SHARES,
    TARGET,
    first_targets,
    raised_targets,
)
from moodfader.models.common.constants import MIDLEVEL

GAINS = arrays(np.float64, len(MIDLEVEL), elements=st.floats(0.5, 30.0))
MOVES = arrays(np.float64, 14, elements=st.floats(1e-3, 0.1))
SHARES = arrays(np.float64, 14, elements=st.floats(0.0, 1.0))


@given(damage_db=GAINS, explained_move=st.floats(0.0, 0.2))
def test_a_target_takes_no_more_than_its_share_of_the_gain(damage_db, explained_move) -> None:
    most = np.full(len(MIDLEVEL), 4.3)
    shares = np.array([OWN_SHARES.get(name, OWN_SHARE) for name in MIDLEVEL])
    caps = TARGET * shares * most / damage_db
    targets = first_targets(damage_db, most, explained_move)
    assert (targets <= caps * (1 + 1e-9)).all()
    assert targets.mean() >= EXPLAINED_SHARE * explained_move * (1 - 1e-9) or targets == pytest.approx(caps)


def test_targets_are_raised_where_the_masks_of_the_explanation_move_more() -> None:
    easy, most = np.full(len(MIDLEVEL), 0.5), np.full(len(MIDLEVEL), 4.3)
    np.testing.assert_allclose(first_targets(easy, most, 0.04), TARGET)
    assert first_targets(easy, most, 0.1).mean() == pytest.approx(EXPLAINED_SHARE * 0.1)


@given(shares=SHARES, wanted=MOVES, explained_move=st.floats(0.0, 0.2))
def test_of_faders_limited_by_their_loss_the_weakest_are_raised_first(shares, wanted, explained_move) -> None:
    limited = shares * wanted
    raised = raised_targets(limited, wanted, explained_move)
    assert (raised >= limited * (1 - 1e-9)).all()
    assert (raised <= MOST_RAISED * wanted * (1 + 1e-9)).all()
    reached = raised / wanted
    changed = reached > shares + 1e-9
    if changed.any():  # (all of them to one share, and none that had more)
        np.testing.assert_allclose(reached[changed], reached[changed][0])
        assert (shares[~changed] >= reached[changed][0] - 1e-9).all()
        assert limited.mean() < LEAST_EXPLAINED_SHARE * explained_move
        no_more_than_it_takes = LEAST_EXPLAINED_SHARE * explained_move + 0.011 * wanted.mean()
        assert raised.mean() <= no_more_than_it_takes
    assert raised.mean() >= min(LEAST_EXPLAINED_SHARE * explained_move, MOST_RAISED * wanted.mean()) * (1 - 1e-9)


def test_of_silence_nothing_is_wanted() -> None:
    np.testing.assert_array_equal(raised_targets(np.zeros(14), np.zeros(14), 0.0), 0.0)
