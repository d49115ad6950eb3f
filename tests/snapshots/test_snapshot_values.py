"""Snapshots and morphs as values: exact ends, monotone, linear in dB, no NaN; undo, slots, cue points."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moodfader.control.show.cue_points import CuePoints
from moodfader.control.show.history import SteeringHistory
from moodfader.control.show.slots import SnapshotSlots
from moodfader.engine.snapshots.morph import Morph, beats_to_seconds
from moodfader.engine.snapshots.snapshot import Snapshot
from moodfader.models.common.constants import EMOTIONS
from moodfader.models.common.errors import InputError

decibels = st.floats(-12, 12)
snapshots = st.builds(
    Snapshot,
    st.tuples(*[decibels] * 7),
    st.dictionaries(st.sampled_from(EMOTIONS), st.floats(-0.2, 0.2), max_size=4),
    st.floats(0, 1),
)


@given(snapshots, snapshots)
def test_the_ends_of_a_morph_are_exact(start, end):
    morph = Morph(start, end, 3.0)
    assert morph.at(-1) == morph.at(0) == start
    assert morph.at(3.0) == morph.at(1e9) == end


@given(snapshots, snapshots, st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_a_morph_is_monotone_and_never_leaves_its_ends(start, end, positions):
    path = [start.mixed(end, position) for position in sorted(positions)]
    for k in range(7):
        values = [snapshot.faders_db[k] for snapshot in path]
        rising = end.faders_db[k] >= start.faders_db[k]
        assert values == sorted(values, reverse=not rising)
        low, high = sorted((start.faders_db[k], end.faders_db[k]))
        assert all(low <= value <= high for value in values)
    assert all(math.isfinite(value) for snapshot in path for value in (*snapshot.faders_db, snapshot.wet))


@given(snapshots, snapshots, st.floats(0.01, 0.99))
def test_faders_are_linear_in_decibels_and_common_targets_linear(start, end, position):
    mixed = start.mixed(end, position)
    wanted = np.array(start.faders_db) * (1 - position) + np.array(end.faders_db) * position
    assert np.allclose(mixed.faders_db, wanted, atol=1e-9)
    assert set(mixed.targets) == set(start.targets) & set(end.targets)
    for name, value in mixed.targets.items():
        assert value == pytest.approx(start.targets[name] * (1 - position) + end.targets[name] * position, abs=1e-12)


@given(snapshots, snapshots, st.floats(0, 1))
def test_a_morph_read_backwards_is_the_morph_back(start, end, position):
    there, back = start.mixed(end, position), end.mixed(start, 1 - position)
    assert np.allclose(there.faders_db, back.faders_db, atol=1e-9)


@pytest.mark.parametrize("faders", [(0.0,) * 6, (0.0,) * 6 + (12.5,), (0.0,) * 6 + (math.nan,)])
def test_what_is_no_snapshot_is_refused(faders):
    with pytest.raises(InputError):
        Snapshot(faders)
    for wrong in ({"targets": {"tend": 0.1}}, {"targets": {"tender": math.nan}}, {"wet": 1.1}, {"wet": math.nan}):
        with pytest.raises(InputError):
            Snapshot(**wrong)
    for seconds in (-1.0, math.nan, math.inf):
        with pytest.raises(InputError):
            Morph(Snapshot(), Snapshot(), seconds)
    with pytest.raises(InputError):
        Snapshot().mixed(Snapshot(), math.nan)


def test_beats_become_seconds():
    assert beats_to_seconds(3, 90) == 2.0
    for beats, tempo in ((-1, 120), (math.nan, 120), (1, 0), (1, 1001)):
        with pytest.raises(InputError):
            beats_to_seconds(beats, tempo)


def at(value):
    return Snapshot((float(value), *(0.0,) * 6))


def test_a_gesture_is_one_step():
    history = SteeringHistory()
    for step in range(30):  # a drag, a message every 20 ms
        history.note(at(step / 10), kind="faders", source="osc", time_s=step * 0.02)
    assert history.undo_steps == 1
    history.note(at(3), kind="faders", source="midi", time_s=0.6)  # somebody else
    history.note(at(4), kind="faders", source="midi", time_s=2.0)  # after a rest
    history.note(at(5), kind="zero", source="midi", time_s=2.1, whole=True)
    assert history.undo_steps == 4


@given(st.lists(st.sampled_from(["move", "undo", "redo"]), max_size=40))
def test_undo_and_redo_go_along_one_line(actions):
    """Against a model: a list of states and where in it one is."""
    history, line, place, number = SteeringHistory(), [at(0)], 0, 0
    for time_s, action in enumerate(actions):
        if action == "move":
            number += 1
            history.note(line[place], kind="faders", source="x", time_s=float(time_s))
            line = [*line[: place + 1], at(number % 12)]
            place += 1
        elif action == "undo" and place == 0:
            with pytest.raises(InputError, match="nothing to take back"):
                history.undo(line[place])
        elif action == "undo":
            assert history.undo(line[place]) == line[place - 1]
            place -= 1
        elif place == len(line) - 1:
            with pytest.raises(InputError, match="nothing to do again"):
                history.redo(line[place])
        else:
            assert history.redo(line[place]) == line[place + 1]
            place += 1
        assert (history.undo_steps, history.redo_steps) == (place, len(line) - 1 - place)


def test_slots_are_named_and_cleared():
    slots = SnapshotSlots()
    with pytest.raises(InputError, match="store one first"):
        slots.get(3)
    with pytest.raises(InputError, match="names slot 3"):
        slots.rename("Verse")
    slots.store(3, at(1), 0)
    slots.rename("Verse")
    slots.store(5, at(2), 0)
    slots.rename("3: Chorus: loud")
    shown = slots.values()
    assert shown["/moodfader/snapshot/names/3"] == "Chorus: loud"
    assert shown["/moodfader/snapshot/names/5"] == "5"
    assert shown["/moodfader/snapshot/slot"] == 5
    slots.store(3, at(4), 0)
    assert slots.values()["/moodfader/snapshot/names/3"] == "Chorus: loud"
    slots.clear(3)
    for wrong in ("", "  ", "12: x", "3: gone", "x" * 41):
        with pytest.raises(InputError):
            slots.rename(wrong)
    with pytest.raises(InputError, match="there are snapshots in 5"):
        slots.get(3)


def test_cue_points_move_with_the_sound(tmp_path):
    file = tmp_path / "there" / "cues.json"
    cues = CuePoints(file)
    cues.set(2, 12.3456, track=0, digest=None)  # not analysed yet
    assert not file.exists()
    cues.identify(0, "a" * 64)
    cues.set(1, 1.0, track=0, digest="a" * 64)
    again = CuePoints(file)  # another show, where the sound is track 4
    assert again.of(4, "a" * 64) == {2: 12.346, 1: 1.0}
    assert again.of(0, "b" * 64) == {}
    again.clear(2, track=4, digest="a" * 64)
    assert CuePoints(file).of(0, "a" * 64) == {1: 1.0}
    with pytest.raises(InputError, match="cue 2 is not set"):
        again.position(2, track=4, digest="a" * 64)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"cues": []}',
        '{"cues": {"a": {"0": 1}}}',
        '{"cues": {"a": {"1": -1}}}',
        '{"cues": {"a": {"1": "x"}}}',
        '{"cues": {"a": {"1": NaN}}}',
        json.dumps({"cues": {"a": {"11": 1}}}),
    ],
)
def test_cue_points_that_are_none_are_refused(tmp_path, content):
    file = tmp_path / "cues.json"
    file.write_text(content)
    with pytest.raises(InputError, match=r"cues\.json"):
        CuePoints(file)
