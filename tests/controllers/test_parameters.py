"""The table and OSC's patterns."""

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moodfader.control.session.address_patterns import matches
from moodfader.control.session.parameters import CONTROLS, by_address, matching
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.common.errors import InputError


def test_every_address_is_there_once_and_its_default_is_valid():
    addresses = [control.address for control in CONTROLS]
    assert len(set(addresses)) == len(addresses)
    for control in CONTROLS:
        assert re.fullmatch(r"/moodfader(/[a-z_]+)+", control.address)
        assert control.meaning.endswith(".")
        if control.default is not None:
            assert control.checked(control.default) == control.default


def test_a_wrong_address_is_told_the_right_one():
    with pytest.raises(InputError, match="did you mean /moodfader/midlevel/dissonance"):
        by_address("/moodfader/midlevel/disonance")


@pytest.mark.parametrize(
    ("pattern", "address", "wanted"),
    [
        ("/a/b", "/a/b", True),
        ("/a/?", "/a/b", True),
        ("/a/?", "/a/", False),
        ("/?a", "//a", False),
        ("/*", "/a/b", False),
        ("/*/*", "/a/b", True),
        ("/a*c*e", "/abcde", True),
        ("/a*c*e", "/abcdef", False),
        ("/[a-c]", "/b", True),
        ("/[!a-c]", "/b", False),
        ("/[!a-c]", "/d", True),
        ("/[!a-c]", "//", False),
        ("/[a-]", "/-", True),
        ("/{one,two}/x", "/two/x", True),
        ("/{one,on}e", "/one", True),
        ("/{a/b,c}*", "/a/bc", True),
        ("/[a", "/a", False),
        ("/{a", "/a", False),
        ("/a]", "/a]", False),
    ],
)
def test_patterns_follow_osc(pattern, address, wanted):
    assert matches(pattern, address) is wanted


@given(st.text("ab*?[]!-", max_size=12), st.text("ab", max_size=8))
def test_patterns_agree_with_the_shells(pattern, name):
    """Where there is no slash, stars and question marks are those of fnmatch."""
    plain = re.sub(r"[\[\]!-]", "", pattern)
    assert matches(plain, name) == fnmatch.fnmatchcase(name, plain)


def test_a_pattern_names_controls_in_their_order():
    assert [control.address.rsplit("/")[-1] for control in matching("/moodfader/midlevel/*")] == list(MIDLEVEL)
    assert matching("/moodfader/m*/rhythmic_{stability,complexity}") == matching("/moodfader/midlevel/rhythmic_*")
    assert matching("/" + "*" * 5000) == ()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -12.01, 13, 10**400, "3", None, b"1", [1]])
def test_a_fader_takes_no_nonsense(bad):
    with pytest.raises(InputError, match="/moodfader/midlevel/modality"):
        by_address("/moodfader/midlevel/modality").checked(bad)


def test_numbers_serve_as_booleans_and_the_other_way():
    bypass, wet = by_address("/moodfader/bypass"), by_address("/moodfader/wet")
    assert bypass.checked(1.0) is True
    assert bypass.checked(0) is False
    assert wet.checked(True) == 1.0
    assert by_address("/moodfader/transport/pause").checked(None) is True
    assert by_address("/moodfader/transport/pause").checked(0) is False


@given(st.floats(0, 1))
def test_normalised_values_go_there_and_back(fraction):
    for control in CONTROLS:
        if control.normalised:
            value = control.from_norm(fraction)
            assert control.low <= value <= control.high
            assert control.to_norm(value) == pytest.approx(fraction, abs=1e-12)
