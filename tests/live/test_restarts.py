"""Processes that are killed while a show goes on: started again, from where they were, with a line."""

import multiprocessing
import os
import signal

import numpy as np
import pytest
import soundfile
from helpers.waiting import until
from moodfader.control.parameters.table import ROOT
from moodfader.control.session.session import Session
from moodfader.engine.analysis.cache import analyze
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.audio.track import load_track
from moodfader.engine.live.player import Player
from moodfader.engine.live.player_options import PlayerOptions
from moodfader.engine.performance.automation_file import AutomationWriter, read_automation
from moodfader.engine.processes.ipc import ChildProcesses
from moodfader.engine.processes.messages import EventsApplied, ProcessStatus
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


def kill(name):
    (process,) = [child for child in multiprocessing.active_children() if child.name == name]
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
    (renderer,) = [child for child in multiprocessing.active_children() if child.name == "render_main"]
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
        until(lambda: any(isinstance(one, ProcessStatus) for one in told))
        player.set(f"{ROOT}/midlevel/modality", 9.0)
        until(lambda: any(isinstance(one, EventsApplied) for one in told))
    finally:
        player.close()
    (status,) = [one for one in told if isinstance(one, ProcessStatus)]
    assert (status.process, status.state) == ("analyzer", "failed")
    assert "cannot be started" in status.text
    assert "Resource temporarily unavailable" in status.text


def test_a_renderer_that_cannot_be_started_again_is_said(file):
    told, children = [], NoMoreProcesses()
    player = Player([file], told.append, PlayerOptions(backend="null"), children=children)
    try:
        children.refused = "render_main"
        kill("render_main")
        until(lambda: any(isinstance(one, ProcessStatus) and one.state == "failed" for one in told))
    finally:
        player.close()
    states = [(one.process, one.state) for one in told if isinstance(one, ProcessStatus)]
    assert states == [("renderer", "restarting"), ("renderer", "failed")]
