"""A history of controls and what is heard of it: exact where it must be, without clicks, and never too loud."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.dsp.faders import Faders
from moodfader.engine.dsp.limiter import Limiter
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.performance.events import ANALYSIS_READY, ControlEvent
from moodfader.engine.performance.performance import SetRenderer, render_events
from moodfader.engine.render.constant_filter import FilteredTrack
from moodfader.engine.render.level_controlled_write import at_level
from moodfader.models.common.constants import N_BANDS
from scipy.signal import resample_poly

RATE = 44100
HOP = 512
R = "/moodfader/"
PLAY = ControlEvent(0, R + "transport/play", True)
READY = ControlEvent(0, ANALYSIS_READY, 0)


def noise(seconds=2.0, level=0.2, seed=0, channels=2):
    rng = np.random.default_rng(seed)
    return (level * rng.uniform(-1, 1, (round(seconds * RATE), channels))).astype(np.float32)


def tones(seconds=6.0, level=0.25):
    """Low tones, in which the smallest jump shows."""
    time = np.arange(round(seconds * RATE)) / RATE
    left, right = np.sin(2 * np.pi * 110 * time), np.sin(2 * np.pi * 165 * time + 1)
    return (level * np.stack([left, right], axis=1)).astype(np.float32)


def chance_map(samples, seed=0, strength=1.0, segments=60):
    rng = np.random.default_rng(seed)
    frames = -(-samples * 22050 // RATE // 704)
    labels = np.repeat(np.repeat(rng.integers(0, segments, (frames // 8 + 1, 15)), 8, 0)[:frames], 10, 1)[:, :N_BANDS]
    weights = (strength * rng.uniform(-1, 1, (segments, 7))).astype(np.float32)
    return labels.astype(np.int32), weights


def uniform_map(samples):
    """One segment that is all of the sound: a fader is then nothing but a gain."""
    frames = -(-samples * 22050 // RATE // 704)
    return np.zeros((frames, N_BANDS), np.int32), np.ones((1, 7), np.float32)


def known(labels, weights):
    return SegmentMask(labels, weights, sample_rate=RATE)


def performed(samples, changes, *, labels_weights=None, count=None):
    sound = SampleBuffer.from_array(samples, sample_rate=RATE)
    labels_weights = labels_weights or chance_map(len(samples))
    return np.concatenate(list(render_events([sound], [known(*labels_weights)], changes, samples=count)))


def after(seconds):
    return round(seconds * RATE)


def test_with_neutral_faders_the_samples_are_the_tracks_own():
    samples = noise(level=1.0)  # beyond the ceiling, too: nothing is in the path
    output = performed(samples, [READY, PLAY, ControlEvent(1000, R + "match_loudness", True)])
    np.testing.assert_array_equal(output[: len(samples)], samples)
    assert not output[len(samples) :].any()


def test_constant_faders_give_what_the_offline_mixer_gives():
    samples = noise()
    labels, weights = chance_map(len(samples))

    class Whole:
        sample_rate, channels = RATE, 2

        def __init__(self):
            self.samples = len(samples)

        def measured_blocks(self):
            yield samples

    filtered = FilteredTrack(Whole(), labels, weights, faders=Faders(modality=7, articulation=-5))
    limiter = Limiter(sample_rate=RATE, channels=2)
    expected = np.concatenate(list(at_level(filtered.blocks(), 0.0, limiter)))
    changes = [
        READY,
        ControlEvent(0, R + "midlevel/modality", 7.0),
        ControlEvent(0, R + "midlevel/articulation", -5.0),
        PLAY,
    ]
    # the faders move before it plays, so that no ramp is left of them
    changes = [*changes[:3], ControlEvent(after(0.1), R + "transport/play", True)]
    output = performed(samples, changes, labels_weights=(labels, weights))
    begin = -(-after(0.1) // HOP) * HOP
    np.testing.assert_array_equal(output[begin : begin + len(samples)], expected)


def test_a_fader_is_a_gain_where_all_is_one_segment():
    samples = noise()
    changes = [READY, ControlEvent(0, R + "midlevel/dissonance", -6.0), PLAY]
    output = performed(samples, changes, labels_weights=uniform_map(len(samples)), count=after(1.5))
    steady = slice(after(0.2), after(1.5))
    np.testing.assert_allclose(output[steady], samples[steady] * 10 ** (-6 / 20), atol=1e-5)


def test_the_sound_begins_to_change_with_the_step_of_the_change():
    samples = noise()
    plain = performed(samples, [READY, PLAY])
    moved = performed(samples, [READY, PLAY, ControlEvent(after(1) // HOP * HOP, R + "midlevel/modality", 9.0)])
    first = int(np.flatnonzero((plain != moved).any(axis=1))[0])
    assert 0 <= first - after(1) // HOP * HOP <= 64
    back = ControlEvent(after(1.2), R + "midlevel/modality", 0.0)
    there_and_back = performed(samples, [READY, PLAY, ControlEvent(after(1), R + "midlevel/modality", 9.0), back])
    np.testing.assert_array_equal(there_and_back[after(1.6) :], plain[after(1.6) :])


def test_bypass_is_the_original_to_the_sample_and_delta_is_the_difference():
    samples = noise(level=0.1)
    fader = ControlEvent(0, R + "midlevel/modality", 6.0)
    wet = performed(samples, [READY, fader, PLAY])
    original = performed(samples, [READY, fader, PLAY, ControlEvent(0, R + "bypass", True)])
    delta = performed(samples, [READY, fader, PLAY, ControlEvent(0, R + "delta", True)])
    half = performed(samples, [READY, fader, PLAY, ControlEvent(0, R + "wet", 0.5)])
    steady = slice(after(0.2), len(samples))
    np.testing.assert_array_equal(original[steady], samples[steady])
    assert np.abs(wet[steady] - samples[steady]).max() > 0.01
    np.testing.assert_allclose(delta[steady], (wet - original)[steady], atol=1e-6)
    np.testing.assert_allclose(half[steady], (wet + original)[steady] / 2, atol=1e-6)


def curvature(sound):
    """The largest second difference: smooth tones have next to none, a jump has as much as it is high."""
    return float(np.abs(np.diff(sound, 2, axis=0)).max())


EVENTS = {
    "seek": [ControlEvent(after(1), R + "transport/seek", 2.7131)],
    "pause": [
        ControlEvent(after(1), R + "transport/play", False),
        ControlEvent(after(1.5), R + "transport/play", True),
    ],
    "pause trigger": [
        ControlEvent(after(1), R + "transport/pause", True),
        ControlEvent(after(1.5), R + "transport/play", True),
    ],
    "loop": [
        ControlEvent(0, R + "transport/loop_start", 0.5017),
        ControlEvent(0, R + "transport/loop_end", 1.2503),
        ControlEvent(0, R + "transport/loop", True),
    ],
    "bypass": [ControlEvent(after(1), R + "bypass", True), ControlEvent(after(1.5), R + "bypass", False)],
    "delta": [ControlEvent(after(1), R + "delta", True), ControlEvent(after(1.5), R + "delta", False)],
    "wet": [ControlEvent(after(1), R + "wet", 0.0)],
    "master": [ControlEvent(after(1), R + "master", -60.0), ControlEvent(after(1.5), R + "master", 6.0)],
    "fader": [ControlEvent(after(1), R + "midlevel/modality", -12.0)],
    "match": [
        ControlEvent(after(1), R + "match_loudness", True),
        ControlEvent(after(2), R + "match_loudness", False),
    ],
}


@pytest.mark.parametrize("name", EVENTS)
def test_no_change_clicks(name):
    samples = tones()
    start = [READY, ControlEvent(0, R + "midlevel/modality", 6.0), PLAY]
    output = performed(samples, [*start, *EVENTS[name]], labels_weights=uniform_map(len(samples)), count=after(3))
    steady = performed(samples, start, labels_weights=uniform_map(len(samples)), count=after(3))
    heard = output[after(0.2) :]
    assert np.abs(heard).max() > 0.3
    # a jump of a hundredth of full scale would be 0.01
    assert curvature(heard) < curvature(steady[after(0.2) :]) * (2 if name == "master" else 1) + 2e-3
    if name not in ("match", "loop", "seek"):
        assert np.abs(output - steady).max() > 0.02


def test_the_loop_is_as_long_as_it_says():
    samples = noise()
    changes = [PLAY, *EVENTS["loop"]]
    output = performed(samples, changes, count=after(3))
    length = round(1.2503 * RATE) - round(0.5017 * RATE)
    once = output[after(1.3) : after(1.9)]
    np.testing.assert_allclose(once, output[after(1.3) + length : after(1.9) + length], atol=1e-7)
    begin = round(0.5017 * RATE)
    came = round(1.2503 * RATE) + HOP
    np.testing.assert_allclose(output[came : came + 5000], samples[begin + HOP : begin + HOP + 5000], atol=1e-7)


def test_seek_lands_on_the_sample_and_pause_loses_none():
    samples = noise(3.0)
    seek = performed(samples, [PLAY, ControlEvent(20 * HOP, R + "transport/seek", 1.5)], count=after(1))
    start = round(1.5 * RATE)
    np.testing.assert_array_equal(seek[21 * HOP : 30 * HOP], samples[start + HOP : start + 10 * HOP])
    pause = [ControlEvent(20 * HOP, R + "transport/play", False), ControlEvent(60 * HOP, R + "transport/play", True)]
    paused = performed(samples, [PLAY, *pause], count=after(2))
    assert not paused[21 * HOP : 60 * HOP].any()
    np.testing.assert_array_equal(paused[61 * HOP : 80 * HOP], samples[21 * HOP : 40 * HOP])


@pytest.mark.parametrize("name", ["seek", "skip", "loop_start", "loop_end"])
@pytest.mark.parametrize("far", [1e308, -1e308])
def test_a_time_that_is_far_beyond_any_track_ends_no_performance(name, far):
    samples = noise(1.0)
    events = [ControlEvent(0, R + "transport/loop", True), PLAY, ControlEvent(10 * HOP, R + f"transport/{name}", far)]
    output = performed(samples, events, count=after(0.5))
    np.testing.assert_array_equal(output[: 9 * HOP], samples[: 9 * HOP])


def test_the_set_list_goes_on_and_ends():
    one, other = noise(1.2, seed=1), noise(1.0, seed=2)
    sounds = [SampleBuffer.from_array(one, sample_rate=RATE), SampleBuffer.from_array(other, sample_rate=RATE)]
    output = np.concatenate(list(render_events(sounds, [None, None], [PLAY])))
    np.testing.assert_array_equal(output[: len(one)], one)
    begin = -(-len(one) // HOP) * HOP
    np.testing.assert_allclose(output[begin + HOP : begin + len(other)], other[HOP:], atol=0)
    assert len(output) < begin + len(other) + 3 * HOP
    back = [PLAY, ControlEvent(after(1.5), R + "transport/track", 0)]
    again = np.concatenate(list(render_events(sounds, [None, None], back, samples=after(2))))
    begin = -(-after(1.5) // HOP) * HOP + HOP
    np.testing.assert_array_equal(again[begin : begin + 4000], one[HOP : HOP + 4000])


def test_loudness_match_keeps_the_loudness():
    samples = noise(8.0, level=0.1)
    changes = [
        READY,
        ControlEvent(0, R + "midlevel/modality", -9.0),
        ControlEvent(0, R + "match_loudness", True),
        PLAY,
    ]
    output = performed(samples, changes, labels_weights=uniform_map(len(samples)))
    late = slice(after(4), after(7))
    assert 20 * np.log10(output[late].std() / samples[late].std()) == pytest.approx(0, abs=0.05)


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_the_ceiling_holds_whatever_is_done(data):
    names = ["midlevel/modality", "midlevel/dissonance", "master", "wet"]
    ranges = {"master": (-20, 12), "wet": (0.2, 1)}
    changes = [READY, ControlEvent(0, R + "midlevel/modality", 12.0), ControlEvent(HOP, R + "transport/play", True)]
    for at in sorted(data.draw(st.lists(st.integers(5000, 80000), max_size=6))):
        name = data.draw(st.sampled_from(names))
        value = data.draw(st.floats(*ranges.get(name, (1, 12))))
        changes.append(ControlEvent(at, R + name, value))
    output = performed(noise(level=0.9), changes, count=88000)
    assert 20 * np.log10(np.abs(resample_poly(output[4000:], 8, 1, axis=0)).max()) <= -1.0 + 0.01


def test_the_output_does_not_depend_on_how_far_the_file_was_loaded(tmp_path):
    """Steps that are taken as soon as their samples are there give what steps of a loaded sound give."""
    samples = noise(2.0)
    whole = SetRenderer([SampleBuffer.from_array(samples, sample_rate=RATE)])
    growing = SampleBuffer.from_array(samples[:0], sample_rate=RATE)
    growing.length = None
    live = SetRenderer([growing])
    blocks = iter([samples[start : start + 16384] for start in range(0, len(samples), 16384)])
    outputs = []
    for performance in (whole, live):
        performance.masks[0] = known(*chance_map(len(samples)))
        for change in (READY, ControlEvent(0, R + "midlevel/modality", 6.0), PLAY):
            performance.apply(change.address, change.value)
        parts = []
        while performance.position < len(samples) + HOP:
            while not performance.transport.ready():
                block = next(blocks, None)
                if block is None:
                    growing.length = growing.loaded
                else:
                    growing._append(block)
            parts.append(performance.step())
        outputs.append(np.concatenate(parts))
    np.testing.assert_array_equal(*outputs)


def test_an_address_that_is_no_sound_changes_nothing():
    performance = SetRenderer([SampleBuffer.from_array(noise(), sample_rate=RATE)])
    assert not performance.apply(R + "meter/load", 1.0)
    assert not performance.apply(R + "preset/load", "x")
    assert not performance.apply(R + "transport/position", 1.0)
