"""Snapshots, morphs, the crossfader, undo, presets and cue points through a session that plays offline."""

import pytest
from moodfader.control.show.cue_points import CuePoints
from moodfader.models.common.errors import InputError


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
