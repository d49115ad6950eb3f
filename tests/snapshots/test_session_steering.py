"""Snapshots, targets, cue points and presets together, over several tracks; a show recorded, and replayed."""

import re

import numpy as np
import pytest
from helpers.offline_show import noise
from moodfader.control.parameters.table import ROOT
from moodfader.engine.performance.automation_file import read_automation
from moodfader.engine.performance.performance import render_events
from moodfader.engine.processes.messages import MeasuredEffect, TargetsSolved
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL


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
