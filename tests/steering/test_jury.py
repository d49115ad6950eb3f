"""The judges: that they are what they claim to be, and that they hear what people hear."""

import librosa
import numpy as np
import pytest
import soundfile
import torch
from moodfader.models.common.constants import EMOTIONS, OUTPUTS
from moodfader.models.datasets.folds import group_folds
from moodfader.models.datasets.soundtracks import read_soundtracks
from moodfader.models.jury.judges import JURIES, load_jury
from moodfader.models.jury.measures import acoustic_measures
from moodfader.models.jury.mel import LogMel


def test_mel_spectrogram_is_librosas() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 24_000).astype(np.float32)
    power = librosa.feature.melspectrogram(y=sound, sr=16_000, hop_length=256, n_fft=512, n_mels=96)
    np.testing.assert_allclose(LogMel()(torch.from_numpy(sound)).numpy(), np.log10(1 + 10_000 * power.T), atol=1e-5)


@pytest.mark.parametrize("seconds", [1.0, 4.3])
def test_measures_are_finite_for_any_sound(seconds) -> None:
    rng = np.random.default_rng(1)
    samples = round(seconds * 22050)
    click = np.zeros(samples, np.float32)
    click[samples // 2] = 1
    sine = np.sin(np.arange(samples) * 0.1).astype(np.float32)
    sounds = (rng.normal(0, 0.1, samples).astype(np.float32), click, sine, np.zeros(samples, np.float32))
    measures = np.stack([acoustic_measures(sound) for sound in sounds])
    assert np.isfinite(measures).all()
    assert np.linalg.matrix_rank(measures) == len(sounds)


@pytest.mark.parametrize("jury", JURIES)
def test_three_judges_of_different_make(jury) -> None:
    judges = load_jury(jury)
    assert [judge.name for judge in judges] == ["network", "measures", "tagger"]
    sound = np.random.default_rng(2).normal(0, 0.1, 66_150).astype(np.float32)
    predicted = np.stack([judge.predict(sound) for judge in judges])
    assert predicted.shape == (3, len(OUTPUTS))
    assert np.isfinite(predicted).all()
    assert (np.abs(predicted[0] - predicted[1]) > 1e-3).any()


@pytest.mark.slow
@pytest.mark.parametrize("jury", JURIES)
def test_judges_agree_with_people_on_clips_of_the_other_jury(jury, soundtracks) -> None:
    clips = read_soundtracks(soundtracks)
    parts = dict(zip(JURIES, group_folds(clips, 2, seed=21), strict=True))
    (other,) = set(JURIES) - {jury}
    chosen = [clips[index] for index in parts[other][::4]]
    rated = np.array([[clip.ratings[name] for name in EMOTIONS] for clip in chosen])
    sounds = [soundfile.read(clip.path, dtype="float32", frames=10 * 22050)[0] for clip in chosen]
    for judge in load_jury(jury):
        predicted = np.array([judge.predict(sound / np.abs(sound).max())[-len(EMOTIONS) :] for sound in sounds])
        r = [np.corrcoef(predicted[:, place], rated[:, place])[0, 1] for place in range(len(EMOTIONS))]
        assert np.mean(r) > 0.5, judge.name
