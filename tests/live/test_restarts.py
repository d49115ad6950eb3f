"""Processes that are killed while a show goes on: started again, from where they were, with a line."""

import multiprocessing
import os
import signal
import threading

import numpy as np
import pytest
import soundfile
from helpers.open_files import no_more_files
from helpers.waiting import until
from moodfader.control.parameters.table import ROOT
from moodfader.control.session.session import Session
from moodfader.engine.analysis.cache import analyze
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.audio.track import load_track
from moodfader.engine.live import player as player_module
from moodfader.engine.live.player import Player
from moodfader.engine.live.player_options import PlayerOptions
from moodfader.engine.performance.automation_file import AutomationWriter, read_automation
from moodfader.engine.processes.ipc import ChildProcesses
from moodfader.engine.processes.messages import EventsApplied, ProcessStatus, SolveTargets, UseAnalysis
from moodfader.models.common.errors import InputError

RATE = 22050


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("song") / "song.wav"
    rng = np.random.default_rng(4)
    soundfile.write(path, 0.2 * rng.uniform(-1, 1, (40 * RATE, 2)), RATE, subtype="FLOAT")
    return path


@pytest.fixture
def show(file, random_model, tmp_path):
    analyze(load_track(file), model=random_model, settings=AnalysisSettings(passes=64, coupled=True))
    said = []
    options = PlayerOptions(backend="null", model=random_model.path, analysis={"passes": 64, "coupled": True})
    session = Session.play([file], options, record=AutomationWriter(tmp_path / "kept.jsonl"), note=said.append)
    session.said, session.kept = said, tmp_path / "kept.jsonl"
    yield session
    session.close()


class NoMoreProcesses(ChildProcesses):
    """The system starts none of this name."""

    def __init__(self, refused=""):
        super().__init__()
        self.refused = refused

    def start(self, target, *arguments):
        if target.__name__ == self.refused:
            raise InputError("no process can be started (Resource temporarily unavailable)")
        return super().start(target, *arguments)


def child(name):
    (process,) = [one for one in multiprocessing.active_children() if one.name == name]
    return process


def statuses(told, state=None):
    """What a player has told of its processes; of those in one state only, where that is given."""
    return [one for one in told if isinstance(one, ProcessStatus) and state in (None, one.state)]


def kill(name):
    process = child(name)
    process.kill()
    process.join()


def test_a_killed_renderer_goes_on_where_it_was_under_the_same_controls(show):
    show.set(f"{ROOT}/midlevel/modality", 9.0)
    show.set(f"{ROOT}/transport/play", True)
    show.set(f"{ROOT}/transport/seek", 20.0)
    until(lambda: show.get(f"{ROOT}/emotion/happy") is not None)
    until(lambda: show.get(f"{ROOT}/transport/position") > 20.5)
    stood = show.get(f"{ROOT}/transport/position")
    kill("render_main")
    until(lambda: any("renderer" in line and "again" in line for line in show.said))
    until(lambda: show.get(f"{ROOT}/transport/position") > stood + 0.5)
    assert show.get(f"{ROOT}/state/renderer") == "running"
    assert show.get(f"{ROOT}/transport/position") < stood + 15
    assert show.get(f"{ROOT}/state/sound") == "steered"
    show.set(f"{ROOT}/master", -6.0)
    until(lambda: "master" in show.kept.read_text())
    show.close()
    automation = read_automation(show.kept)
    assert automation.samples > 0
    again = [event for event in automation.changes if event.address.endswith("midlevel/modality")]
    assert [event.value for event in again] == [9.0, 9.0]
    assert again[1].at > again[0].at


def test_what_was_asked_of_a_renderer_that_ends_before_it_does_it_is_done_by_the_next(show):
    show.set(f"{ROOT}/transport/play", True)
    until(lambda: show.get(f"{ROOT}/transport/position") > 0.2)
    renderer = child("render_main")
    os.kill(renderer.pid, signal.SIGSTOP)
    show.set(f"{ROOT}/transport/seek", 20.0)
    show.set(f"{ROOT}/transport/play", False)
    until(lambda: not show._state.player._queue._waiting)  # (the renderer has been sent them)
    renderer.kill()
    until(lambda: show.get(f"{ROOT}/transport/position") == pytest.approx(20.0, abs=0.05))
    assert show.get(f"{ROOT}/transport/play") is False
    assert show.get(f"{ROOT}/state/sound") == "paused"


