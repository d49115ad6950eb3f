"""The evidence of a jury: a judge that says less after any change is told from one that hears which way it goes."""

import math
from importlib.resources import files

import numpy as np
import pytest
import soundfile
from moodfader.control.experiments.steering_table import (
    _shared_by_every_judge,
    confirmed_parts,
    heard_per_unit,
    listener_units,
    mean_shares,
    steering_page,
)
from moodfader.engine import load_track
from moodfader.engine.file_targets.evaluation import JudgedMove, SteeringEvidence, evaluate_steering, one_sided
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL
from moodfader.models.common.formatting import display_name
from moodfader.models.inference.checkpoint import load_model
from moodfader.models.jury.judges import Judge

LESS = 0.1


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    """Of three seconds of the track that ships, by a judge that says LESS of every changed sound."""
    sound, rate = soundfile.read(str(files("moodfader.presets") / "demo.ogg"), dtype="float32", frames=3 * 44100)
    path = tmp_path_factory.mktemp("music") / "demo.wav"
    soundfile.write(path, 0.4 * sound, rate, subtype="FLOAT")
    sounds = []

    def predict(sound):
        sounds.append(np.asarray(sound))
        changed = np.abs(sounds[0] - sound).max() > 1e-3
        return np.full(len(MIDLEVEL) + len(EMOTIONS), 0.5 - LESS * changed)

    return evaluate_steering([load_track(path)], load_model(), [Judge("stubborn", predict)])


def test_a_judge_that_says_less_after_any_change_hears_nothing_of_a_random_field(evidence) -> None:
    random = [one for one in evidence.moves if one.kind == "random"]
    assert {(one.name, one.asked) for one in random} == {(name, db) for name in MIDLEVEL for db in (-6.0, 6.0)}
    assert np.mean([one.judges[0] for one in random]) == pytest.approx(0, abs=1e-9)
    assert one_sided(random)[1] == pytest.approx(-LESS)
    faders = [one for one in evidence.moves if one.kind == "fader"]
    assert [round(one.rms_db, 3) for one in random[::2]] == [round(one.rms_db, 3) for one in faders[1::2]]


def test_the_page_says_what_every_judge_hears_enough_of() -> None:
    """Of two judges the second hears .1 of the own move of every feature but the first."""
    heard = [
        JudgedMove(kind, 0, name, asked, 0.05, (0.04, 0.03 if name == MIDLEVEL[0] else 0.005), 0.0, 3.0, None)
        for kind in ("fader", "random")
        for name in MIDLEVEL
        for asked in (6.0, -6.0)
    ]
    heard += [JudgedMove("target", 0, name, 0.05, 0.05, (0.03, 0.03), 0.0, 3.0, None) for name in EMOTIONS]
    page = steering_page(SteeringEvidence(("one", "two"), tuple(heard), np.zeros((1, 3, 15))), jury="development")
    assert "at least 0.40 of the network's own move in: melodiousness." in page
    assert "own +0.000, one +0.000, two +0.000" in page


def test_what_a_judge_says_of_any_change_cancels_between_the_sides() -> None:
    """It says .02 less whichever way a fader goes, which moves it by .01: wrong above zero, right between."""
    moves = [
        JudgedMove("fader", 0, name, asked, 0.05, (-0.01 if asked > 0 else 0.03,), 0.0, 3.0, None)
        for name in MIDLEVEL
        for asked in (6.0, -6.0)
    ]
    moves += [JudgedMove("random", 0, MIDLEVEL[0], asked, 0.0, (0.0,), 0.0, 3.0, None) for asked in (6.0, -6.0)]
    moves += [JudgedMove("target", 0, name, 0.05, 0.05, (0.03,), 0.0, 3.0, None) for name in EMOTIONS]
    page = steering_page(SteeringEvidence(("one",), tuple(moves), np.zeros((1, 2, 15))), jury="development")
    rows = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| all")}
    assert ", 0.50 |" in rows["all"]
    assert "| 0.20 (0.20 to 0.20), 1.00 |" in rows["all, half the way from -6 to +6 dB"]


