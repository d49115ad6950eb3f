"""Emotion targets through a session that plays offline: estimated, corrected by the network, let go, recalled."""

import re

import numpy as np
import pytest
from helpers.offline_player import OfflinePlayer
from helpers.offline_show import RATE, LinearSurrogate
from moodfader.control.parameters.table import PARAMETERS, ROOT
from moodfader.engine.processes.messages import ProcessStatus, TargetsSolved
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL
from moodfader.models.common.errors import InputError

MODALITY, TENDER = f"{ROOT}/midlevel/modality", f"{ROOT}/target/tender"


def test_a_target_is_heard_at_once_and_corrected_by_the_network(stage):
    stage.analyzed(0)
    assert stage.get("reachable/high/tender") > 0.1
    stage.set("midlevel/modality", 1.0)
    stage.set("transport/play")
    stage.set("target/tender", 0.1)
    estimated = stage.faders()
    assert LinearSurrogate().expected_effect(estimated)["tender"] == pytest.approx(0.1, abs=0.005)
    assert stage.get("state/target_phase") == "solving"
    (request,) = stage.player.requests
    assert (request.asked, request.faders_db) == ({"tender": 0.1}, tuple(estimated))
    stage.set("target/sad", 0.0)
    newest = stage.player.requests[-1]
    assert newest.asked == {"sad": 0.0, "tender": 0.1}
    shifts = dict.fromkeys(EMOTIONS, 0.0) | {"tender": 0.097}
    stage.session.handle_message(
        TargetsSolved(request.number, 0, (9.0,) * 7, shifts)
    )  # too late: another one is asked
    stage.play(2)
    assert stage.faders() != [9.0] * 7
    stage.session.handle_message(TargetsSolved(newest.number, 0, (3.0,) * 7, shifts))
    stage.play(0.5)
    assert stage.faders() != [3.0] * 7  # on the way
    stage.play(1)
    assert stage.faders() == [3.0] * 7
    assert stage.get("state/target_phase") == "reached"
    assert stage.get("reached/tender") == 0.097
    assert re.search(r"sad kept, tender \+0\.10: reached \+0\.00, \+0\.10", stage.get("state/target").lower())
    stage.set("target/sad", "off")
    stage.set("target/tender", None)
    assert {name: stage.get(f"midlevel/{name}") for name in MIDLEVEL} == dict.fromkeys(MIDLEVEL, 0.0) | {
        "modality": 1.0
    }
    assert (stage.get("state/target_phase"), stage.get("state/target")) == ("off", "")


def test_the_first_change_is_heard_with_the_next_tenth_of_a_second_and_no_network(stage):
    """Of the sound that comes after the request: nothing is waited for, the network has not answered."""
    stage.analyzed(0)
    stage.set("transport/play")
    stage.play(1)
    plain = OfflinePlayer(stage.buffers, stage.masks, lambda _: None)
    plain.set(f"{ROOT}/transport/play", True)
    requested = len(stage.sound)
    stage.set("target/tender", 0.1)
    stage.play(1)
    differs = np.abs(stage.sound - plain.render(len(stage.sound))).max(1) > 1e-6
    assert not differs[:requested].any()
    assert 0 <= np.flatnonzero(differs)[0] - requested < 0.1 * RATE
    assert stage.get("state/target_phase") == "solving"
    assert len(stage.player.requests) == 1


def test_what_is_out_of_reach_is_said(stage):
    stage.analyzed(0, scale=0.01)
    stage.set("target/happy", 0.2)
    request = stage.player.requests[-1]
    stage.session.handle_message(
        TargetsSolved(request.number, 0, request.faders_db, dict.fromkeys(EMOTIONS, 0.0) | {"happy": 0.01})
    )
    assert stage.get("state/target_phase") == "nearest"
    assert "the nearest is +0.01" in stage.get("state/target")
    assert stage.get("reachable/high/happy") < 0.05


