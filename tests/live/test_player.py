"""The player's parts and the player as a whole, on the back end that needs no sound card."""

import json
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.offline_player import OfflinePlayer
from helpers.waiting import until
from moodfader.engine.analysis.cache import analyze
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.analysis.surrogate import Surrogate, TrackSummary
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.audio.track import load_track
from moodfader.engine.dsp.ramps import Ramp
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.live.effect_meter import measure_effect
from moodfader.engine.live.player import Player
from moodfader.engine.live.player_options import BLOCK_LENGTH, PlayerOptions
from moodfader.engine.performance.automation_file import AutomationWriter, read_automation
from moodfader.engine.performance.events import ControlEvent
from moodfader.engine.performance.performance import render_events
from moodfader.engine.performance.replay import replay
from moodfader.engine.processes.ipc import ChildProcesses
from moodfader.engine.processes.messages import EventsApplied, MeasuredEffect
from moodfader.engine.processes.ring_buffer import LENGTH, RingBuffer
from moodfader.models.common.errors import InputError

RATE = 22050
R = "/moodfader/"


def song(seconds=6.0, rate=RATE, channels=2, seed=0):
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate)) / rate
    chords = sum(
        np.sin(2 * np.pi * f * time_s) * (np.sin(time_s * (2 + n)) > 0) for n, f in enumerate((220, 330, 440))
    )
    sound = 0.1 * chords[:, None] + 0.05 * rng.standard_normal((len(time_s), channels))
    return sound.astype(np.float32)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, song(12.0), RATE, subtype="FLOAT")  # (long enough for a machine that stands still)
    return path


@pytest.fixture(scope="module")
def analysis(file, random_model):
    return analyze(load_track(file), model=random_model, settings=AnalysisSettings(passes=64, coupled=True))


# ring


def test_the_ring_carries_every_sample_around_its_end():
    ring = RingBuffer(2)
    other = RingBuffer(2, name=ring.name)
    rng = np.random.default_rng(0)
    ring.written = ring.read = LENGTH - 700
    sent = rng.standard_normal((2000, 2)).astype(np.float32)
    for part in np.split(sent, [333, 900, 1700]):
        ring.write(part)
    assert other.fill == 2000
    output = np.empty((500, 2), np.float32)
    received = []
    for _ in range(4):
        assert other.read_into(output)
        received.append(output.copy())
    np.testing.assert_array_equal(np.concatenate(received), sent)
    np.testing.assert_array_equal(ring.recent(1500), sent[500:])
    assert not other.read_into(output)
    assert not output.any()
    assert (ring.dropouts, ring.blocks, ring.fill) == (1, 5, 0)
    other.close()
    ring.close()


def test_after_the_stop_nothing_is_taken_and_nothing_sounds():
    """A device that is being closed asks on for a while: what it would be given would count as played, unheard."""
    ring = RingBuffer(2)
    ring.write(np.ones((1024, 2), np.float32))
    output = np.empty((512, 2), np.float32)
    assert ring.read_into(output)
    ring.stop = 1
    assert not ring.read_into(output)
    assert not output.any()
    assert (ring.read, ring.dropouts) == (512, 0)
    ring.close()


# ramps


def test_a_ramp_is_a_line_in_time_and_may_turn_on_its_way():
    ramp = Ramp(0.0, length=100)
    ramp.set(50, 1.0)
    assert [float(ramp.at(n)) for n in (0, 50, 75, 150, 200)] == [0, 0, 0.25, 1, 1]
    ramp.set(100, 0.0)  # half way
    assert [float(ramp.at(n)) for n in (100, 150, 200)] == [0.5, 0.25, 0]
    np.testing.assert_allclose(ramp.span(90, 20)[10:, 0], 0.5 - np.arange(10) / 200)
    assert ramp.span(200, 50).shape == (1, 1)


# sound


def test_a_sound_is_the_file_at_the_rate_and_with_the_channels_that_are_played(tmp_path):
    samples = song(2.0, channels=1)
    path = tmp_path / "mono.wav"
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    same = SampleBuffer.from_file(path, channels=2)
    assert not same.is_loaded(0, 100)
    same.load()
    np.testing.assert_array_equal(same.read(-10, 40000)[10:], np.repeat(samples, 2, axis=1)[:40000])
    assert not same.read(len(samples), len(samples) + 100).any()
    resampled = SampleBuffer.from_file(path, sample_rate=48000)
    resampled.load()
    assert resampled.length == pytest.approx(2.0 * 48000, abs=2)
    wide = tmp_path / "wide.wav"
    soundfile.write(wide, song(1.5, channels=4), RATE)
    with pytest.raises(InputError, match="4 channels"):
        SampleBuffer.from_file(wide, channels=2)


# histories


