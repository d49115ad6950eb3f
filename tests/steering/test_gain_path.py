"""The differentiable way from a gain field to what a network hears, against the mask filter and the written file."""

import numpy as np
import pytest
import soundfile
import torch
from helpers.gain_fields import map_field
from moodfader.engine import load_track
from moodfader.engine.analysis.prediction import predict_track
from moodfader.engine.audio.loudness import LoudnessMeter
from moodfader.engine.audio.track_spectrogram import track_spectrogram
from moodfader.engine.dsp.processor import SteeredSound
from moodfader.engine.excerpts.stretches import read_excerpts
from moodfader.engine.file_targets.gain_map import FULL, Trajectory, gain_map
from moodfader.engine.file_targets.headroom import write_gain_map
from moodfader.engine.steering.gain_path import GainPath
from moodfader.engine.steering.handles import HANDLES, field_of, handle_fields


def music(seconds: float, rate: int, channels: int = 1, level: float = 0.3) -> np.ndarray:
    """A soft chord twice a second over noise, without clicks (they are taken from the input): [samples, channels]."""
    rng = np.random.default_rng(4)
    time = np.arange(round(seconds * rate)) / rate
    strokes = np.exp(-6 * (time % 0.5)) * (1 - np.exp(-200 * (time % 0.5)))
    sound = strokes * sum(np.sin(2 * np.pi * f * time) for f in (220, 277.2, 329.6, 880)) / 4
    noise = rng.normal(0, 0.03, (len(time), channels))
    return np.asarray(level * (sound[:, None] + noise), np.float32)


def coefficients(seed: int, size: float = 4.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, size, len(HANDLES))


def test_path_is_the_mask_filter() -> None:
    sound = music(3, 22050)
    path = GainPath(sound[:, 0])
    picture = path.spectrogram(torch.zeros(94, 149)).numpy()
    map = gain_map(picture, Trajectory(np.zeros(1), coefficients(1)[None]))
    steered = SteeredSound(map.labels, map.mask_weights, sample_rate=22050, channels=1, ceiling_dbtp=None)
    filtered = np.concatenate((steered.process(sound, FULL), steered.flush()))[:, 0]
    assert map.largest_db > 3
    np.testing.assert_allclose(path.filtered(map_field(map)).numpy(), filtered, atol=2e-6)


def test_a_map_of_a_whole_track_keeps_within_the_gain_that_excerpts_were_solved_for():
    picture = np.random.default_rng(0).uniform(0, 1, (300, 149)).astype(np.float32)
    trajectory = Trajectory(np.zeros(1), coefficients(1)[None])
    free = gain_map(picture, trajectory)
    held = gain_map(picture, trajectory, max_rms_db=free.rms_db / 2)
    assert held.rms_db == pytest.approx(free.rms_db / 2)
    assert held.largest_db == pytest.approx(free.largest_db / 2)
    np.testing.assert_allclose(held.mask_weights, free.mask_weights / 2, atol=1e-6)
    assert np.array_equal(held.labels, free.labels)
    assert gain_map(picture, trajectory, max_rms_db=2 * free.rms_db).rms_db == free.rms_db


@pytest.mark.parametrize(("rate", "channels", "tolerance"), [(22050, 1, 1e-4), (44100, 2, 2e-4)])
def test_path_predicts_the_written_file(rate, channels, tolerance, model, place) -> None:
    soundfile.write(place / "in.wav", music(6, rate, channels), rate, subtype="FLOAT")
    track = load_track(place / "in.wav")
    chosen = coefficients(2)
    map = gain_map(track_spectrogram(track), Trajectory(np.zeros(1), chosen[None]))
    written = write_gain_map(track, map, place / "out.wav", name=place / "out.wav", bit_depth="float")
    assert written.lowered_db == 0  # the limiter would have been idle
    assert written.loudness_lufs == pytest.approx(track.loudness_lufs, abs=0.02)
    (sound,) = read_excerpts(track, [(0, track.duration_s)])
    path = GainPath(sound)
    filtered = path.filtered(map_field(map)).numpy() * track.network_peak
    steered = load_track(place / "out.wav")
    gain = np.sqrt(sum((block**2).sum() for block in steered.network_input_blocks()) / (filtered**2).sum())
    after = predict_track(steered, model, scale=track.network_peak * gain)
    with torch.inference_mode():
        midlevel, emotions = model.network(path.spectrogram(map_field(map))[None])
    np.testing.assert_allclose(list(after.midlevel.values()), midlevel[0].numpy(), atol=tolerance)
    np.testing.assert_allclose(list(after.emotions.values()), emotions[0].numpy(), atol=tolerance)


def _loudness(sound: np.ndarray) -> float:
    meter = LoudnessMeter(22050, 1)
    meter.add(sound[:, None])
    return meter.integrated()


def test_slopes_are_those_of_differences(model) -> None:
    path = GainPath(music(4, 22050)[:, 0])
    fields = torch.from_numpy(handle_fields(path.spectrogram(torch.zeros(126, 149)).numpy()))

    def emotion(chosen: torch.Tensor) -> torch.Tensor:
        return model.network(path.spectrogram(field_of(chosen, fields), matched=True)[None])[1][0, 0]

    chosen = torch.from_numpy(coefficients(3, 1.0)).float().requires_grad_()
    (slope,) = torch.autograd.grad(emotion(chosen), chosen)
    direction = torch.randn(len(HANDLES), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        step = 0.02 * direction
        measured = float(emotion(chosen + step) - emotion(chosen - step)) / 2
    assert measured == pytest.approx(float(slope @ step), rel=0.05, abs=2e-6)


def test_matched_sound_is_as_loud() -> None:
    path = GainPath(music(4, 22050)[:, 0])
    fields = torch.from_numpy(handle_fields(path.spectrogram(torch.zeros(126, 149)).numpy()))
    before = _loudness(path.filtered(torch.zeros(126, 149)).numpy())
    after = _loudness(path.filtered(field_of(torch.full((len(HANDLES),), 5.0), fields), matched=True).numpy())
    assert after == pytest.approx(before, abs=0.3)
