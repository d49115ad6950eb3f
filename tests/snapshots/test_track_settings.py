"""What belongs to a track: its preset and cue points, kept by its sound; what a set list says."""

import json

import numpy as np
import pytest
from helpers.offline_player import OfflinePlayer
from moodfader.control.parameters.table import PARAMETERS, ROOT
from moodfader.control.session.session import Session
from moodfader.control.show.cue_points import CuePoints
from moodfader.control.show.kept_settings import read_kept
from moodfader.control.show.moment import Moment
from moodfader.control.show.show_control import ShowControl
from moodfader.control.show.slots import StoredSnapshot
from moodfader.control.show.track_settings import TrackPresets, TrackSettings
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.snapshots.snapshot import Snapshot
from moodfader.models.common.errors import InputError

SUNG, PLAYED = "a" * 64, "b" * 64
DEFAULTS = {one.address: one.default for one in PARAMETERS}
FADER = "/moodfader/midlevel/modality"


def test_a_preset_is_kept_by_the_sound_and_found_when_the_file_has_moved(tmp_path):
    path = tmp_path / "track_presets.json"
    presets = TrackPresets(path)
    presets.set("dolce", track=0, digest=SUNG)
    presets.set("agitato", track=1, digest=None)  # not analysed yet
    presets.identify(1, PLAYED)
    again = TrackPresets(path)
    assert (again.of(7, SUNG), again.of(3, PLAYED), again.of(0, None)) == ("dolce", "agitato", "")
    again.set("", track=7, digest=SUNG)
    assert TrackPresets(path).of(0, SUNG) == ""


def test_what_is_set_in_the_show_goes_before_the_set_list_and_that_before_what_is_kept(tmp_path):
    presets = TrackPresets(tmp_path / "presets.json")
    presets.set("dolce", track=5, digest=SUNG)
    presets.give([TrackSettings("agitato"), TrackSettings()])
    assert (presets.of(0, SUNG), presets.of(1, SUNG)) == ("agitato", "dolce")
    presets.set("", track=0, digest=None)
    assert presets.of(0, SUNG) == ""


@pytest.mark.parametrize(
    "text", ["[", "{}", '{"presets": [1]}', '{"presets": {"a": 3}}', '{"presets": {"a": "\\n"}}']
)
def test_a_file_that_is_something_else_is_told_and_left_alone(tmp_path, text):
    path = tmp_path / "track_presets.json"
    path.write_text(text)
    with pytest.raises(InputError, match="track_presets") as caught:
        TrackPresets(path)
    assert "\n" not in str(caught.value)
    notes = []
    read_kept(ShowControl(), tmp_path, notes.append)
    assert len(notes) == 1
    assert path.read_text() == text


def test_cue_points_of_a_set_list_are_there_until_they_are_set_anew(tmp_path):
    path = tmp_path / "cues.json"
    cues = CuePoints(path)
    cues.set(1, 5.0, track=0, digest=SUNG)
    cues.give(0, {1: 7.0, 2: 8.0})
    assert cues.of(0, SUNG) == {1: 7.0, 2: 8.0}
    cues.set(1, 9.0, track=0, digest=SUNG)
    cues.clear(2, track=0, digest=SUNG)
    assert cues.of(0, SUNG) == {1: 9.0}
    assert json.loads(path.read_text()) == {"cues": {SUNG: {"1": 9.0}}}


def begun(steering, digest=None, *, track=0, with_preset=True):
    moment = Moment(track=track, digest=digest)
    steering.begin_track(moment, with_preset=with_preset)
    return steering.track_preset(moment)


def test_a_track_begins_with_its_preset_once():
    steering = ShowControl()
    steering.use_set_list([TrackSettings("dolce"), TrackSettings("agitato")])
    assert begun(steering) == "dolce"
    assert steering.track_preset(Moment()) == ""
    assert begun(steering, track=1) == "agitato"
    assert begun(steering, with_preset=False) == ""


def test_a_preset_that_is_known_by_the_sound_comes_with_the_analysis_unless_somebody_steers_before():
    steering = ShowControl()
    steering.presets.set("dolce", track=9, digest=SUNG)
    assert begun(steering) == ""
    assert steering.track_preset(Moment(digest=SUNG)) == "dolce"
    assert begun(steering) == ""
    steering.follow(FADER, 3.0, {FADER: 3.0}, DEFAULTS, Moment(), "osc")
    assert steering.track_preset(Moment(digest=SUNG)) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [("snapshot/recall", 1), ("morph/to", 1), ("morph/position", 0.5), ("undo", True), ("target/tender", 0.1)],
)
def test_no_preset_comes_with_the_analysis_after_a_recall_a_morph_a_target_or_a_step_back(name, value):
    steering = ShowControl()
    steering.presets.set("dolce", track=9, digest=SUNG)
    for slot in (1, 2):
        steering.follow(f"{ROOT}/snapshot/store", slot, {}, DEFAULTS, Moment(), "osc")
    steering.follow(FADER, 3.0, {FADER: 3.0}, DEFAULTS, Moment(), "osc")
    assert begun(steering) == ""
    steering.follow(f"{ROOT}/{name}", value, {}, DEFAULTS, Moment(), "osc")
    assert steering.track_preset(Moment(digest=SUNG)) == ""


