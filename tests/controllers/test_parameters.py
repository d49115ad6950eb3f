"""The table and OSC's patterns."""

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moodfader.control.parameters.address_patterns import matches
from moodfader.control.parameters.parameter import LARGEST
from moodfader.control.parameters.table import PARAMETERS, find_parameter, match_parameters
from moodfader.engine.performance.automation_file import VALUE_RANGES
from moodfader.engine.performance.events import FADE_OUT
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.common.errors import InputError


def test_every_address_is_there_once_and_its_default_is_valid():
    addresses = [control.address for control in PARAMETERS]
    assert len(set(addresses)) == len(addresses)
    for control in PARAMETERS:
        assert re.fullmatch(r"/moodfader(/[a-z_]+)+(/[1-9])?", control.address)
        assert control.description.endswith(".")
        if control.default is not None:
            assert control.validate(control.default) == control.default


def test_a_wrong_address_is_told_the_right_one():
    with pytest.raises(InputError, match="did you mean /moodfader/midlevel/dissonance"):
        find_parameter("/moodfader/midlevel/disonance")


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
    assert [control.address.rsplit("/")[-1] for control in match_parameters("/moodfader/midlevel/*")] == list(
        MIDLEVEL
    )
    assert match_parameters("/moodfader/m*/rhythmic_{stability,complexity}") == match_parameters(
        "/moodfader/midlevel/rhythmic_*"
    )
    assert match_parameters("/" + "*" * 5000) == ()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -12.01, 13, 10**400, "3", None, b"1", [1]])
def test_a_fader_takes_no_nonsense(bad):
    with pytest.raises(InputError, match="/moodfader/midlevel/modality"):
        find_parameter("/moodfader/midlevel/modality").validate(bad)


@pytest.mark.parametrize("name", ["transport/seek", "transport/skip", "transport/loop_end", "transport/track"])
@pytest.mark.parametrize("far", [1e308, 2e9, -(2**40)])
def test_numbers_without_bounds_stay_within_what_is_computed_and_sent(name, far):
    with pytest.raises(InputError, match="out of range"):
        find_parameter(f"/moodfader/{name}").validate(far)


def test_numbers_serve_as_booleans_and_the_other_way():
    bypass, wet = find_parameter("/moodfader/bypass"), find_parameter("/moodfader/wet")
    assert bypass.validate(1.0) is True
    assert bypass.validate(0) is False
    assert wet.validate(True) == 1.0
    assert find_parameter("/moodfader/transport/pause").validate(None) is True
    assert find_parameter("/moodfader/transport/pause").validate(0) is False


@given(st.floats(0, 1))
def test_normalised_values_go_there_and_back(fraction):
    for control in PARAMETERS:
        if control.has_norm:
            value = control.from_norm(fraction)
            assert control.low <= value <= control.high
            assert control.to_norm(value) == pytest.approx(fraction, abs=1e-12)


def test_a_performance_may_hold_what_the_session_takes():
    """The ranges of an automation file are those of the parameters."""
    for address, (low, high) in VALUE_RANGES.items():
        if address == FADE_OUT:  # (the end of a show, which no surface sets)
            continue
        parameter = find_parameter(address)
        if parameter.kind == "bool":
            assert (low, high) == (0, 1)
        else:
            assert low == parameter.low
            assert high == (LARGEST if parameter.high is None else parameter.high)
