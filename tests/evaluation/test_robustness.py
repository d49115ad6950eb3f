"""Changed recordings and sounds that are no music: each is what its name says."""

import numpy as np
import pytest
from moodfader.models.common.constants import SAMPLE_RATE
from moodfader.models.evaluation.out_of_domain import VOWELS, out_of_domain_sounds
from moodfader.models.evaluation.robustness import OUTPUT_NAMES, REFERENCE, mp3_round_trip, perturb_audio, robustness
from scipy.signal import correlate


def level_db(sound, low, high):
    """Power between two frequencies."""
    power = np.abs(np.fft.rfft(sound)) ** 2 / len(sound) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    return 10 * np.log10(power[(hz >= low) & (hz < high)].sum())


@pytest.fixture(scope="module")
def clip():
    """14 s of noise with a tone of 500 Hz."""
    rng = np.random.default_rng(0)
    times = np.arange(14 * SAMPLE_RATE) / SAMPLE_RATE
    sound = 0.1 * rng.standard_normal(len(times)) + 0.5 * np.sin(2 * np.pi * 500 * times)
    return (sound / np.abs(sound).max()).astype(np.float32)


@pytest.fixture(scope="module")
def changed(clip):
    return perturb_audio(clip)


def test_all_are_ten_seconds_at_a_known_level(changed):
    for name, sound in changed.items():
        assert sound.dtype == np.float32, name
        assert len(sound) / SAMPLE_RATE == pytest.approx(10, abs=0.01), name
        np.testing.assert_array_less(np.abs(sound), 2.0)
    before = changed[REFERENCE]
    np.testing.assert_allclose(changed["level -12 dB in the file"], before, atol=1e-6)
    quiet = changed["level -12 dB, heard at the same scale"]
    assert 20 * np.log10(np.abs(quiet).max() / np.abs(before).max()) == pytest.approx(-12, abs=0.01)


def test_filters(changed):
    def rise(name):
        """Of the high band against the low one, in dB."""
        return sum(
            sign * (level_db(changed[name], *band) - level_db(changed[REFERENCE], *band))
            for sign, band in ((1, (8000, 11000)), (-1, (50, 70)))
        )

    assert rise("tilt +6 dB from low to high") == pytest.approx(5.7, abs=0.4)
    assert rise("tilt -6 dB from low to high") == pytest.approx(-5.7, abs=0.4)
    assert rise("low-pass 4 kHz") < -20


def test_the_tuning_is_a_quarter_of_a_semitone_up(changed):
    spectrum = np.abs(np.fft.rfft(changed["tuning +0.25 semitone"]))
    hz = np.fft.rfftfreq(len(changed["tuning +0.25 semitone"]), 1 / SAMPLE_RATE)
    assert hz[spectrum.argmax()] == pytest.approx(500 * 2 ** (0.25 / 12), abs=0.2)


def test_the_window_is_three_seconds_later(clip, changed):
    start = (14 - 13) * SAMPLE_RATE // 2
    np.testing.assert_array_equal(changed[REFERENCE], clip[start : start + 10 * SAMPLE_RATE])
    np.testing.assert_array_equal(changed["window 3 s later"], clip[start + 3 * SAMPLE_RATE :][: 10 * SAMPLE_RATE])
    assert perturb_audio(clip[: 12 * SAMPLE_RATE])["window 3 s later"] is None


def test_mp3_is_lossy_in_place_and_nearly_the_same(clip):
    coded = mp3_round_trip(clip)
    assert len(coded) == len(clip)
    middle = slice(SAMPLE_RATE, 3 * SAMPLE_RATE)
    assert correlate(coded[middle], clip[middle]).argmax() == 2 * SAMPLE_RATE - 1, "no delay is left"
    error = 10 * np.log10(np.mean((coded - clip) ** 2) / np.mean(clip**2))
    assert -40 < error < -6


def test_how_far_answers_move():
    rng = np.random.default_rng(0)
    before = rng.normal(size=(2, 30, 15))
    after = before + 0.1
    after[:, 4] = np.nan
    found = robustness(before, after)
    assert found.clips == 29
    assert set(found.change) == set(OUTPUT_NAMES)
    assert found.change["happy"] == pytest.approx(0.1)
    assert found.r["modality"] == pytest.approx(1)


def test_sounds_that_are_no_music():
    sounds = out_of_domain_sounds()
    assert not sounds["silence"].any()
    for name, sound in sounds.items():
        assert sound.shape == (10 * SAMPLE_RATE,)
        assert np.abs(sound).max() == pytest.approx(0 if name == "silence" else 1)
    octaves = [(100 * 2**n, 200 * 2**n) for n in range(6)]
    white, pink = (np.diff([level_db(sounds[n], *o) for o in octaves]) for n in ("white noise", "pink noise"))
    assert white.mean() == pytest.approx(3, abs=0.5)
    assert pink.mean() == pytest.approx(0, abs=0.5)
    np.testing.assert_array_equal(out_of_domain_sounds()["speech-like"], sounds["speech-like"])


def test_the_speech_has_a_voice_vowels_and_pauses():
    sound = out_of_domain_sounds()["speech-like"]
    assert level_db(sound, 200, 1000) > level_db(sound, 3500, 8000) + 10, "the first formants are the strongest"
    frames = np.abs(sound[: len(sound) // 2205 * 2205]).reshape(-1, 2205).max(1)
    assert (frames < 0.02).mean() > 0.05, "breaths"
    voiced = sound[SAMPLE_RATE // 2 : SAMPLE_RATE]
    lags = correlate(voiced, voiced)[len(voiced) - 1 :]
    pitch = SAMPLE_RATE / (lags[150:300].argmax() + 150)
    assert 80 < pitch < 140
    assert all(first < second < third for first, second, third in VOWELS.values())