def test_a_renderer_is_put_back_though_the_file_of_another_track_has_gone(file, random_model, tmp_path):
    other = tmp_path / "other.wav"
    soundfile.write(other, np.zeros((2 * RATE, 2)), RATE)
    said = []
    options = PlayerOptions(backend="null", model=random_model.path)
    session = Session.play([file, other], options, note=said.append)
    try:
        session.set(f"{ROOT}/transport/play", True)
        until(lambda: session.get(f"{ROOT}/transport/position") > 0.2)
        other.unlink()
        stood = session.get(f"{ROOT}/transport/position")
        kill("render_main")
        until(lambda: any("renderer" in line and "again" in line for line in said))
        until(lambda: session.get(f"{ROOT}/transport/position") > stood + 1)
        assert session.get(f"{ROOT}/state/renderer") == "running"
    finally:
        session.close()


@pytest.mark.slow
def test_a_killed_analysis_is_started_again_and_measures_again(show):
    show.set(f"{ROOT}/transport/play", True)
    until(lambda: show.get(f"{ROOT}/effect/happy") is not None)
    kill("analysis_main")
    until(lambda: any("analyses" in line and "again" in line for line in show.said))
    version = show.changes_since(0)[0]
    until(lambda: f"{ROOT}/excerpt/duration" in show.changes_since(version)[1])
    assert show.get(f"{ROOT}/state/analyzer") == "running"
    ready = [event for event in read_automation(show.kept).changes if event.address.endswith("track/ready")]
    assert len(ready) == 1


@pytest.mark.slow
def test_targets_that_a_killed_analysis_owes_are_measured_by_the_next(show):
    show.set(f"{ROOT}/transport/play", True)
    phase = f"{ROOT}/state/target_phase"
    until(lambda: show.get(f"{ROOT}/emotion/happy") is not None)
    kill("analysis_main")
    show.set(f"{ROOT}/target/happy", 0.02)
    until(lambda: any("analyses" in line and "again" in line for line in show.said))
    until(lambda: show.get(phase) in ("reached", "nearest"))


def test_a_sound_card_that_goes_is_told_and_comes_back(show):
    show.set(f"{ROOT}/transport/play", True)
    until(lambda: show.get(f"{ROOT}/transport/position") > 0.2)
    kill("run_output_process")
    until(lambda: show.get(f"{ROOT}/state/output") == "gone")
    until(lambda: show.get(f"{ROOT}/state/sound") == "output_gone")
    stood = show.get(f"{ROOT}/transport/position")
    until(lambda: show.get(f"{ROOT}/state/output") == "running")
    until(lambda: show.get(f"{ROOT}/transport/position") > stood + 0.2)


def test_an_analysis_process_that_cannot_be_started_is_said_and_the_sound_goes_on(file):
    told = []
    player = Player([file], told.append, PlayerOptions(backend="null"), children=NoMoreProcesses("analysis_main"))
    try:
        until(lambda: statuses(told))
        player.set(f"{ROOT}/midlevel/modality", 9.0)
        until(lambda: any(isinstance(one, EventsApplied) for one in told))
    finally:
        player.close()
    (status,) = statuses(told)
    assert (status.process, status.state) == ("analyzer", "failed")
    assert "cannot be started" in status.text
    assert "Resource temporarily unavailable" in status.text


def test_a_renderer_that_cannot_be_started_again_is_said(file):
    told, children = [], NoMoreProcesses()
    player = Player([file], told.append, PlayerOptions(backend="null"), children=children)
    try:
        children.refused = "render_main"
        kill("render_main")
        until(lambda: statuses(told, "failed"))
    finally:
        player.close()
    states = [(one.process, one.state) for one in statuses(told)]
    assert states == [("renderer", "restarting"), ("renderer", "failed")]


def test_what_cannot_be_started_now_is_started_as_soon_as_that_can_be(file):
    """Here for want of file numbers, as in a show whose web page many have open."""
    told = []
    player = Player([file], told.append, PlayerOptions(backend="null"))
    try:
        player.set(f"{ROOT}/transport/play", True)
        until(lambda: player.meters().position_s > 0.2)
        with no_more_files():
            kill("render_main")
            until(lambda: statuses(told, "failed"))
        until(lambda: statuses(told, "running"))
        stood = player.meters().position_s
        until(lambda: player.meters().position_s > stood + 0.2)
    finally:
        player.close()
    (failed,) = [one.text for one in statuses(told, "failed")]
    assert "Too many open files" in failed
    assert "tried again" in failed


