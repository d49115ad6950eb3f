"""Analyses: what is made, kept, found again and refused; and that a fader built on one does what it says."""

import dataclasses
import shutil

import numpy as np
import pytest
import soundfile
import torch
from moodfader.engine.analysis.analysis import Analysis
from moodfader.engine.analysis.analysis_file import load_analysis, save_analysis
from moodfader.engine.analysis.analyze_track import analyze_track
from moodfader.engine.analysis.cache import analyze, cache_path
from moodfader.engine.analysis.prediction import predict_track
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.analysis.surrogate import expected_emotions, surrogate_midlevel
from moodfader.engine.audio.track import load_track
from moodfader.engine.explain.effect_sums import EffectSums
from moodfader.engine.explain.significance import PAPER_SAMPLES, expected_lime_p_values, is_significant, mask_weights
from moodfader.models.common.constants import EMOTIONS, HOP_LENGTH, MIDLEVEL, N_BANDS, SAMPLE_RATE
from moodfader.models.common.errors import InputError
from moodfader.models.inference.checkpoint import load_model, save_model
from moodfader.models.inference.threads import torch_threads
from moodfader.models.network.spectrogram import LogSpectrogram
from moodfader.models.training.settings import TrainingSettings
from moodfader.models.training.train import new_network

QUICK = AnalysisSettings(passes=512, coupled=True)


@pytest.fixture(scope="module")
def track(tmp_path_factory):
    """Three seconds of two voices and a click, stereo at 44.1 kHz."""
    path = tmp_path_factory.mktemp("track") / "song.wav"
    time = np.arange(3 * 44100) / 44100
    voice = np.sin(2 * np.pi * 220 * time) * (np.sin(2 * np.pi * time) > 0)
    other = 0.5 * np.sin(2 * np.pi * 880 * time) * (np.sin(5 * np.pi * time) > 0)
    soundfile.write(path, 0.4 * np.stack([voice + other, voice - 0.3 * other], 1), 44100)
    return load_track(path)


@pytest.fixture(scope="module")
def analysis(track, random_model) -> Analysis:
    return analyze_track(track, random_model, QUICK)


