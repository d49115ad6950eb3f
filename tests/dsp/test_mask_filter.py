"""The block processor, by physics: what is inside a segment changes by the stated decibels, the rest does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moodfader.engine.audio.sample_buffer import SampleBuffer
from moodfader.engine.dsp.faders import Faders
from moodfader.engine.dsp.mask_filter import MaskFilter
from moodfader.engine.dsp.processor import SteeredSound
from moodfader.engine.dsp.ramps import FADER_RAMP_S
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.dsp.stft import frame_length
from moodfader.models.common.constants import HOP_LENGTH, N_BANDS, SAMPLE_RATE
from moodfader.models.network.spectrogram import band_frequencies

RATES = [8000, 22050, 44100, 48000, 96000]
UP = Faders(modality=6)
MIXED = Faders(modality=6, melodiousness=-4)


def labels_for(seconds, segments=24):
    """Rectangles of about a third of an octave by half a second, numbered on."""
    frames = -(-round(seconds * SAMPLE_RATE) // HOP_LENGTH)
    return (np.arange(frames)[:, None] // 16 * 19 + np.arange(N_BANDS) // 8).astype(np.int32) % segments


def weights_for(segments=24, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (segments, 7)).astype(np.float32)


def noise(samples, channels=2, seed=0):
    return (np.random.default_rng(seed).standard_normal((samples, channels)) * 0.1).astype(np.float32)


def run(processor, sound, faders, block_length=4096):
    """The whole output of a processor; faders may be a function of the sample position."""
    at = faders if callable(faders) else lambda position: faders
    parts = [processor.process(sound[p : p + block_length], at(p)) for p in range(0, len(sound), block_length)]
    parts.append(processor.flush())
    return np.concatenate(parts)


def mixer(labels, weights, sample_rate, channels=2, **options):
    """The mask filter as a block processor, without a limiter."""
    return SteeredSound(labels, weights, sample_rate=sample_rate, channels=channels, ceiling_dbtp=None, **options)


def level_db(sound):
    return 10 * np.log10(np.mean(np.square(sound, dtype=np.float64)))


def test_frames_last_about_46_ms_at_every_rate():
    assert [frame_length(rate) for rate in RATES] == [512, 1024, 2048, 2048, 4096]


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_neutral_faders_pass_the_samples_themselves(sample_rate, channels):
    sound = noise(sample_rate + 77, channels)
    output = run(mixer(labels_for(2), weights_for(), sample_rate, channels), sound, Faders())
    np.testing.assert_array_equal(output, sound)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_unity_gain_through_the_spectrum_gives_the_input_back(sample_rate, channels):
    sound = noise(sample_rate + 77, channels)
    untouched = np.zeros((24, 7), dtype=np.float32)  # the fader is up, but no segment answers to it
    output = run(mixer(labels_for(2), untouched, sample_rate, channels), sound, UP)
    assert output.shape == sound.shape
    assert 20 * np.log10(np.abs(output - sound).max()) < -120


@pytest.mark.parametrize("samples", [0, 1, 500, 2047, 2048, 2049, 44100])
def test_the_output_is_as_long_as_the_input(samples):
    assert run(mixer(labels_for(1), weights_for(), 44100), noise(samples), UP).shape == (samples, 2)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("gain_db", [6.0, -12.0])
def test_a_tone_inside_a_segment_moves_by_its_gain_and_one_outside_stays(sample_rate, gain_db):
    seconds = 3
    frames = -(-seconds * SAMPLE_RATE // HOP_LENGTH)
    labels = np.zeros((frames, N_BANDS), dtype=np.int32)
    labels[:, 60:90] = 1
    inside, outside = band_frequencies()[75], band_frequencies()[110]
    weights = np.zeros((2, 7), dtype=np.float32)
    weights[1, 6] = 1
    time = np.arange(seconds * sample_rate) / sample_rate
    for frequency, expected in ((inside, gain_db), (outside, 0.0)):
        tone = (0.1 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)[:, None]
        output = run(mixer(labels, weights, sample_rate, 1), tone, Faders(modality=gain_db))
        middle = slice(sample_rate // 2, -sample_rate // 2)
        assert level_db(output[middle]) - level_db(tone[middle]) == pytest.approx(expected, abs=0.05)


def test_a_segment_moves_while_it_lasts_and_not_before_or_after():
    rate, frame_s = 44100, HOP_LENGTH / SAMPLE_RATE
    labels = np.zeros((94, N_BANDS), dtype=np.int32)
    labels[32:64] = 1  # one second in the middle of three
    weights = np.zeros((2, 7), dtype=np.float32)
    weights[1, 6] = 1
    tone = (0.1 * np.sin(2 * np.pi * 1000 * np.arange(3 * rate) / rate)).astype(np.float32)[:, None]
    output = run(mixer(labels, weights, rate, 1), tone, Faders(modality=12))
    begin, end, margin = round(32 * frame_s * rate), round(63 * frame_s * rate), round(0.11 * rate)
    assert level_db(output[begin + margin : end - margin]) - level_db(tone) == pytest.approx(12, abs=0.05)
    assert np.abs((output - tone)[: begin - margin]).max() < 1e-5
    assert np.abs((output - tone)[end + margin :]).max() < 1e-5


def test_all_channels_share_the_gain():
    sound = noise(44100, 1) * np.array([1.0, 0.5, -0.25], dtype=np.float32)
    output = run(mixer(labels_for(1), weights_for(), 44100, 3), sound, MIXED)
    np.testing.assert_allclose(output[:, 1], output[:, 0] * 0.5, atol=1e-7)
    np.testing.assert_allclose(output[:, 2], output[:, 0] * -0.25, atol=1e-7)


@settings(max_examples=20, deadline=None)
@given(
    block_length=st.one_of(st.integers(1, 64), st.integers(65, 9000)),
    sample_rate=st.sampled_from([8000, 44100]),
    samples=st.integers(3000, 7000),
)
def test_any_block_size_gives_the_same_output(block_length, sample_rate, samples):
    labels, weights, sound = labels_for(3), weights_for(), noise(samples) * 6  # loud: the limiter works
    options = {"sample_rate": sample_rate, "channels": 2}
    expected = run(SteeredSound(labels, weights, **options), sound, MIXED, block_length=512)
    output = run(SteeredSound(labels, weights, **options), sound, MIXED, block_length=block_length)
    np.testing.assert_array_equal(output, expected)


@settings(max_examples=10, deadline=None)
@given(
    block_length=st.sampled_from([128, 512, 1024, 4096]),
    changes=st.lists(
        st.tuples(st.integers(0, 10), st.sampled_from([Faders(), UP, MIXED, Faders(dissonance=-12)])), max_size=6
    ),
)
def test_any_block_size_gives_the_same_output_for_a_history_of_faders(block_length, changes):
    history = sorted([(0, Faders()), *((4096 * number, faders) for number, faders in changes)], key=lambda c: c[0])

    def at(position):
        return [faders for since, faders in history if since <= position][-1]

    labels, weights, sound = labels_for(2), weights_for(), noise(45000)
    options = {"sample_rate": 44100, "channels": 2}
    expected = run(SteeredSound(labels, weights, **options), sound, at, block_length=256)
    output = run(SteeredSound(labels, weights, **options), sound, at, block_length=block_length)
    np.testing.assert_array_equal(output, expected)


def test_faders_move_along_a_ramp_and_leave_the_rest_alone():
    rate, changed, back = 44100, 40960, 81920
    labels = np.zeros((94, N_BANDS), dtype=np.int32)
    weights = np.zeros((1, 7), dtype=np.float32)
    weights[0, 6] = 1
    tone = (0.1 * np.sin(2 * np.pi * 1000 * np.arange(3 * rate) / rate)).astype(np.float32)[:, None]

    def at(position):
        return UP if changed <= position < back else Faders()

    moved = mixer(labels, weights, rate, 1)
    output = run(moved, tone, at, block_length=512)
    # What is pushed with the change is heard `latency` samples later than what comes out with it.
    begin, end = changed - moved.latency, back - moved.latency
    settled = moved.latency + round(FADER_RAMP_S * rate)
    np.testing.assert_array_equal(output[:begin], tone[:begin])
    np.testing.assert_array_equal(
        output[end + settled + moved.hop_length :], tone[end + settled + moved.hop_length :]
    )
    assert level_db(output[begin + settled : end]) - level_db(tone) == pytest.approx(6, abs=0.02)
    # Without a click: nothing above the tone's own neighbourhood.
    ramp = output[begin - 2048 : begin + 6144, 0] * np.hanning(8192)
    spectrum = np.abs(np.fft.rfft(ramp)) / np.abs(np.fft.rfft(ramp)).max()
    away = np.abs(np.fft.rfftfreq(8192, 1 / rate) - 1000) > 300
    assert 20 * np.log10(spectrum[away].max()) < -70


def test_each_hop_fades_between_what_standing_faders_give_in_both_ways_of_playing():
    rate, hop, changes = 44100, 512, [(0, Faders(tonal_stability=-3)), (20480, MIXED), (28672, Faders())]
    labels, weights, sound = labels_for(1.2), weights_for(), noise(50000)
    output = run(mixer(labels, weights, rate), sound, lambda p: [f for since, f in changes if since <= p][-1], 512)

    # Where the faders stand at the ends of the hops of the output, each of which is heard a frame after its push.
    since, values = [0], [changes[0][1].to_array()]
    for position, faders in changes[1:]:
        since += [position, position + round(FADER_RAMP_S * rate)]
        values += [values[-1], faders.to_array()]
    ends = (np.arange(len(sound) // hop) + 4) * hop
    stands = np.stack([np.interp(ends, since, column) for column in np.array(values, dtype=float).T], axis=1)
    share = ((np.arange(hop) + 1) / hop)[:, None]
    standing = {}
    for row in map(tuple, stands):
        if row not in standing:
            standing[row] = run(mixer(labels, weights, rate), sound, Faders(*row))
    assert len(standing) == 3 + 2 + 2  # a ramp lasts 2.6 hops

    voice = MaskFilter(SampleBuffer.from_array(sound, sample_rate=rate), 0)
    steering = SegmentMask(labels, weights, sample_rate=rate)
    for k, row in enumerate(map(tuple, stands)):
        place = slice(k * hop, (k + 1) * hop)
        before = standing[tuple(stands[max(k - 1, 0)])][place]
        expected = before + (standing[row][place] - before) * share
        np.testing.assert_allclose(output[place], expected, atol=2e-6)
        live, dry, touched = voice.step(steering, np.array(row, dtype=np.float32))
        np.testing.assert_array_equal(live, output[place])
        np.testing.assert_array_equal(dry, sound[place])
        assert touched == (any(row) or bool(stands[max(k - 1, 0)].any()))


def test_a_mixer_started_in_the_middle_joins_the_one_that_heard_it_all():
    labels, weights, sound = labels_for(3), weights_for(), noise(3 * 44100)
    whole = mixer(labels, weights, 44100)
    expected = run(whole, sound, MIXED)
    start = 60 * whole.hop_length
    output = run(mixer(labels, weights, 44100, start=start), sound[start:], MIXED)
    np.testing.assert_array_equal(output[whole.latency :], expected[start + whole.latency :])
    # Anywhere else frames lie on another grid, and give nearly the same.
    output = run(mixer(labels, weights, 44100, start=start + 100), sound[start + 100 :], MIXED)
    difference = output[whole.latency :] - expected[start + 100 + whole.latency :]
    assert level_db(difference) < level_db(expected) - 20