def test_targets_wait_for_the_analysis_and_follow_to_the_next_track(stage):
    stage.set("midlevel/modality", 2.0)
    stage.set("target/tender", 0.1)
    assert stage.get("midlevel/modality") == 2.0  # the old sound goes on
    assert stage.get("state/target_phase") == "waiting"
    stage.analyzed(0)
    first = stage.faders()
    assert first != [0.0] * 7
    assert stage.get("state/target_phase") == "solving"
    stage.analyzed(1, scale=2.0)
    assert stage.faders() == first
    stage.set("transport/play")
    stage.play(0.1)
    stage.set("transport/track", 1)
    stage.play(0.1)
    assert stage.faders() == pytest.approx([value / 2 for value in first], abs=0.3)
    assert stage.player.requests[-1].track == 1


@pytest.mark.parametrize(
    ("name", "value"), [("midlevel/modality", 3.0), ("zero", True), ("preset/load", "dolce"), ("target_off", True)]
)
def test_a_hand_zero_and_a_preset_let_targets_go_and_undo_brings_them_back(stage, name, value):
    stage.analyzed(0)
    stage.set("transport/play")
    stage.set("target/tender", 0.1)
    solved = stage.faders()
    stage.play(1)
    stage.set(name, value)
    assert stage.get("target/tender") is None
    assert stage.get("state/target_phase") == "off"
    stage.set("undo")
    assert stage.get("target/tender") == 0.1
    assert stage.faders() == solved
    stage.set("undo")
    assert (stage.get("target/tender"), stage.faders()) == (None, [0.0] * 7)


def test_a_snapshot_with_targets_is_solved_for_the_track_where_it_is_recalled(stage):
    stage.analyzed(0)
    stage.analyzed(1, scale=2.0)
    stage.set("target/tender", 0.1)
    there = stage.faders()
    stage.set("snapshot/store", 1)
    stage.set("zero")
    stage.set("snapshot/store", 2)
    stage.set("snapshot/recall", 1)
    assert (stage.faders(), stage.get("target/tender")) == (there, 0.1)
    stage.set("zero")
    stage.set("transport/play")
    stage.set("transport/track", 1)
    stage.play(0.1)
    stage.set("morph/seconds", 1.0)
    stage.set("morph/to", 1)
    stage.play(1.2)
    assert stage.faders() == pytest.approx([value / 2 for value in there], abs=0.3)
    assert stage.get("target/tender") == 0.1


def test_an_analysis_process_that_ends_leaves_the_estimate(stage):
    stage.analyzed(0)
    stage.set("target/tender", 0.1)
    faders = stage.faders()
    stage.session.handle_message(
        ProcessStatus("analyzer", "restarting", "the analysis has ended; it is started again")
    )
    assert stage.get("state/target_phase") == "failed"
    assert "not measured" in stage.get("state/target")
    assert stage.faders() == faders
    asked = stage.player.requests[-1]
    stage.session.handle_message(ProcessStatus("analyzer", "running", "it is there again"))
    again = stage.player.requests[-1]
    assert again.number > asked.number
    assert (again.track, again.asked, list(again.faders_db)) == (0, {"tender": 0.1}, faders)
    assert stage.get("state/target_phase") == "solving"
    stage.session.handle_message(
        ProcessStatus("analyzer", "running", "it is there again")
    )  # (what was lost on the way)
    stage.set("target_off")
    stage.session.handle_message(ProcessStatus("analyzer", "running", "it is there again"))
    assert len(stage.player.requests) == 3
    assert stage.get("state/target_phase") == "off"


def test_every_new_address_says_what_it_takes():
    named = {parameter.address: parameter for parameter in PARAMETERS}
    assert named[TENDER].optional
    assert named[TENDER].validate("off") is None
    assert named[TENDER].validate(None) is None
    with pytest.raises(InputError, match="a number, nil or off"):
        named[TENDER].validate("loud")
    with pytest.raises(InputError, match="out of range"):
        named[TENDER].validate(0.3)
    with pytest.raises(InputError, match="wants a number"):
        named[MODALITY].validate("off")