def test_what_an_analysis_offers(analysis, track):
    count = analysis.segments.max() + 1
    assert analysis.segments.shape == (-(-3 * 22050 // 704), N_BANDS)
    assert analysis.weights.shape == (count, 7)
    strongest = np.abs(analysis.selected_weights).max(0)
    assert (strongest == 1).all(), "the strongest chosen segment moves by the whole fader"
    assert ((analysis.p_values >= 0) & (analysis.p_values <= 1)).all()
    assert (analysis.surrogate_r2 <= 1).all()
    assert analysis.track_digest == track.digest
    chosen = analysis.selected_weights != 0
    assert (np.sign(analysis.selected_weights)[chosen] == np.sign(analysis.weights)[chosen]).all()
    counts = analysis.significant_counts()
    assert sum(counts["modality"].values()) == chosen[:, MIDLEVEL.index("modality")].sum()


def test_the_same_seed_gives_the_same_file_and_another_does_not(track, random_model, analysis, tmp_path):
    save_analysis(analysis, tmp_path / "one.npz")
    for name, seed in (("two", 0), ("other", 1)):
        again = analyze_track(track, random_model, dataclasses.replace(QUICK, seed=seed))
        save_analysis(again, tmp_path / f"{name}.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert (tmp_path / "one.npz").read_bytes() != (tmp_path / "other.npz").read_bytes()


@pytest.mark.parametrize("threads", [1, 3])
def test_the_number_of_threads_changes_the_effects_by_no_more_than_rounding(track, random_model, analysis, threads):
    """Processors with AVX-512 or AMX sum in an order that depends on the number of threads."""
    with torch_threads(threads):
        again = analyze_track(track, random_model, QUICK)
    np.testing.assert_array_equal(again.segments, analysis.segments)
    largest = np.abs(analysis.weights).max(0)
    for name in ("weights", "standard_errors"):
        np.testing.assert_allclose(getattr(again, name) / largest, getattr(analysis, name) / largest, atol=1e-3)
    both = (again.mask_weights != 0) & (analysis.mask_weights != 0)
    assert both.sum() >= 0.99 * (analysis.mask_weights != 0).sum(), "selection only changes at its limit"
    np.testing.assert_allclose(again.mask_weights[both], analysis.mask_weights[both], atol=2e-3)


def test_a_round_trip_keeps_everything(analysis, tmp_path):
    save_analysis(analysis, tmp_path / "a.npz")
    back = load_analysis(tmp_path / "a.npz")
    for part in dataclasses.fields(Analysis):
        if part.name != "path":
            np.testing.assert_array_equal(getattr(back, part.name), getattr(analysis, part.name))


def test_the_cache_finds_what_fits_and_makes_anew_what_does_not(track, random_model):
    first = analyze(track, model=random_model, settings=QUICK)
    calls = []
    again = analyze(track, model=random_model, settings=QUICK, progress=calls.append)
    assert again.path == first.path == cache_path(track, random_model, QUICK)
    assert calls == [], "found, not made"
    first.path.write_bytes(first.path.read_bytes()[:-300])  # a broken file is made anew
    analyze(track, model=random_model, settings=QUICK, progress=calls.append)
    assert calls[-1] == 1.0
    load_analysis(first.path, track=track)
    other = dataclasses.replace(QUICK, seed=9)
    assert cache_path(track, random_model, other) != first.path


def test_an_analysis_that_was_killed_goes_on_and_ends_the_same(tmp_path, random_model, monkeypatch):
    """Kept after every stretch and stopped after the second of three, by the hardest means short of a signal."""
    path = tmp_path / "long.wav"
    noise = np.random.default_rng(0).normal(size=50 * 8000) * np.repeat(np.arange(50) % 3 + 1, 8000) / 20
    soundfile.write(path, noise, 8000)
    long, short = load_track(path), AnalysisSettings(estimator="local", passes=64, coupled=True)
    whole = analyze_track(long, random_model, short)
    monkeypatch.setattr("moodfader.engine.explain.effect_sums.KEEP_SECONDS", -1.0)
    partial = tmp_path / "long.partial"

    def kill(fraction):
        if fraction > 0.6:
            raise SystemExit

    with pytest.raises(SystemExit):
        analyze_track(long, random_model, short, partial=partial, progress=kill)
    fractions = []
    resumed = analyze_track(long, random_model, short, partial=partial, progress=fractions.append)
    windows = [fraction for fraction in fractions if fraction > 0.08]
    assert min(windows) > 0.53, "more than one of three stretches was already done"
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    for name in ("weights", "standard_errors", "p_values", "half_agreement", "surrogate_r2"):
        np.testing.assert_array_equal(getattr(resumed, name), getattr(whole, name))
    of_other_windows = EffectSums.load(partial, len(whole.weights))
    assert of_other_windows.done > 0
    of_other_windows.clips *= 1.2
    of_other_windows.save(partial)
    for _ in range(2):
        again = analyze_track(long, random_model, short, partial=partial)
        np.testing.assert_array_equal(again.weights, whole.weights)
        partial.write_bytes(b"cut off in the middle")


@pytest.mark.parametrize("estimator", ["gradient", "local", "lime"])
def test_progress_moves_with_every_part_of_the_work(track, random_model, estimator):
    """From the first moment on, in steps that are small beside a stretch of the track."""
    calls = []
    analyze_track(track, random_model, dataclasses.replace(QUICK, estimator=estimator), progress=calls.append)
    assert (calls[0], calls[-1]) == (0.0, 1.0)
    assert calls == sorted(calls)
    assert len([fraction for fraction in calls if 0.08 < fraction < 1]) >= 2


def test_what_an_analysis_has_done_is_kept_when_another_one_goes_first(tmp_path, random_model):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.random.default_rng(0).normal(size=50 * 8000) / 20, 8000)
    long, short = load_track(path), AnalysisSettings(estimator="local", passes=64, coupled=True)
    partial = tmp_path / "long.partial"

    class PreemptedError(Exception):
        pass

    def preempt(fraction):
        if fraction > 0.85:  # in the last of five windows
            raise PreemptedError

    with pytest.raises(PreemptedError):
        analyze_track(long, random_model, short, partial=partial, progress=preempt)
    fractions = []
    analyze_track(long, random_model, short, partial=partial, progress=fractions.append)
    assert min(fraction for fraction in fractions if fraction > 0.08) > 0.8


@pytest.mark.parametrize("estimator", ["gradient", "local", "lime"])
def test_a_named_output_is_kept_and_nothing_else_overwritten(track, random_model, tmp_path, estimator):
    settings = dataclasses.replace(QUICK, estimator=estimator, segmentation="watershed")
    made = analyze(track, model=random_model, settings=settings, output=tmp_path / "mine.npz")
    assert made.path == tmp_path / "mine.npz"
    assert load_analysis(made.path, track=track, model=random_model).settings == settings
    precious = tmp_path / "diary.txt"
    precious.write_text("dear diary")
    with pytest.raises(InputError, match="not overwritten"):
        analyze(track, model=random_model, settings=QUICK, output=precious)
    assert precious.read_text() == "dear diary"


def test_an_analysis_that_does_not_fit_is_refused(track, random_model, analysis, tmp_path):
    path = tmp_path / "a.npz"
    save_analysis(analysis, path)
    louder = tmp_path / "louder.wav"
    sound, rate = soundfile.read(track.path)
    soundfile.write(louder, sound * 1.1, rate)
    with pytest.raises(InputError, match="another sound"):
        load_analysis(path, track=load_track(louder))
    save_model(new_network(TrainingSettings(seed=6)), tmp_path / "other.safetensors", record={})
    with pytest.raises(InputError, match="another model"):
        load_analysis(path, model=load_model(tmp_path / "other.safetensors"))
    renamed = tmp_path / "renamed.wav"
    shutil.copy(track.path, renamed)
    load_analysis(path, track=load_track(renamed))  # the sound counts, not the name


def damaged(analysis, path, **changes):
    save_analysis(analysis, path)
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays.update(changes)
    np.savez_compressed(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": None},
        {"weights": np.zeros((2, 7), np.float32)},
        {"segments": np.full((9, N_BANDS), 10**6, np.int32)},
        {"segments": np.zeros((9, 3), np.int32)},
        {"description": np.frombuffer(b"{}", np.uint8)},
        {"description": np.frombuffer(b"[1]", np.uint8)},
        {"description": np.array([None], object)},
    ],
)
def test_a_broken_or_foreign_file_is_one_clear_line(analysis, tmp_path, changes):
    path = tmp_path / "a.npz"
    damaged(analysis, path, **changes)
    with pytest.raises(InputError, match=r"damaged|not a Moodfader analysis|not a readable") as caught:
        load_analysis(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_are_checked():
    for wrong in ({"passes": 1}, {"seed": -1}, {"estimator": "shap"}, {"segmentation": "x"}, {"perturbation": "x"}):
        with pytest.raises(InputError):
            AnalysisSettings(**wrong)


def test_prediction_in_pieces_is_the_prediction_of_the_whole(track, random_model):
    mono = np.concatenate(list(track.network_input_blocks()))[slice(*track.sounding)]
    with torch.inference_mode():
        midlevel, emotions = random_model.network(LogSpectrogram()(torch.from_numpy(mono / track.network_peak))[None])
    said = predict_track(track, random_model)
    np.testing.assert_allclose(list(said.midlevel.values()), midlevel[0], atol=1e-5)
    np.testing.assert_allclose(list(said.emotions.values()), emotions[0], atol=1e-5)


def test_too_few_passes_select_little_rather_than_noise(track, random_model):
    few, many = (
        analyze_track(track, random_model, dataclasses.replace(QUICK, passes=passes, perturbation="hide"))
        for passes in (64, 1024)
    )
    chosen = few.selected_weights != 0
    assert chosen.sum() < 0.7 * (many.selected_weights != 0).sum()
    agree = np.sign(few.weights[chosen]) == np.sign(many.weights[chosen])
    assert agree.all(), "what is selected has the sign that a long run finds"


def test_the_surrogate_adds_up(analysis, random_model):
    gains = np.zeros(len(analysis.weights), np.float32)
    assert not surrogate_midlevel(analysis, gains).any()
    gains[3] = 6.0
    # three seconds: the track is the stretch of the weights; half of the 12 dB between the bit's ends
    np.testing.assert_allclose(surrogate_midlevel(analysis, gains), analysis.weights[3] / 2, rtol=1e-5)
    mask = np.zeros_like(analysis.mask_weights)
    mask[3, 0] = 1  # (the same gain by a fader)
    coupled = dataclasses.replace(analysis, mask_weights=mask, response=None)
    shift = expected_emotions(coupled, np.array([6, 0, 0, 0, 0, 0, 0], np.float32), random_model)
    assert list(shift) == list(EMOTIONS)
    np.testing.assert_allclose(
        list(shift.values()), random_model.emotion_weights @ analysis.weights[3] / 2, rtol=1e-4
    )


def test_silent_ends_are_not_explained(tmp_path, noise, random_model):
    """They are as long as what sounds, and change neither the weights nor what faders are expected to do."""
    sound, silence = noise(3), np.zeros((5 * HOP_LENGTH * 30, 1), np.float32)
    soundfile.write(tmp_path / "a.wav", sound, SAMPLE_RATE)
    soundfile.write(tmp_path / "b.wav", np.concatenate([silence, sound, silence]), SAMPLE_RATE)
    alone, between = (analyze_track(load_track(tmp_path / name), random_model, QUICK) for name in ("a.wav", "b.wav"))
    assert between.duration_s > 10
    assert between.sounding_s == pytest.approx(alone.sounding_s, abs=0.001) == pytest.approx(3, abs=0.001)
    silent = np.setdiff1d(between.segments[:140], between.segments[150:-150])
    assert not between.weights[silent].any()
    gains = [np.full(len(one.weights), 3.0, np.float32) for one in (alone, between)]
    louder = [surrogate_midlevel(*pair) for pair in zip((alone, between), gains, strict=True)]
    np.testing.assert_allclose(*louder, atol=0.1 * np.abs(louder[0]).max())


def test_selection_is_what_the_paper_would_be_sure_of():
    """A weight of a known size in known noise: the p-value that 50,000 fair bits give in expectation."""
    rng = np.random.default_rng(0)
    truth, noise = 0.01, 0.5
    bits = rng.integers(0, 2, PAPER_SAMPLES)
    outputs = truth * bits + noise * rng.normal(size=PAPER_SAMPLES)
    error = np.std(outputs) * 2 / np.sqrt(PAPER_SAMPLES)
    expected = expected_lime_p_values(np.array([[truth]]), np.array([noise**2]))
    z = truth / error
    assert -np.log10(expected[0, 0]) == pytest.approx(-np.log10(np.exp(-(z**2) / 2)), abs=1.0)
    chosen = is_significant(np.array([[1.0], [1.0], [-2.0]]), np.array([[1e-7], [1e-5], [1.5e-6]]))
    np.testing.assert_array_equal(chosen, [[True], [False], [True]])
    mask = mask_weights(np.array([[1.0], [5.0], [-2.0]]), chosen)
    np.testing.assert_allclose(mask, [[0.5], [0.0], [-1.0]])
    assert not mask_weights(np.ones((2, 7)), np.zeros((2, 7), bool)).any()