def test_a_history_is_complete_up_to_any_moment(tmp_path):
    path = tmp_path / "p.jsonl"
    writer = AutomationWriter(path)
    writer.begin(sample_rate=RATE, channels=2, ceiling_dbtp=-1.0, tracks=["a.wav"])
    writer.write({"at": 5, "address": R + "wet", "value": 0.25})
    history = read_automation(path)  # nothing was closed
    assert history.changes == (ControlEvent(5, R + "wet", 0.25),)
    assert history.samples is None
    with path.open("a") as file:
        file.write('{"at": 9, "addr')
    assert read_automation(path) == history
    with pytest.raises(InputError, match="exists already"):
        AutomationWriter(path)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "not a recorded performance"),
        (['{"format": "x"}'], "not a recorded performance"),
        (["not json", "{}"], "not JSON"),
        (["HEAD", '{"at": -1, "end": true}'], "line 2"),
        (["HEAD", '{"at": 5, "end": true}', '{"at": 4, "end": true}'], "never goes back"),
        (["HEAD", '{"at": 5}'], "neither"),
        (["HEAD", '{"at": 5, "address": "/a", "value": [1]}'], "no value"),
        (['{"format": "moodfader-performance", "version": 9}'], "version|format 9"),
        (['{"format": "moodfader-performance", "version": 1, "sample_rate": 1}'], "first line"),
    ],
)
def test_what_is_no_history_is_refused(tmp_path, lines, complaint):
    head = {"format": "moodfader-performance", "version": 1, "sample_rate": RATE, "channels": 2}
    head |= {"ceiling_dbtp": -1.0, "tracks": ["a.wav"]}
    path = tmp_path / "p.jsonl"
    path.write_text("".join(line.replace("HEAD", json.dumps(head)) + "\n" for line in lines))
    with pytest.raises(InputError, match=complaint):
        read_automation(path)


# surrogate


def test_the_surrogate_says_what_prediction_says(analysis, file, random_model):
    from moodfader.engine.analysis.prediction import predict_track
    from moodfader.engine.analysis.surrogate import expected_emotions
    from moodfader.models.signal.soft_limit import soft_limit, unlimited

    before = dict(predict_track(load_track(file), random_model).emotions)
    heard = TrackSummary(
        analysis=analysis.path,
        digest=analysis.track_digest,
        model_digest=analysis.model_digest,
        duration_s=analysis.duration_s,
        sounding_s=analysis.sounding_s,
        clip_seconds=analysis.clip_seconds,
        emotions=before,
        emotion_weights=random_model.emotion_weights,
    )
    faders_db = np.array([3, 0, -6, 0, 0, 1, 0], np.float32)
    shift = expected_emotions(analysis, faders_db, random_model)
    now = Surrogate(heard).emotions(faders_db)
    expected = soft_limit(unlimited(list(before.values())) + list(shift.values()))
    assert list(now) == list(before) == list(shift)
    assert list(now.values()) == pytest.approx(list(expected), abs=1e-6)


# players


def test_offline_and_replayed_are_the_same_samples(file, analysis, tmp_path):
    sound = SampleBuffer.from_file(file)
    sound.load()
    known = SegmentMask(analysis.mask_labels, analysis.mask_weights, sample_rate=RATE)
    applied = []
    player = OfflinePlayer([sound], [known], lambda message: applied.extend(message.events))
    player.set(R + "transport/play", True)
    parts = [player.render(5000)]
    player.set(R + "midlevel/modality", 7.0)
    parts.append(player.render(777))
    player.set(R + "transport/seek", 3.3)
    player.set(R + "wet", 0.7)
    parts.append(player.render(40000))
    output = np.concatenate(parts)
    assert player.meters().playing
    path = tmp_path / "p.jsonl"
    with AutomationWriter(path) as writer:
        writer.begin(sample_rate=RATE, channels=2, ceiling_dbtp=-1.0, tracks=[str(file)])
        for event in applied:
            about = {"digest": analysis.track_digest, "model": analysis.model_digest}
            ready = about if event.address.endswith("ready") else {}
            writer.write({"at": event.at, "address": event.address, "value": event.value, **ready})
        writer.write({"at": len(output), "end": True})
    done = replay(
        read_automation(path),
        tmp_path / "again.wav",
        steering=lambda number, path: (known, analysis.track_digest, analysis.model_digest),
        settings=lambda *asked: pytest.fail(f"no preset was played as a whole: {asked}"),
    )
    again, rate = soundfile.read(tmp_path / "again.wav", dtype="float32")
    assert rate == RATE
    assert done.duration_s == len(output) / RATE
    np.testing.assert_array_equal(again, output)
    with pytest.raises(InputError, match="another sound"):
        replay(
            read_automation(path),
            tmp_path / "no.wav",
            steering=lambda number, path: (known, "other", ""),
            settings=lambda *asked: pytest.fail(f"asked for {asked}"),
        )