@pytest.mark.filterwarnings("error")
def test_of_a_fader_that_does_nothing_nothing_is_heard() -> None:
    """A short track has such faders: the share that judges hear of their moves is no number."""
    heard = [
        JudgedMove("fader", 0, name, 6.0, 0.05 if name == MIDLEVEL[0] else 0.0, (0.04, 0.04), 0.0, 3.0, None)
        for name in MIDLEVEL
    ]
    assert _shared_by_every_judge(heard, heard) == display_name(MIDLEVEL[0])


def test_less_is_confirmed_where_judges_or_tracks_differ() -> None:
    """Three faders of which half is heard on the mean: by all alike, by one judge more, on one track more."""
    evidence = _evidence(
        {
            "melodiousness": [(0.5, 0.5), (0.5, 0.5)],
            "articulation": [(0.7, 0.3), (0.7, 0.3)],
            "dissonance": [(0.8, 0.8), (0.2, 0.2)],
        }
    )
    shares = mean_shares(evidence)
    assert [share for share, _ in shares.values()] == pytest.approx([0.5, 0.5, 0.5])
    assert [error for _, error in shares.values()] == pytest.approx([0.0, 0.2, 0.3])
    assert confirmed_parts(evidence) == pytest.approx({"melodiousness": 0.5, "articulation": 0.3, "dissonance": 0.2})


def test_the_highest_of_uncertain_shares_are_drawn_to_the_mean_and_the_lowest_are_not() -> None:
    """Errors of .2 and shares of .2, .5, .8: of a variance of .09 .04 is noise."""
    names = ("melodiousness", "articulation", "dissonance")
    judged = {name: [(share + 0.2, share - 0.2)] * 2 for name, share in zip(names, (0.2, 0.5, 0.8), strict=True)}
    confirmed = confirmed_parts(_evidence(judged))
    assert list(confirmed.values()) == pytest.approx([0.0, 0.3, 0.5 + 0.3 * 5 / 9 - 0.2])


def _evidence(judged) -> SteeringEvidence:
    """Of faders whose own move is .1: by feature the shares of two judges on each track."""
    heard = tuple(
        JudgedMove("fader", track, name, db, 0.1, tuple(0.1 * np.array(shares)), 0.0, 3.0, None)
        for name, tracks in judged.items()
        for track, shares in enumerate(tracks)
        for db in (6.0, -6.0)
    )
    return SteeringEvidence(("one", "two"), heard, np.zeros((2, 3, 15)))


def test_what_listeners_agree_on_is_fitted_to_judges_less_an_error() -> None:
    """Judges hear .4 and .6 of what the listeners move, alike on every track, and nothing where they differ."""
    names = "broad", "shape"
    evidence = _listened([((0.04, 0.02), 1.0), ((0.08, 0.04), 1.0), ((-0.04, 0.02), 0.0)], (0.4, 0.6), names)
    units = listener_units(evidence)
    assert units == pytest.approx({"broad": math.sqrt(0.0096 / 3), "shape": math.sqrt(0.0024 / 3)})
    assert heard_per_unit(evidence) == pytest.approx({"melodiousness": (0.5 - 0.1) * 0.75 * units["broad"]})


def test_where_tracks_differ_less_is_promised_of_what_listeners_agree_on() -> None:
    names = "one", "two"
    alike = heard_per_unit(_listened([((0.04, 0.04), 1.0)] * 4, (0.5, 0.5), names))["melodiousness"]
    differing = [((0.04, 0.04), share) for share in (0.0, 2.0, 0.0, 2.0)]
    assert 0 < heard_per_unit(_listened(differing, (0.5, 0.5), names))["melodiousness"] < 0.6 * alike


def _listened(tracks, judges, names) -> SteeringEvidence:
    """A fader of melodiousness on each track: moves of two listeners, and how much judges hear of their mean."""
    heard = tuple(
        JudgedMove(
            "fader",
            track,
            "melodiousness",
            6.0,
            0.04,
            tuple(heard * judge * np.mean(moved) for judge in judges),
            0.0,
            3.0,
            None,
            listeners=dict(zip(names, moved, strict=True)),
        )
        for track, (moved, heard) in enumerate(tracks)
    )
    return SteeringEvidence(("first", "second"), heard, np.zeros((len(tracks), 3, 15)))
