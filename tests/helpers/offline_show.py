"""Shows that play offline: a session, what it recorded, and what sounded; plain, and with masks and surrogates."""

import numpy as np
from helpers.offline_player import OfflinePlayer
from moodfader.control.parameters.table import ROOT
from moodfader.control.session.session import Session
from moodfader.control.session.values import analyzed_tracks
from moodfader.engine.analysis.surrogate import TrackSummary
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.performance.automation_file import AutomationWriter, read_automation
from moodfader.engine.performance.performance import render_events
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


class OfflineShow:
    """A session on a player that plays offline, what it recorded, and what sounded."""

    REFRESH_HZ = 20
    """How often a second of the sound the session reads the meters."""

    def __init__(self, tmp_path, *tracks, masks=None):
        self.tracks = tracks or (noise(30),)
        self.file = tmp_path / "kept.jsonl"
        self.notes = []
        self.session = Session(record=AutomationWriter(self.file), note=self.notes.append)
        self.buffers = [SampleBuffer.from_array(track, sample_rate=RATE) for track in self.tracks]
        self.masks = masks or [None] * len(self.tracks)
        self.player = OfflinePlayer(self.buffers, self.masks, self.session.handle_message)
        self.session.attach(self.player, tracks=[f"{n}.wav" for n in range(len(self.tracks))])
        self.sound = np.zeros((0, 2), np.float32)

    def set(self, name, value=True, source="test"):
        self.session.set(f"{ROOT}/{name}", value, source=source)

    def get(self, name):
        return self.session.get(f"{ROOT}/{name}")

    def play(self, seconds):
        """Let it sound, and read the meters meanwhile as a session does."""
        left = round(seconds * RATE)
        while left:
            count = min(left, RATE // self.REFRESH_HZ)
            self.sound = np.concatenate((self.sound, self.player.render(count)))
            self.session.refresh()
            left -= count

    def replayed(self):
        """The samples of the recorded performance, rendered again; the session is closed."""
        self.session.close()
        automation = read_automation(self.file)
        events = render_events(self.buffers, self.masks, automation.changes, samples=len(self.sound))
        return np.concatenate(list(events))


class SteeredShow(OfflineShow):
    """Two tracks of noise with masks, and with a linear surrogate as their analysis."""

    REFRESH_HZ = 50

    def __init__(self, tmp_path, monkeypatch):
        monkeypatch.setattr(analyzed_tracks, "Surrogate", lambda summary: LinearSurrogate(summary.duration_s))
        super().__init__(tmp_path, noise(20, 1), noise(20, 2), masks=[mask(1), mask(2)])

    def analyzed(self, track, scale=1.0):
        summary = TrackSummary(None, f"{track}" * 64, "m", scale, 10.0, LinearSurrogate.before, LAYER)
        self.session.handle_message(TrackAnalyzed(track, summary))

    def faders(self):
        return [self.get(f"midlevel/{name}") for name in MIDLEVEL]
