"""What a performer does with loops, seeks, A/B and delta, sample by sample, offline."""

import numpy as np
import pytest
from helpers.offline_player import OfflinePlayer
from moodfader.control.parameters.table import ROOT
from moodfader.control.session.session import Session
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.live.control_queue import ControlQueue
from moodfader.engine.performance.automation_file import AutomationWriter, read_automation
from moodfader.engine.performance.performance import render_events
from moodfader.models.common.constants import N_BANDS
from moodfader.models.common.errors import InputError

RATE = 22050
HOP = 256
START, END, LOOP = (f"{ROOT}/transport/{name}" for name in ("loop_start", "loop_end", "loop"))


def noise(seconds, seed=1):
    return (0.2 * np.random.default_rng(seed).uniform(-1, 1, (round(seconds * RATE), 2))).astype(np.float32)


def mask():
    labels = np.arange(100)[:, None] // 10 + np.zeros((1, N_BANDS), int)
    weights = np.random.default_rng(2).uniform(-1, 1, (10, 7)).astype(np.float32)
    return SegmentMask(labels.astype(np.int32), weights, sample_rate=RATE)


class Stage:
    """A session on an offline player, what it recorded, and what sounded."""

    def __init__(self, tmp_path, *tracks, masks=None):
        self.tracks = tracks or (noise(30),)
        self.file = tmp_path / "kept.jsonl"
        self.session = Session(record=AutomationWriter(self.file))
        self.buffers = [SampleBuffer.from_array(track, sample_rate=RATE) for track in self.tracks]
        self.masks = masks or [None] * len(self.tracks)
        self.player = OfflinePlayer(self.buffers, self.masks, self.session.handle_message)
        self.session.attach(self.player, tracks=[f"{n}.wav" for n in range(len(self.tracks))])
        self.sound = np.zeros((0, 2), np.float32)

    def set(self, name, value=True):
        self.session.set(f"{ROOT}/{name}", value)

    def get(self, name):
        return self.session.get(f"{ROOT}/{name}")

    def play(self, seconds):
        """Let it sound, and read the meters twenty times a second as a session does."""
        left = round(seconds * RATE)
        while left:
            count = min(left, RATE // 20)
            self.sound = np.concatenate((self.sound, self.player.render(count)))
            self.session.refresh()
            left -= count

    def replayed(self):
        self.session.close()
        automation = read_automation(self.file)
        events = render_events(self.buffers, self.masks, automation.changes, samples=len(self.sound))
        return np.concatenate(list(events))


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


def places_of(sound, track):
    """For every sample of the sound, which sample of the track it is; -1 for none."""
    keys, wanted = (np.ascontiguousarray(samples).view(np.uint64)[:, 0] for samples in (track, sound))
    order = np.argsort(keys)
    found = order[np.searchsorted(keys, wanted, sorter=order).clip(0, len(keys) - 1)]
    return np.where(keys[found] == wanted, found, -1)


def check_loop(stage, start, end, *, since):
    """From output sample `since` on the sound is the loop, to the sample; only crossfades of a hop are mixed."""
    places = places_of(stage.sound[since:], stage.tracks[0])
    pure = np.flatnonzero(places >= 0)
    assert len(pure) > 0.5 * len(places)
    first = pure[0]
    period = end - start
    expected = start + (places[first] - start + np.arange(len(places) - first)) % period
    found = places[first:]
    crossfade = np.minimum((expected - start) % period, (end - 1 - expected) % period) < HOP
    np.testing.assert_array_equal(found[~crossfade], expected[~crossfade])
    assert (expected[found >= 0] >= start).all()
    return found


@pytest.mark.parametrize("seconds", [0.5, 2.0, 10.0])
def test_a_loop_set_while_playing_begins_at_once_and_has_its_period_to_the_sample(stage, seconds):
    """The end is where it is heard now, and what renders is past that already: `[`, some seconds, `]`, `\\`."""
    stage.set("transport/play")
    stage.play(3)
    start_s = stage.get("transport/position")
    stage.set("transport/loop_start", start_s)
    stage.play(seconds)
    end_s = stage.get("transport/position") - 0.05  # (so much ahead is rendered)
    stage.set("transport/loop_end", end_s)
    stage.play(0.1)  # before the loop is switched on
    since = len(stage.sound)
    stage.set("transport/loop")
    stage.play(3 * seconds)
    start, end = round(start_s * RATE), round(end_s * RATE)
    found = check_loop(stage, start, end, since=since + 2 * HOP)
    assert found.max() < end
    np.testing.assert_array_equal(stage.replayed(), stage.sound)


def test_a_loop_has_no_click(tmp_path):
    """A tone: above 2 kHz there is nothing at the wraps that is not everywhere."""
    tone = 0.3 * np.sin(2 * np.pi * 220 * np.arange(20 * RATE) / RATE)
    stage = Stage(tmp_path, np.stack([tone, tone], axis=1).astype(np.float32))
    stage.set("transport/loop_start", 1.0)
    stage.set("transport/loop_end", 1.7123)
    stage.set("transport/loop")
    stage.set("transport/play")
    stage.play(6)
    frames = np.lib.stride_tricks.sliding_window_view(stage.sound[RATE:, 0], 512)[::128] * np.hanning(512)
    high = np.abs(np.fft.rfft(frames))[:, round(2000 / RATE * 512) :].max(axis=1)
    assert high.max() < 1e-3 * np.abs(np.fft.rfft(frames)).max()


def test_the_end_moved_before_the_position_jumps_in_phase(stage):
    """`[ \\ ]`: the loop is on, its end comes last, and the beat goes on where it would be."""
    stage.set("transport/loop_start", 1.0)
    stage.set("transport/loop")
    stage.set("transport/play")
    stage.play(2.5)  # (from 1.0 on, where it jumped to)
    position = round(stage.get("transport/position") * RATE)
    since = len(stage.sound)
    stage.set("transport/loop_end", 3.0)
    stage.play(0.2)
    places = places_of(stage.sound[since:], stage.tracks[0])
    pure = np.flatnonzero(places >= 0)
    assert (places[pure] < 3 * RATE).sum() > RATE // 10
    last = pure[-1]
    step = (places[last] - RATE - (position + last - RATE) % (2 * RATE)) % (2 * RATE)
    assert min(step, 2 * RATE - step) <= HOP  # the meters tell the position of the next step


def test_switched_off_it_is_left_at_once(stage):
    stage.set("transport/loop_end", 1.0)
    stage.set("transport/loop")
    stage.set("transport/play")
    stage.play(2.5)
    stage.set("transport/loop", False)
    stage.play(2)
    assert places_of(stage.sound, stage.tracks[0])[-1] > 2 * RATE


def test_a_seek_out_of_a_loop_ends_it_and_is_told(stage):
    stage.set("transport/loop_end", 2.0)
    stage.set("transport/loop")
    stage.set("transport/play")
    stage.play(0.5)
    stage.set("transport/seek", 1.5)  # within
    stage.play(0.2)
    assert stage.get("transport/loop") is True
    stage.set("transport/seek", 9.0)
    stage.play(3.0)
    assert stage.get("transport/loop") is False
    assert stage.get("transport/position") == pytest.approx(12.0, abs=0.05)
    np.testing.assert_array_equal(stage.replayed(), stage.sound)


def test_a_loop_belongs_to_its_track(tmp_path):
    stage = Stage(tmp_path, noise(4, seed=1), noise(6, seed=2))
    stage.set("transport/loop_start", 1.0)
    stage.set("transport/loop_end", 2.0)
    stage.set("transport/loop")
    stage.set("transport/play")
    stage.play(1.5)
    stage.set("transport/track", 1)
    stage.play(3)
    assert [stage.get(f"transport/{name}") for name in ("track", "loop", "loop_start", "loop_end")] == [
        1,
        False,
        0,
        0,
    ]
    assert stage.get("transport/position") == pytest.approx(3.0, abs=0.05)
    stage.set("transport/loop_start", 2.5)
    stage.set("transport/loop")
    stage.set("transport/track", 0)
    stage.play(0.1)
    names = ("loop", "loop_start", "loop_end")
    assert [stage.get(f"transport/{name}") for name in names] == [False, 1.0, 2.0]
    stage.play(4)  # on by itself to the second track
    assert [stage.get(f"transport/{name}") for name in ("track", *names)] == [1, False, 2.5, 0.0]
    np.testing.assert_array_equal(stage.replayed(), stage.sound)


def test_edges_in_any_order_make_a_loop_and_a_loop_too_short_is_refused(stage):
    stage.session.refresh()
    stage.set("transport/loop_start", 10.0)
    stage.set("transport/loop_end", 12.0)
    stage.set("transport/loop_start", 20.0)  # behind the end: the end is the track's
    assert stage.get("transport/loop_end") == 0
    stage.set("transport/loop_end", 5.0)  # before the start: the start is the track's
    assert (stage.get("transport/loop_start"), stage.get("transport/loop_end")) == (0.0, 5.0)
    with pytest.raises(InputError, match=r"would last 0\.020 s"):
        stage.set("transport/loop_start", 4.98)
    assert stage.get("transport/loop_start") == 0


def test_five_quick_seeks_of_five_seconds_move_twenty_five(stage):
    stage.set("transport/play")
    stage.play(1)
    for _ in range(5):
        stage.set("transport/skip", 5.0)
        stage.play(0.02)
    stage.play(0.9)
    assert stage.get("transport/position") == pytest.approx(27.0, abs=0.05)
    for _ in range(3):
        stage.set("transport/skip", -5.0)
    stage.play(0.5)
    assert stage.get("transport/position") == pytest.approx(12.5, abs=0.05)
    stage.set("transport/skip", -100)
    stage.play(0.1)
    assert stage.get("transport/position") == pytest.approx(0.1, abs=0.05)
    np.testing.assert_array_equal(stage.replayed(), stage.sound)


def test_relative_seeks_that_wait_for_the_renderer_add_up():
    queue = ControlQueue()
    for _ in range(5):
        queue.put("/moodfader/transport/skip", 5.0)
    assert queue.take(0) == (("/moodfader/transport/skip", 25.0),)
    queue.put("/moodfader/transport/skip", 5.0)
    queue.put("/moodfader/transport/seek", 60.0)
    queue.put("/moodfader/transport/skip", -2.0)
    assert queue.take(0) == (("/moodfader/transport/seek", 60.0), ("/moodfader/transport/skip", -2.0))
    queue.put("/moodfader/wet", 0.1)
    taken = queue.take(0)
    queue.put("/moodfader/wet", 0.5)
    queue.give_back(taken)
    assert queue.take(0) == (("/moodfader/wet", 0.5),)
    assert queue.held() == (("/moodfader/wet", 0.5),)


def test_the_original_wins_over_delta_and_neither_is_silent_by_surprise(tmp_path):
    stage = Stage(tmp_path, noise(20), masks=[mask()])
    stage.set("midlevel/modality", 9.0)
    stage.set("transport/play")
    stage.play(0.5)
    stage.set("bypass")
    stage.set("delta")
    stage.play(0.5)
    at = len(stage.sound)
    stage.play(0.2)
    places = places_of(stage.sound[at:], stage.tracks[0])
    assert (places >= 0).all()  # the track itself, sample for sample
    assert stage.get("state/sound") == "original"
    assert "delta waits" in stage.get("state/text")
    stage.set("bypass", False)
    stage.play(0.5)
    at = len(stage.sound)
    stage.play(0.2)
    difference = stage.sound[at:]
    assert np.abs(difference).max() > 0.01
    stage.set("delta", False)
    stage.play(0.5)
    np.testing.assert_array_equal(stage.replayed(), stage.sound)


def test_the_state_is_told_in_words(tmp_path):
    stage = Stage(tmp_path)
    assert "paused" in stage.get("state/text")
    stage.set("transport/play")
    stage.play(0.1)
    assert stage.get("state/sound") == "no_analysis"
    stage.set("midlevel/modality", 5.0)
    stage.play(0.1)
    assert stage.get("state/text") == "original, the faders wait: no analysis yet (0%)"
    stage.set("delta")
    stage.play(0.1)
    assert stage.get("state/text") == "delta is silent: no analysis yet (0%)"
    stage.set("bypass")
    stage.play(0.1)
    assert stage.get("state/sound") == "original"
    stage.set("transport/pause")
    stage.play(0.1)
    assert stage.get("state/sound") == "paused"


def test_the_end_fades_out(stage):
    stage.set("transport/play")
    stage.play(1)
    at = len(stage.sound)
    stage.player.set("/moodfader/fade_out", 0.3)
    stage.play(0.5)
    level = np.abs(stage.sound[at:]).reshape(-1, 105 * 2).max(axis=1) if len(stage.sound[at:]) % 105 == 0 else None
    assert level is not None
    begun = np.flatnonzero(level < 0.19)[0]
    faded = level[begun : begun + 60]
    assert (np.diff(faded) < 0.03).all()
    assert not stage.sound[at + round(0.35 * RATE) :].any()
    np.testing.assert_array_equal(stage.replayed(), stage.sound)


def test_what_goes_wrong_in_an_action_is_one_line(stage, monkeypatch):
    """A preset with deep TOML stopped the show: whatever an action raises is told, and the show goes on."""

    def broken(*_):
        raise RecursionError("maximum recursion depth exceeded")

    monkeypatch.setattr("moodfader.control.session.macros.find_preset", broken)
    with pytest.raises(InputError, match="preset/load: cannot be done"):
        stage.set("preset/load", "happier")
    stage.set("transport/play")
    stage.play(0.2)
    assert stage.sound.any()
