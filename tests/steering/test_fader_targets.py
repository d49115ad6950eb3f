"""How far faders shall move their features at the network: as far as the explanation's own masks do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from moodfader.engine.steering.faders.own_targets import (
    LEAST_PLAIN_SHARE,
    MOST_RAISED,
    OWN_SHARE,
    OWN_SHARES,
    PLAIN_SHARE,
    TARGET,
    first_targets,
    raised_targets,
)
from moodfader.models.common.constants import MIDLEVEL

GAINS = arrays(np.float64, len(MIDLEVEL), elements=st.floats(0.5, 30.0))
MOVES = arrays(np.float64, 14, elements=st.floats(1e-3, 0.1))
SHARES = arrays(np.float64, 14, elements=st.floats(0.0, 1.0))


@given(damage_db=GAINS, plain=st.floats(0.0, 0.2))
def test_a_target_takes_no_more_than_its_share_of_the_gain(damage_db, plain) -> None:
    most = np.full(len(MIDLEVEL), 4.3)
    shares = np.array([OWN_SHARES.get(name, OWN_SHARE) for name in MIDLEVEL])
    caps = TARGET * shares * most / damage_db
    targets = first_targets(damage_db, most, plain)
    assert (targets <= caps * (1 + 1e-9)).all()
    assert targets.mean() >= PLAIN_SHARE * plain * (1 - 1e-9) or targets == pytest.approx(caps)


def test_targets_are_raised_where_the_masks_of_the_explanation_move_more() -> None:
    easy, most = np.full(len(MIDLEVEL), 0.5), np.full(len(MIDLEVEL), 4.3)
    np.testing.assert_allclose(first_targets(easy, most, 0.04), TARGET)
    assert first_targets(easy, most, 0.1).mean() == pytest.approx(PLAIN_SHARE * 0.1)


@given(shares=SHARES, wanted=MOVES, plain=st.floats(0.0, 0.2))
def test_faders_that_the_sound_bears_little_of_are_raised_least_first(shares, wanted, plain) -> None:
    bearable = shares * wanted
    raised = raised_targets(bearable, wanted, plain)
    assert (raised >= bearable * (1 - 1e-9)).all()
    assert (raised <= MOST_RAISED * wanted * (1 + 1e-9)).all()
    reached = raised / wanted
    changed = reached > shares + 1e-9
    if changed.any():  # (all of them to one share, and none that had more)
        np.testing.assert_allclose(reached[changed], reached[changed][0])
        assert (shares[~changed] >= reached[changed][0] - 1e-9).all()
        assert bearable.mean() < LEAST_PLAIN_SHARE * plain
        assert raised.mean() <= LEAST_PLAIN_SHARE * plain + 0.011 * wanted.mean()  # (no more than it takes)
    assert raised.mean() >= min(LEAST_PLAIN_SHARE * plain, MOST_RAISED * wanted.mean()) * (1 - 1e-9)


def test_of_silence_nothing_is_wanted() -> None:
    np.testing.assert_array_equal(raised_targets(np.zeros(14), np.zeros(14), 0.0), 0.0)
