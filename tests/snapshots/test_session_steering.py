"""Snapshots, morphs, undo, cue points and targets through a session that plays offline; recorded, and replayed."""

import re

import numpy as np
import pytest
from helpers.offline_player import OfflinePlayer
from moodfader.control.parameters.table import PARAMETERS, ROOT
from moodfader.control.session.session import Session
from moodfader.control.session.values import analyzed_tracks
from moodfader.control.show.cue_points import CuePoints
from moodfader.engine.analysis.surrogate import TrackSummary
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.performance.automation_file import AutomationWriter, read_automation
from moodfader.engine.performance.performance import render_events
from moodfader.engine.processes.messages import MeasuredEffect, ProcessStatus, TargetsSolved, TrackAnalyzed
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL, N_BANDS
from moodfader.models.common.errors import InputError

RATE = 22050
MODALITY, TENDER = f"{ROOT}/midlevel/modality", f"{ROOT}/target/tender"
LAYER = np.random.default_rng(3).normal(size=(8, 7)).astype(np.float32)


def noise(seconds, seed=1):
    return (0.2 * np.random.default_rng(seed).uniform(-1, 1, (round(seconds * RATE), 2))).astype(np.float32)


def mask(seed=2):
    labels = np.arange(100)[:, None] // 10 + np.zeros((1, N_BANDS), int)
    weights = np.random.default_rng(seed).uniform(-1, 1, (10, 7)).astype(np.float32)
    return SegmentMask(labels.astype(np.int32), weights, sample_rate=RATE)


class LinearSurrogate:
    """What an analysis says: each feature moves by .01 a dB of its fader times `scale`, emotions by a layer."""

    before = dict.fromkeys(EMOTIONS, 0.5)

    def __init__(self, scale=1.0):
        self.slopes = scale * 0.01 * LAYER

    def expected_effect(self, faders_db):
        shifts = self.slopes @ np.asarray(faders_db, float)
        return dict.fromkeys(MIDLEVEL, 0.0) | dict(zip(EMOTIONS, map(float, shifts), strict=True))


@pytest.fixture
def stage(tmp_path, monkeypatch):
    return Stage(tmp_path, monkeypatch)


