"""A show of two tracks of noise that plays offline: its session, what was recorded, and what sounded."""

import numpy as np
from moodfader.control.parameters.table import ROOT
from moodfader.control.session.session import Session
from moodfader.control.session.values import analyzed_tracks
from moodfader.engine.analysis.surrogate import TrackSummary
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.live.offline_player import OfflinePlayer
from moodfader.engine.performance.automation_file import AutomationWriter
from moodfader.engine.processes.messages import TrackAnalyzed
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL, N_BANDS

RATE = 22050
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
