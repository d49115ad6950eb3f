"""What `play --no-terminal` and `play --json` say of a moment."""

import json
from pathlib import Path

import pytest
from helpers.terminal_stage import EFFECTS, perform
from moodfader.control.tui.status_line import format_status, status_snapshot
from moodfader.engine.processes.messages import PlayerMeters
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL

METERS = PlayerMeters(
    track=0,
    position_s=71.5,
    duration_s=200.0,
    playing=True,
    ended=False,
    peak=0.5,
    load=0.05,
    underruns=1,
    xruns=0,
    buffered=2048,
    latency_s=0.0336,
)


@pytest.fixture
def status(session):
    def of(scene):
        perform(session, scene)
        return status_snapshot(session, [Path("song.flac")], METERS)

    return of


def test_the_line_says_where_it_is_what_sounds_what_the_faders_do_and_how_well_it_runs(status):
    line = format_status(status("steered"))
    effects = "valence −03, tension +12, anger +01, fear +04, happy −05, sad +02"
    parts = line.split(" | ")
    assert parts[:2] == ["1:11/3:20", "steered"]
    assert parts[2].replace("0.", "") == f"effect: {effects}"
    assert parts[3] == "melodiousness -12 dB, rhythmic stability +2 dB, dissonance +6 dB, tonal stability -7.5 dB"
    assert parts[4] == "-6 dBTP, load 5%, 34 ms, 1 underrun, 0 xruns"


def test_the_line_says_that_there_is_no_analysis_yet(status, session):
    line = format_status(status("no analysis"))
    assert "| original, the faders wait: no analysis yet (34%) | analysed 0% |" in line
    session.publish({"/moodfader/expected/happy": 0.05, "/moodfader/expected/sad": 0.001})
    line = format_status(status_snapshot(session, [Path("song.flac")], METERS))
    assert "| expected effect: happy +0.05 |" in line


def test_an_effect_below_one_hundredth_is_none(status, session):
    status("steered")
    session.publish({f"/moodfader/effect/{name}": 0.0099 for name in EMOTIONS})
    assert "| effect: none |" in format_status(status_snapshot(session, [Path("song.flac")], METERS))


def test_json_has_effects_states_and_the_old_names(status):
    line = json.loads(json.dumps(status("settling"), allow_nan=False))
    assert (line["file"], line["position_s"], line["state"], line["settling"]) == ("song.flac", 71.5, "steered", True)
    assert "settling" in line["state_text"]
    assert set(line["effect"]) == set(line["expected"]) == {*EMOTIONS, *MIDLEVEL}
    assert line["effect"]["tension"] == EFFECTS["tension"][1]
    assert line["emotions"]["original"]["happy"] == EFFECTS["happy"][0]
    assert (line["underruns"], line["xruns"], line["dropouts"], line["late"]) == (1, 0, 1, 0)


def test_gains_with_the_many_digits_of_a_morph_are_shown_to_a_tenth(status):
    now = status("steered")
    now["gains_db"] = dict.fromkeys(now["gains_db"], 0.0) | {"modality": -8.8793, "dissonance": 0.0293}
    assert format_status(now).split(" | ")[3] == "modality -8.9 dB"