class Stage:
    """Two tracks of noise, a session that records, and what sounded."""

    def __init__(self, tmp_path, monkeypatch):
        monkeypatch.setattr(analyzed_tracks, "Surrogate", lambda summary: LinearSurrogate(summary.duration_s))
        self.file = tmp_path / "kept.jsonl"
        self.notes = []
        self.session = Session(record=AutomationWriter(self.file), note=self.notes.append)
        self.buffers = [SampleBuffer.from_array(noise(20, seed), sample_rate=RATE) for seed in (1, 2)]
        self.masks = [mask(1), mask(2)]
        self.player = OfflinePlayer(self.buffers, self.masks, self.session.handle_message)
        self.session.attach(self.player, tracks=["0.wav", "1.wav"])
        self.sound = np.zeros((0, 2), np.float32)

    def analyzed(self, track, scale=1.0):
        summary = TrackSummary(None, f"{track}" * 64, "m", scale, 10.0, LinearSurrogate.before, LAYER)
        self.session.handle_message(TrackAnalyzed(track, summary))

    def set(self, name, value=True, source="test"):
        self.session.set(f"{ROOT}/{name}", value, source=source)

    def get(self, name):
        return self.session.get(f"{ROOT}/{name}")

    def faders(self):
        return [self.get(f"midlevel/{name}") for name in MIDLEVEL]

    def play(self, seconds):
        left = round(seconds * RATE)
        while left:
            count = min(left, RATE // 50)
            self.sound = np.concatenate((self.sound, self.player.render(count)))
            self.session.refresh()
            left -= count


def test_snapshots_are_stored_recalled_named_and_listed(stage):
    stage.set("midlevel/modality", 6.0)
    stage.set("wet", 0.5)
    stage.set("snapshot/store", 1)
    stage.set("snapshot/name", "Verse")
    stage.set("zero")
    stage.set("snapshot/store", 9)
    names = [stage.get(f"snapshot/{name}") for name in ("names/1", "names/9", "slot")]
    assert names == ["Verse", "9", 9]
    stage.set("snapshot/recall", 1)
    assert (stage.get("midlevel/modality"), stage.get("wet")) == (6.0, 0.5)
    before = stage.session.state()
    for name, value in (("snapshot/recall", 2), ("morph/to", 4), ("morph/position", 0.5), ("cue/go", 1)):
        with pytest.raises(InputError, match=r"empty|not set"):
            stage.set(name, value)
    assert stage.session.state() == before
    stage.set("snapshot/clear", 1)
    assert stage.get("snapshot/names/1") == ""


def test_a_morph_takes_as_long_as_asked_and_ends_exactly(stage):
    stage.set("snapshot/store", 1)
    stage.set("midlevel/modality", 6.0)
    stage.set("midlevel/dissonance", -3.3)
    stage.set("snapshot/store", 2)
    stage.set("snapshot/recall", 1)
    stage.set("morph/seconds", 2.0)
    stage.set("transport/play")
    stage.set("morph/to", 2)
    values = []
    for _ in range(110):
        stage.play(0.02)
        values.append(stage.get("midlevel/modality"))
    assert values == sorted(values)
    assert values[49] == pytest.approx(3.0, abs=0.1)  # after a second
    assert 0 < values[97] < 6.0
    assert values[-1] == 6.0
    assert stage.get("midlevel/dissonance") == -3.3
    assert stage.get("morph/progress") is None
    stage.set("morph/to", 1)
    stage.play(0.5)
    assert 0.2 < stage.get("morph/progress") < 0.3
    stage.set("midlevel/articulation", 1.0)  # a hand: the morph ends where it is
    held = stage.get("midlevel/modality")
    stage.play(1.0)
    assert stage.get("midlevel/modality") == held
    assert stage.get("morph/progress") is None


def test_the_crossfader_goes_between_two_snapshots(stage):
    stage.set("midlevel/modality", -4.0)
    stage.set("snapshot/store", 3)
    stage.set("midlevel/modality", 8.0)
    stage.set("snapshot/store", 7)
    stage.set("morph/a", 3)
    stage.set("morph/b", 7)
    for position, wanted in ((0.0, -4.0), (0.25, -1.0), (1.0, 8.0)):
        stage.set("morph/position", position)
        assert stage.get("midlevel/modality") == pytest.approx(wanted)


def test_undo_and_redo_take_gestures(stage):
    stage.set("transport/play")
    for step in range(10):
        stage.set("midlevel/modality", step / 2)
        stage.play(0.02)
    stage.play(1)
    stage.set("midlevel/dissonance", 3.0)
    stage.play(1)
    stage.set("zero")
    assert stage.get("state/undo") == 3
    stage.set("undo")
    assert (stage.get("midlevel/modality"), stage.get("midlevel/dissonance")) == (4.5, 3.0)
    stage.set("undo")
    assert (stage.get("midlevel/modality"), stage.get("midlevel/dissonance")) == (4.5, 0.0)
    stage.set("redo")
    assert stage.get("midlevel/dissonance") == 3.0
    stage.set("undo")
    stage.set("undo")
    assert stage.faders() == [0.0] * 7
    assert (stage.get("state/undo"), stage.get("state/redo")) == (0, 3)
    with pytest.raises(InputError, match="nothing to take back"):
        stage.set("undo")


def test_faders_are_saved_as_a_preset(stage, tmp_path, monkeypatch):
    monkeypatch.setenv("MOODFADER_CONFIG", str(tmp_path))
    stage.set("midlevel/modality", 6.0)
    stage.set("preset/save", "mine")
    stage.set("zero")
    stage.set("preset/load", "mine")
    assert stage.get("midlevel/modality") == 6.0
    for wrong in ("mine", "../mine", ""):
        with pytest.raises(InputError):
            stage.set("preset/save", wrong)


def test_cue_points_are_those_of_the_track_that_plays(stage, tmp_path):
    stage.session._state.show_control.cues = CuePoints(tmp_path / "cues.json")
    stage.set("transport/play")
    stage.play(2)
    stage.set("cue/set", 1)
    there = stage.get("cue/points/1")
    assert there == pytest.approx(2.0, abs=0.05)
    stage.analyzed(0)
    stage.set("transport/track", 1)
    stage.play(1)
    assert stage.get("cue/points/1") is None
    stage.set("transport/track", 0)
    stage.play(0.5)
    stage.set("cue/go", 1)
    stage.play(0.5)
    assert stage.get("transport/position") == pytest.approx(there + 0.5, abs=0.05)
    assert CuePoints(tmp_path / "cues.json").of(5, "0" * 64) == {1: there}


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


def test_a_recorded_show_with_snapshots_morphs_and_targets_is_its_replay(stage):
    """Sample for sample, by what any version can replay: nothing but faders and what was there before."""
    stage.analyzed(0)
    stage.analyzed(1, scale=1.5)
    stage.set("transport/play")
    stage.play(0.5)
    stage.set("midlevel/modality", 7.0)
    stage.set("snapshot/store", 1)
    stage.play(0.4)
    stage.set("target/tender", 0.1)
    stage.set("target/energy", -0.03)
    stage.play(0.4)
    request = stage.player.requests[-1]
    stage.session.handle_message(
        TargetsSolved(request.number, 0, (4.0, -2.0, 1.0, 0.0, 3.0, 6.0, -1.0), dict.fromkeys(EMOTIONS, 0.05))
    )
    stage.play(0.7)
    stage.set("cue/set", 2)
    stage.set("snapshot/store", 2)
    stage.set("morph/seconds", 0.8)
    stage.set("morph/to", 1)
    stage.play(0.5)
    stage.set("undo")
    stage.play(0.3)
    stage.set("cue/go", 2)
    for position in np.linspace(0, 1, 20):
        stage.set("morph/position", float(position))
        stage.play(0.03)
    stage.set("transport/track", 1)
    stage.set("morph/to", 2)
    stage.play(1.2)
    stage.set("bypass", True)
    stage.play(0.2)
    stage.set("bypass", False)
    stage.set("zero")
    stage.play(0.3)
    stage.session.close()
    history = read_automation(stage.file)
    allowed = re.compile(rf"{ROOT}/(midlevel/\w+|transport/\w+|track/ready|bypass|wet)")
    assert all(allowed.fullmatch(change.address) for change in history.changes)
    played = np.concatenate(list(render_events(stage.buffers, stage.masks, history.changes, samples=history.samples)))
    assert len(played) == len(stage.sound)
    assert np.array_equal(played, stage.sound)
    assert np.abs(played - np.concatenate([noise(20, 1), noise(20, 2)])[: len(played)]).max() > 0.01


def test_cues_presets_and_targets_are_those_of_a_track_that_was_asked_for_with_them(stage):
    stage.analyzed(0)
    stage.analyzed(1, scale=2.0)
    stage.set("transport/play")
    stage.play(0.1)
    stage.set("transport/track", 1)
    stage.set("transport/seek", 8.0)
    stage.set("transport/skip", 1.0)
    stage.set("cue/set", 1)
    stage.set("track/preset", "dolce")
    stage.set("target/tender", 0.1)
    assert stage.player.requests[-1].track == 1
    stage.set("snapshot/store", 1)
    assert stage.session.stored_snapshots[1].track == -1
    stage.play(0.1)
    assert stage.get("cue/points/1") == 9.0
    assert stage.get("track/preset") == "dolce"
    stage.set("transport/track", 0)
    stage.play(0.1)
    assert stage.get("cue/points/1") is None
    assert stage.get("track/preset") == ""
    stage.set("transport/track", 1)
    stage.set("cue/go", 1)
    stage.play(0.1)
    assert stage.get("transport/position") == pytest.approx(9.0, abs=0.2)


def test_what_was_measured_on_the_track_before_is_not_shown_of_the_next(stage):
    measured = dict.fromkeys((*EMOTIONS, *MIDLEVEL), 0.5)
    stage.set("transport/play")
    stage.play(0.1)
    stage.session.handle_message(MeasuredEffect(0, 10.0, measured, measured, False))
    assert stage.get("measured/happy") == 0.5
    stage.set("transport/track", 1)
    stage.play(0.1)
    assert stage.get("measured/happy") is None
    stage.session.handle_message(MeasuredEffect(0, 10.0, measured, measured, False))
    assert stage.get("measured/happy") is None
    stage.session.handle_message(MeasuredEffect(1, 10.0, measured, measured, False))
    assert stage.get("measured/happy") == 0.5


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
