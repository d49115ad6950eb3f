"""The track that plays is analysed first, then what comes next, then what was before it; no other sound is."""

import numpy as np
import pytest
import soundfile
from helpers.waiting import until
from moodfader.control.parameters.table import ROOT
from moodfader.engine.analysis.analysis_file import load_analysis
from moodfader.engine.live.player import Player
from moodfader.engine.live.player_options import PlayerOptions
from moodfader.engine.processes.messages import AnalysisProgress, Notice, TrackAnalyzed, TrackThumbnail

RATE = 22050


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"{number}.wav" for number in range(3)]
    for number, path in enumerate(paths):
        soundfile.write(path, 0.2 * np.random.default_rng(number).uniform(-1, 1, (6 * RATE, 1)), RATE)
    return paths


def test_a_draft_is_used_until_the_full_analysis_is_there(files, random_model, tmp_path, monkeypatch):
    monkeypatch.setenv("MOODFADER_CACHE", str(tmp_path / "cache"))
    options = PlayerOptions(backend="null", model=random_model.path, analysis={"coupled": True}, draft_first=True)

    def analyses():
        told = []
        player = Player(files[:1], told.append, options)
        try:
            until(lambda: any(isinstance(message, TrackThumbnail) for message in told))
        finally:
            player.close()
        paths = [message.summary.analysis for message in told if isinstance(message, TrackAnalyzed)]
        notes = [message.text for message in told if isinstance(message, Notice)]
        return [load_analysis(path).settings.quality for path in paths], [text for text in notes if "draft" in text]

    qualities, notes = analyses()
    assert qualities == ["draft", "full"]
    assert len(notes) == 1
    assert analyses() == (["full"], []), "where the full analysis is in the cache, no draft is made"


def test_what_plays_is_analysed_first_then_what_comes_next(files, random_model, tmp_path, monkeypatch):
    monkeypatch.setenv("MOODFADER_CACHE", str(tmp_path / "cache"))
    told = []
    options = PlayerOptions(backend="null", model=random_model.path, analysis={"passes": 64, "coupled": True})
    player = Player(files, told.append, options)
    try:
        player.set(f"{ROOT}/transport/track", 1)
        until(lambda: len([message for message in told if isinstance(message, TrackAnalyzed)]) == 3)
    finally:
        player.close()
    assert [message.track for message in told if isinstance(message, TrackAnalyzed)] == [1, 2, 0]
    progress = [message for message in told if isinstance(message, AnalysisProgress)]
    assert progress[0].fraction == 0.0
    assert {message.track for message in progress} >= {1}


def test_a_file_that_is_replaced_while_the_show_runs_does_not_steer_the_sound_that_plays(
    files, random_model, tmp_path, monkeypatch
):
    monkeypatch.setenv("MOODFADER_CACHE", str(tmp_path / "cache"))
    told = []
    options = PlayerOptions(backend="null", model=random_model.path, analysis={"passes": 64, "coupled": True})
    player = Player(files, told.append, options)
    try:
        soundfile.write(files[1], 0.2 * np.random.default_rng(7).uniform(-1, 1, (6 * RATE, 1)), RATE)
        until(lambda: any(isinstance(one, TrackThumbnail) and one.track == 2 for one in told))
    finally:
        player.close()
    assert {one.track for one in told if isinstance(one, TrackAnalyzed)} == {0, 2}
    (text,) = [one.text for one in told if isinstance(one, Notice) and one.is_error]
    assert text.startswith("1.wav: its file has been changed since the show began")