class Listener:
    """Keeps what a player tells."""

    def __init__(self):
        self.messages, self.lock = [], threading.Lock()

    def __call__(self, message):
        with self.lock:
            self.messages.append(message)

    def all(self, kind):
        with self.lock:
            return [message for message in self.messages if isinstance(message, kind)]

    @property
    def applied(self):
        """Events as (output sample, address, value)."""
        events = [event for message in self.all(EventsApplied) for event in message.events]
        return [(event.at, event.address, event.value) for event in events]


def nearest_of_what_sounded(measured, original, steered, peak, model):
    """How far a measured effect is from that of the seconds that ended with some block."""
    count = round(measured.duration_s * RATE)
    far = []
    for end in range(count, len(original) + 1, BLOCK_LENGTH):
        monitor = np.stack([sound[end - count : end].mean(axis=1) for sound in (original, steered)], axis=1)
        predicted = measure_effect(monitor, model, sample_rate=RATE, peak=peak)
        pairs = zip(predicted, (measured.original, measured.steered), strict=True)
        far.append(max(abs(one[name] - other[name]) for one, other in pairs for name in one))
    return min(far)


def test_the_live_player_plays_its_own_history(file, analysis, random_model):
    """Real processes and real time: what went to the card is what the history gives, sample for sample."""
    listener = Listener()
    options = PlayerOptions(backend="null", model=random_model.path, analysis={"passes": 64, "coupled": True})
    player = Player([file], listener, options)
    try:
        until(lambda: any(address.endswith("ready") for _, address, _ in listener.applied), 60)  # from the cache
        player.set(R + "transport/play", True)
        player.set(R + "midlevel/modality", 9.0)
        time.sleep(0.3)
        player.set(R + "transport/seek", 2.0)
        time.sleep(0.3)
        player.set(R + "bypass", True)
        player.set(R + "midlevel/articulation", -4.0)
        time.sleep(0.2)
        player.set(R + "bypass", False)
        until(lambda: player.meters().position_s > 2.8 and player.meters().position_s < 12)
        until(lambda: listener.all(MeasuredEffect))
        ring = player.ring
        ring.stop = 1
        time.sleep(0.3)
        played = ring.recent(min(ring.read, LENGTH))
        count = ring.read - ring.leading_silence
        measured = listener.all(MeasuredEffect)[0]
    finally:
        player.close()
    sound = SampleBuffer.from_file(file, sample_rate=RATE, channels=2)
    sound.load()
    known = SegmentMask(analysis.mask_labels, analysis.mask_weights, sample_rate=RATE)
    history = [ControlEvent(*change) for change in listener.applied]
    expected = np.concatenate(list(render_events([sound], [known], history, samples=count)))
    assert [address for _, address, _ in listener.applied][1] == R + "transport/play"
    assert not played[:-count].any()  # the silence before the first step
    np.testing.assert_array_equal(played[-count:], expected)
    assert np.abs(played).max() > 0.05
    assert player.samples_played == count
    wide_open = [change for change in history if change.address != R + "bypass"]  # (measured before A/B)
    steered = np.concatenate(list(render_events([sound], [known], wide_open, samples=count)))
    unsteered = [change for change in history if "/midlevel/" not in change.address]
    original = np.concatenate(list(render_events([sound], [known], unsteered, samples=count)))
    assert (
        nearest_of_what_sounded(measured, original, steered, load_track(file).network_peak, random_model) < 5e-4
    )  # (by the block)


def test_a_player_of_nothing_playable_says_so(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Player([tmp_path / "none.wav"], lambda *_: None, PlayerOptions(backend="null"))


def test_what_took_effect_before_the_end_is_told_however_slow_the_listener_is(file):
    busy, listener = threading.Event(), Listener()

    def follow(message):
        busy.wait(60)
        listener(message)

    children = ChildProcesses()
    player = Player([file], follow, PlayerOptions(backend="null"), children=children)
    try:
        player.set(R + "midlevel/modality", 9.0)
        until(lambda: player.ring.moved_at > player.ring.leading_silence)  # (the renderer has applied it)
        ending = threading.Thread(target=player.close)
        ending.start()
        until(lambda: not any(process.is_alive() for process in children._processes))
        assert not listener.messages
        busy.set()
        ending.join()
    finally:
        busy.set()
        player.close()
    assert [value for _, address, value in listener.applied if "modality" in address] == [9.0]


def test_shared_memory_is_given_back(file):
    player = Player([file], lambda *_: None, PlayerOptions(backend="null"))
    name = player.ring.name
    player.close()
    player.close()
    assert not Path("/dev/shm", name).exists()
    with pytest.raises(FileNotFoundError):
        RingBuffer(2, name=name)