def test_an_output_process_that_cannot_be_started_now_is_looked_for_further(file):
    told = []
    player = Player([file], told.append, PlayerOptions(backend="null"))
    try:
        player.set(f"{ROOT}/transport/play", True)
        until(lambda: player.meters().position_s > 0.2)
        tries, start = [], player._children.start
        player._children.start = lambda *words: tries.append(words) or start(*words)
        with no_more_files():
            kill("run_output_process")
            until(lambda: len(tries) > 1)
        until(lambda: statuses(told, "running"))
        played = player.samples_played
        until(lambda: player.samples_played > played)
    finally:
        player.close()


def test_a_renderer_that_stands_still_is_replaced(show):
    show.set(f"{ROOT}/transport/play", True)
    until(lambda: show.get(f"{ROOT}/emotion/happy") is not None)
    until(lambda: show.get(f"{ROOT}/transport/position") > 0.2)
    os.kill(child("render_main").pid, signal.SIGSTOP)
    stood = show.get(f"{ROOT}/transport/position")
    show.set(f"{ROOT}/midlevel/modality", 5.0)
    until(lambda: any("the renderer stands still; it is started again" in line for line in show.said))
    until(lambda: show.get(f"{ROOT}/transport/position") > stood + 0.5)
    until(lambda: "modality" in show.kept.read_text())


def test_an_output_process_that_stands_still_is_replaced(file, monkeypatch):
    monkeypatch.setattr(player_module, "_OPENING_S", 2.0)
    told = []
    player = Player([file], told.append, PlayerOptions(backend="null"))
    try:
        player.set(f"{ROOT}/transport/play", True)
        until(lambda: player.meters().position_s > 0.2)
        os.kill(child("run_output_process").pid, signal.SIGSTOP)
        until(lambda: statuses(told, "running"))
        played = player.samples_played
        until(lambda: player.samples_played > played)
    finally:
        player.close()
    states = [(one.process, one.state) for one in statuses(told)]
    assert states[:2] == [("output", "gone"), ("output", "running")]


def test_an_analysis_process_that_stands_still_holds_up_nobody_who_asks_for_targets(show):
    """Its pipe fills; who asks holds the lock of the show."""
    until(lambda: show.get(f"{ROOT}/emotion/happy") is not None)
    analyzer = child("analysis_main")
    os.kill(analyzer.pid, signal.SIGSTOP)
    request = SolveTargets(1, 0, 0.0, {"happy": 0.1}, (0.0,) * 7)

    def ask():
        for _ in range(3000):
            show._state.player.solve_targets(request)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(60)
    stuck = asking.is_alive()
    analyzer.kill()
    assert not stuck


def test_a_file_that_was_replaced_plays_without_the_masks_of_the_one_before(file, random_model, tmp_path):
    one = tmp_path / "one.wav"
    one.write_bytes(file.read_bytes())
    analyze(load_track(one), model=random_model, settings=AnalysisSettings(passes=64, coupled=True))
    said = []
    options = PlayerOptions(backend="null", model=random_model.path, analysis={"passes": 64, "coupled": True})
    session = Session.play([one], options, note=said.append)
    try:
        session.set(f"{ROOT}/midlevel/modality", 9.0)
        session.set(f"{ROOT}/transport/play", True)
        until(lambda: session.get(f"{ROOT}/emotion/happy") is not None)
        ring = session._state.player.ring
        until(lambda: differs(ring))
        rng = np.random.default_rng(5)
        soundfile.write(one, 0.2 * rng.uniform(-1, 1, (30 * RATE, 2)), RATE, subtype="FLOAT")
        kill("render_main")
        until(lambda: any("there again" in line for line in said))
        begun = ring.written + RATE
        until(lambda: ring.read > begun + RATE)
        assert not differs(ring)
        session._state.player._renderer._pipe[1].append(UseAnalysis(0, str(session.track_summaries[0].analysis)))
        until(lambda: not session._state.player._renderer._pipe[1])
        begun = ring.written + RATE
        until(lambda: ring.read > begun + RATE)
        assert not differs(ring)
    finally:
        session.close()
    assert [line for line in said if "one.wav: its file has been changed since the show began" in line]


def differs(ring):
    """Whether what has sounded last was steered."""
    monitor = ring.monitor(max(ring.read - RATE, 0), ring.read)
    return bool((monitor[:, 0] != monitor[:, 1]).any())
