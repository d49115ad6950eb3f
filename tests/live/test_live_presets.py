"""A preset that is played sounds as the whole that `render` solves: real processes, from the analysis to the card."""

import threading
import time

import numpy as np
import pytest
import soundfile
from helpers.waiting import until
from moodfader.engine.analysis.cache import analyze
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.audio.track import load_track
from moodfader.engine.dsp.faders import Faders
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.dsp.solved_settings import SolvedSetting
from moodfader.engine.live.player import Player
from moodfader.engine.live.player_options import PlayerOptions
from moodfader.engine.performance.events import ROOT, SETTING_SOLVED, ControlEvent, setting_text
from moodfader.engine.performance.performance import render_events
from moodfader.engine.processes.messages import EventsApplied
from moodfader.engine.render.whole_setting import solve_whole
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.inference.checkpoint import load_model

RATE = 22050
PRESET = (-6.0, 6.0, 0.0, 0.0, 6.0, 0.0, 4.0)


@pytest.mark.slow
def test_a_preset_that_is_played_is_what_render_solves(tmp_path) -> None:
    rng = np.random.default_rng(2)
    time_s = np.arange(8 * RATE) / RATE
    strokes = np.exp(-5 * (time_s % 0.5)) * np.minimum(1, 200 * (time_s % 0.5))
    tones = sum(np.sin(2 * np.pi * f * time_s) for f in (196.0, 246.9, 293.7, 784.0)) / 4
    sound = (0.5 * strokes * tones)[:, None] + rng.normal(0, 0.01, (len(time_s), 2))
    soundfile.write(tmp_path / "song.wav", sound.astype(np.float32), RATE, subtype="FLOAT")
    track, model = load_track(tmp_path / "song.wav"), load_model()
    analysis = analyze(track, model=model, settings=AnalysisSettings(passes=64))
    solved = solve_whole(track, analysis, Faders(*PRESET), model)
    assert solved is not None
    assert np.abs(solved.correction_db).max() > 0.1

    applied: list[ControlEvent] = []
    lock = threading.Lock()

    def listen(message: object) -> None:
        if isinstance(message, EventsApplied):
            with lock:
                applied.extend(ControlEvent(event.at, event.address, event.value) for event in message.events)

    text = setting_text(0, PRESET)
    player = Player(
        [tmp_path / "song.wav"],
        listen,
        PlayerOptions(backend="null", analysis={"passes": 64}, presets=lambda: (PRESET, (6.0, *[0.0] * 6))),
    )
    try:
        until(lambda: any(event.address == SETTING_SOLVED for event in list(applied)))
        for name, db in zip(MIDLEVEL, PRESET, strict=True):
            player.set(f"{ROOT}midlevel/{name}", db)
        player.set(f"{ROOT}transport/play", True)
        until(lambda: player.meters().position_s > 2)
        ring = player.ring
        assert ring is not None
        ring.stop = 1
        taken = -1
        while taken != ring.read:  # (a block may be on its way)
            taken = ring.read
            time.sleep(0.3)
        played, count = ring.recent(taken), taken - ring.leading_silence
    finally:
        player.close()
    buffer = SampleBuffer.from_file(tmp_path / "song.wav", sample_rate=RATE, channels=2)
    buffer.load()
    mask = SegmentMask(analysis.mask_labels, analysis.mask_weights, sample_rate=RATE)
    assert [event.value for event in applied if event.address == SETTING_SOLVED] == [text]  # (one fader is no whole)
    found = SolvedSetting(np.array(PRESET), solved.correction_db)

    def rendered(events: list[ControlEvent]) -> np.ndarray:
        return np.concatenate(list(render_events([buffer], [mask], events, samples=count, settings={text: found})))

    np.testing.assert_allclose(played[-count:], rendered(applied), atol=1e-5)
    summed = rendered([event for event in applied if event.address != SETTING_SOLVED])
    assert np.abs(summed - played[-count:]).max() > 1e-3
