"""The show that is kept: what is written is read again, nothing else is, and it goes on after a crash."""

import json
import os
import re
import shutil
import signal
import threading
from pathlib import Path

import pytest
from helpers.logged_session import LoggedSession
from helpers.program import run_program
from helpers.show import Show
from helpers.waiting import until
from moodfader.control.saved_session.keeper import ShowKeeper, crashed_show, restore_show, show_file
from moodfader.control.saved_session.saved_show import SavedShow, read_show, write_show
from moodfader.control.show.slots import StoredSnapshot
from moodfader.engine.snapshots.snapshot import Snapshot
from moodfader.models.common.errors import InputError

DEMO = Path(__file__).parents[2] / "presets" / "demo.ogg"
FADER = "/moodfader/midlevel/modality"
WHOLE = SavedShow(
    tracks=(Path("/a/b.ogg"), Path("/a/ü.ogg")),
    given=(Path("/a/set.m3u8"),),
    track=1,
    position_s=12.5,
    playing=True,
    values={FADER: 3.5, "/moodfader/wet": 0.5, "/moodfader/target/tender": 0.1, "/moodfader/bypass": True},
    snapshots={2: StoredSnapshot(Snapshot((1.0,) * 7, {"tender": 0.05}, 0.25), "Chorus", 1)},
    ended=True,
)
SET_LIST = """
format = "moodfader set list"
version = 1
[[track]]
file = "one.ogg"
title = "Opening night"
preset = "dolce"
cues = { 2 = 20 }
[[track]]
file = "two.ogg"
preset = "agitato"
[[track.snapshot]]
slot = 4
name = "Loud"
faders = { dissonance = 5 }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MOODFADER_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("MOODFADER_CONFIG", str(tmp_path / "config"))
    return tmp_path


def test_what_is_written_is_read_again(tmp_path):
    write_show(tmp_path / "show.json", WHOLE)
    assert read_show(tmp_path / "show.json") == WHOLE
    assert read_show(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    "change",
    [
        {"format": "x"},
        {"version": 2},
        {"tracks": []},
        {"tracks": [3]},
        {"tracks": ["a\0b", "c"]},
        {"given": None},
        {"track": 2},
        {"track": True},
        {"position_s": -1},
        {"position_s": "3"},
        {"values": []},
        {"values": {FADER: 99}},
        {"snapshots": []},
        {"snapshots": {"0": {}}},
        {"snapshots": {"2": {"name": "x", "track": 0, "faders_db": [0] * 6, "targets": {}, "wet": 1}}},
        {"snapshots": {"2": {"name": "", "track": 0, "faders_db": [0] * 7, "targets": {}, "wet": 1}}},
        {"snapshots": {"2": {"name": "x", "track": 0, "faders_db": ["0"] * 7, "targets": {}, "wet": 1}}},
        {"snapshots": {"2": {"name": "x", "track": 0, "faders_db": [0] * 7, "targets": {"loud": 1}, "wet": 1}}},
    ],
)
def test_what_is_no_show_is_refused_in_one_line(tmp_path, change):
    path = tmp_path / "show.json"
    write_show(path, WHOLE)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=r"show\.json") as caught:
        read_show(path)
    assert "\n" not in str(caught.value)


def kept(session, notes=None):
    return ShowKeeper(session, [Path("a.ogg")], [Path("a.ogg")], note=(notes if notes is not None else []).append)


def test_a_session_is_kept_while_it_changes_and_marked_when_it_ends():
    session = LoggedSession()
    keeper = kept(session)
    try:
        session.set(FADER, 4.0)
        session.set("/moodfader/snapshot/store", 2)
        shown = until(lambda: (show := read_show(show_file())) and show.values[FADER] == 4.0 and show)
        assert not shown.ended
        assert shown.tracks == (Path("a.ogg").absolute(),)
        assert shown.snapshots[2].snapshot.faders_db[-1] == 4.0
        assert crashed_show() == ""  # it still plays
    finally:
        keeper.close()
    assert read_show(show_file()).ended
    assert crashed_show() == ""


def test_a_show_beside_another_is_not_kept():
    session, notes = LoggedSession(), []
    first = kept(session)
    try:
        second = kept(session, notes)
        second.close()
        assert len(notes) == 1
        assert not any(thread.name == "keeper" and thread is not first._thread for thread in threading.enumerate())
    finally:
        first.close()


def test_a_folder_that_cannot_be_written_to_is_told_once_and_the_show_goes_on(tmp_path):
    (tmp_path / "state").write_text("a file in the place of the folder")
    notes = []
    kept(LoggedSession(), notes).close()
    (note,) = notes
    assert "cannot be made" in note, "no other show is blamed for it"


def test_a_folder_that_is_cleared_up_in_the_middle_of_a_show_is_made_again(tmp_path):
    session, notes = LoggedSession(), []
    keeper = kept(session, notes)
    try:
        session.set(FADER, 4.0)
        until(show_file().exists)
        shutil.rmtree(tmp_path / "state")
        session.set(FADER, 5.0)
        until(lambda: show_file().exists() and read_show(show_file()).values[FADER] == 5.0)
    finally:
        keeper.close()
    assert notes == []


def test_a_show_that_came_to_its_end_goes_on_at_the_first_press_of_play(folder, pulses_file):
    pulses_file(folder / "one.wav", 1.0)
    environment = {"MOODFADER_STATE": str(folder / "state"), "MOODFADER_CONFIG": str(folder / "config")}
    with Show(folder / "one.wav", **environment) as show:
        show.until(lambda show: show.value("state/sound") == "ended")
        show.presses("qy")
        assert show.ends() == 0
    with Show("--resume", folder=folder, **environment) as show:
        show.until(lambda show: show.value("meter/latency_ms") > 0)
        show.presses(" ")
        show.until(lambda show: show.value("state/sound") == "ended")
        assert show.recorded("transport/play") == [False, True]
        assert show.recorded("transport/seek") == [0.0]
        assert show.value("transport/position") == pytest.approx(1.0, abs=0.1)


def test_a_restored_session_is_as_it_was_apart_from_what_is_gone():
    session = LoggedSession()
    session.publish({"/moodfader/transport/tracks": 2})
    restore_show(session, WHOLE)
    assert session.get(FADER) == 3.5
    assert session.get("/moodfader/bypass") is True
    assert session.get("/moodfader/target/tender") == 0.1
    assert session.get("/moodfader/transport/track") == 1
    assert session.get("/moodfader/snapshot/names/2") == "Chorus"
    session.set("/moodfader/snapshot/recall", 2)
    assert session.get("/moodfader/wet") == 0.25


@pytest.fixture
def set_list(folder):
    for name in ("one.ogg", "two.ogg"):
        shutil.copy(DEMO, folder / name)
    path = folder / "show.toml"
    path.write_text(SET_LIST)
    return path


def test_a_set_list_plays_with_presets_cues_and_snapshots_and_goes_on_after_a_crash(set_list, folder):
    environment = {"MOODFADER_STATE": str(folder / "state"), "MOODFADER_CONFIG": str(folder / "config")}
    with Show(set_list, "--paused", **environment) as show:
        show.until(lambda show: show.value("preset/load") == "dolce")
        show.sees("Opening night")
        assert show.value("cue/points/2") == 20.0
        show.set("transport/next", 1)
        show.until(lambda show: show.value("preset/load") == "agitato")
        show.until(lambda show: show.value("snapshot/names/4") == "Loud")
        show.set("snapshot/recall", 4)
        show.set("midlevel/modality", 2.5)
        show.set("snapshot/store", 7)
        show.set("transport/seek", 11.0)
        show.until(lambda show: show.value("transport/position") == pytest.approx(11.0, abs=0.1))
        state = folder / "state" / "show.json"
        until(lambda: state.exists() and (kept := read_show(state)).values[FADER] == 2.5 and kept.position_s > 10.9)
        os.kill(show.process.pid, signal.SIGKILL)
        show.process.wait(20)
    ended = run_program("play", DEMO, "--resume", "--backend", "null", "--no-osc", **environment)
    assert ended.code == 2
    assert re.search("the last show was another one .show.toml", ended.err)
    with Show("--resume", **environment) as show:
        show.until(lambda show: show.value("midlevel/modality") == 2.5)
        assert show.value("midlevel/dissonance") == 5.0
        assert show.value("snapshot/names/7") == "7"
        show.until(lambda show: show.value("transport/track") == 1)
        show.until(lambda show: show.value("transport/position") == pytest.approx(11.0, abs=0.1))
        assert not show.value("transport/play")  # as it was
        show.until(lambda show: show.value("meter/latency_ms") > 0)
        assert show.value("midlevel/modality") == 2.5  # the preset of the track has not come once more


def test_a_show_that_was_cut_off_is_told_of_and_one_that_was_ended_is_not(folder):
    write_show_of_a_crash(folder)
    line = crashed_show()
    assert "--resume" in line
    assert "track 2 of 2" in line
    (folder / "state" / "show.json").write_text("[")
    assert crashed_show() == ""


def write_show_of_a_crash(folder):
    from dataclasses import replace

    (folder / "state").mkdir()
    write_show(folder / "state" / "show.json", replace(WHOLE, ended=False))


def test_resume_without_a_show_and_with_a_file_that_is_gone_are_one_line(folder):
    environment = {"MOODFADER_STATE": str(folder / "state")}
    ended = run_program("play", "--resume", "--backend", "null", "--no-osc", **environment)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "no show has been kept" in ended.err
    write_show_of_a_crash(folder)
    ended = run_program("play", "--resume", "--backend", "null", "--no-osc", **environment)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "is not there any more" in ended.err


@pytest.mark.slow
def test_prepare_analyses_a_set_list_once_and_names_what_cannot_be_played(folder, pulses_file):
    pulses_file(folder / "one.wav", 3.0)
    (folder / "broken.wav").write_bytes(b"RIFF")
    (folder / "set.m3u8").write_text("one.wav\none.wav\n")
    environment = {"MOODFADER_CACHE": str(folder / "cache")}
    first = run_program("play", folder / "set.m3u8", "--prepare", "--json", **environment)
    again = run_program("play", folder / "set.m3u8", "--prepare", "--json", **environment)
    lines = [[json.loads(line) for line in ended.out.splitlines()] for ended in (first, again)]
    assert [[line["analysed"] for line in one] for one in lines] == [[True], [False]]
    ended = run_program("play", folder / "broken.wav", "--prepare", **environment)
    assert ended.code == 2
    assert ended.err.count("\n") == 1


@pytest.fixture
def pulses_file():
    import numpy as np
    import soundfile

    def write(path, seconds):
        time = np.arange(round(seconds * 22050)) / 22050
        soundfile.write(path, 0.15 * np.sin(2 * np.pi * 220 * time) * np.exp(-6 * (time % 0.5)), 22050)

    return write