def test_what_is_asked_together_with_a_track_is_for_that_track(session_on_two_tracks):
    session, player = session_on_two_tracks
    session.set(f"{ROOT}/transport/track", 1)
    session.set(f"{ROOT}/snapshot/recall", 1)  # (the second track's, before it has begun)
    assert session.get(f"{ROOT}/snapshot/names/1") == "Bridge"
    assert session.get(f"{ROOT}/wet") == 0.7
    session.set(f"{ROOT}/snapshot/store", 2)
    player.render(2048)
    session.refresh()
    assert session.get(f"{ROOT}/transport/track") == session.meters.track == 1
    assert session.get(f"{ROOT}/wet") == 0.7  # (no preset of the second track undoes that)
    assert session.get(FADER) == 0.0
    assert session.stored_snapshots[2].snapshot.wet == 0.7
    session.set(f"{ROOT}/transport/track", 0)
    player.render(2048)
    session.refresh()
    assert session.get("/moodfader/midlevel/dissonance") != 0.0  # (nobody steered: the preset of the first one)


def test_snapshots_of_a_set_list_come_into_their_slots_when_their_track_begins():
    verse, chorus = (StoredSnapshot(Snapshot(wet=wet), name, 0) for wet, name in ((0.5, "Verse"), (0.7, "Chorus")))
    steering = ShowControl()
    steering.use_set_list([TrackSettings(snapshots={1: verse}), TrackSettings(snapshots={2: chorus})])
    begun(steering)
    assert steering.slots.all() == {1: verse}
    begun(steering, track=1)
    assert steering.slots.all() == {1: verse, 2: chorus}


def test_a_show_that_goes_on_is_not_steered_by_the_set_list_again():
    mine = StoredSnapshot(Snapshot(wet=0.1), "Mine", 1)
    steering = ShowControl()
    steering.use_set_list([TrackSettings("dolce"), TrackSettings("agitato", snapshots={1: mine})])
    assert begun(steering) == "dolce"
    steering.resume({1: StoredSnapshot(Snapshot(wet=0.9), "Other", 1)}, 1, 0)
    assert begun(steering, track=1) == ""
    assert steering.slots.get(1).name == "Other"
    assert begun(steering) == "dolce"  # and the next tracks begin as ever
    steering.resume({}, 0, 0)
    assert steering.track_preset(Moment()) == ""
    assert begun(steering, track=1) == "agitato"


@pytest.fixture
def session_on_two_tracks(tmp_path, monkeypatch):
    """A session that plays offline a set list whose second track has a preset and a snapshot; and its player."""
    monkeypatch.setenv("MOODFADER_CONFIG", str(tmp_path / "config"))
    session = Session()
    bridge = StoredSnapshot(Snapshot(wet=0.7), "Bridge", 1)
    settings = [TrackSettings("dolce"), TrackSettings("agitato", snapshots={1: bridge})]
    session._state.show_control.use_set_list(settings)
    sounds = [SampleBuffer.from_array(np.zeros((22050, 2), np.float32), sample_rate=22050) for _ in range(2)]
    player = OfflinePlayer(sounds, [None, None], session.handle_message)
    session.attach(player, tracks=["0.wav", "1.wav"])
    session.set(f"{ROOT}/zero", True)
    yield session, player
    session.close()


def test_the_session_saves_a_snapshot_as_a_preset_and_counts_it(session_without_player):
    session = session_without_player
    session.set(FADER, 4.5)
    session.set("/moodfader/snapshot/store", 3)
    session.set(FADER, 0.0)
    session.set("/moodfader/snapshot/preset", "3: of_three")
    session.set("/moodfader/snapshot/preset", "of_the_last")
    assert session.get("/moodfader/state/presets") == 2
    for name in ("of_three", "of_the_last"):
        session.set("/moodfader/zero", True)
        session.set("/moodfader/preset/load", name)
        assert session.get(FADER) == 4.5
    for text, said in (("4: x", "empty"), ("3: a b", "letters"), ("12: x", "slots go"), ("of_three", "exists")):
        with pytest.raises(InputError, match=said):
            session.set("/moodfader/snapshot/preset", text)
    with pytest.raises(InputError, match="no preset is called"):
        session.set("/moodfader/track/preset", "nowhere")


@pytest.fixture
def session_without_player(tmp_path, monkeypatch):
    monkeypatch.setenv("MOODFADER_CONFIG", str(tmp_path / "config"))
    session = Session()
    yield session
    session.close()
