"""The gain path in NumPy is the one in torch, and networks say the same of excerpts however they are asked."""

from functools import partial

import numpy as np
import pytest
import torch
from moodfader.engine.analysis.prediction import predict_spectrograms
from moodfader.engine.excerpts.array_path import ArrayPath
from moodfader.engine.excerpts.segment_predictions import SegmentPredictions
from moodfader.engine.steering.faders.segment_excerpts import SegmentExcerpts
from moodfader.engine.steering.gain_path import GainPath
from moodfader.engine.steering.listeners import NetworkListener, own_listeners
from moodfader.models.common.filterbank import filter_blocks, filterbank


@pytest.fixture(scope="module")
def sound():
    """Five seconds: chords, and noise that comes and goes."""
    seconds = np.arange(5 * 22050) / 22050
    tones = sum(np.sin(2 * np.pi * pitch * seconds) for pitch in (110.0, 277.2, 659.3, 1480.0))
    noise = np.random.default_rng(1).normal(0, 1, len(seconds)) * (seconds % 0.5 < 0.1)
    return (0.1 * tones + 0.1 * noise).astype(np.float32)


@pytest.fixture(scope="module")
def spectrogram(sound):
    return ArrayPath(sound).spectrogram(np.zeros((158, 149), np.float32))


def field(frames: int = 158) -> np.ndarray:
    return np.random.default_rng(5).normal(0, 4, (frames, 149)).astype(np.float32)


@pytest.mark.parametrize("matched", [False, True])
def test_paths_agree(sound, matched) -> None:
    path = GainPath(sound, offset=300)
    expected = path.filtered(torch.from_numpy(field()), matched=matched).numpy()
    np.testing.assert_allclose(path.arrays.filtered(field(), matched=matched), expected, atol=2e-6)
    heard = path.spectrogram(torch.from_numpy(field()), matched=matched).numpy()
    np.testing.assert_allclose(path.arrays.spectrogram(field(), matched=matched), heard, atol=5e-6)
    assert np.abs(heard - path.spectrogram(torch.zeros(158, 149)).numpy()).max() > 0.01


def test_blocks_of_filters_are_the_filterbank() -> None:
    whole = np.zeros_like(filterbank())
    for bands, bins, filters in filter_blocks():
        whole[bins, bands] += filters
    np.testing.assert_array_equal(whole, filterbank())
    assert sum(filters.size for *_, filters in filter_blocks()) < filterbank().size / 3


def test_spectrograms_go_through_a_network_together(model, spectrogram) -> None:
    others = [spectrogram, spectrogram[:100], np.roll(spectrogram, 50, axis=0), spectrogram[20:120]]
    for listener in own_listeners(model):
        with torch.inference_mode():
            alone = np.stack([listener(torch.from_numpy(one)).numpy() for one in others])
        np.testing.assert_allclose(listener.of_each(others), alone, atol=1e-5)
    np.testing.assert_allclose(predict_spectrograms(others, model), NetworkListener(model).of_each(others), atol=1e-5)


@pytest.mark.parametrize("frames", [158, 151])
def test_gradients_of_features_and_emotions(model, spectrogram, frames) -> None:
    """As by automatic differentiation; with a length that the strides of the network do not divide as well."""
    outputs = (0, 3, 6, 7, 14)
    listener = NetworkListener(model)
    pixels = torch.from_numpy(spectrogram[:frames].copy()).requires_grad_()
    said = listener(pixels)
    expected = torch.stack([torch.autograd.grad(said[one], pixels, retain_graph=True)[0] for one in outputs])
    found = listener.gradients(torch.from_numpy(spectrogram[:frames].copy()), outputs)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-4 * float(expected.abs().max()))


def test_excerpts_say_the_same_with_and_without_torch(model, sound) -> None:
    labels = np.repeat(np.arange(158, dtype=np.int32)[:, None] // 8, 149, axis=1)
    excerpts = [(sound[:44100], 0), (sound[44100:], 44100)]
    gains = np.random.default_rng(0).normal(0, 4, int(labels.max()) + 1).astype(np.float32)
    plain = SegmentPredictions(excerpts, labels, [partial(predict_spectrograms, model=model)])
    with_slopes = SegmentExcerpts(excerpts, labels, [NetworkListener(model)])
    np.testing.assert_allclose(plain.predict(gains), with_slopes.predict(gains), atol=1e-5)
    np.testing.assert_allclose(plain.sizes.sum(), 1)
    slopes = with_slopes.slopes([(0, 6), (0, 7)], np.zeros_like(gains))
    step = 0.25 * np.sign(gains)
    measured = (with_slopes.predict(step) - with_slopes.predict(-step))[0, [6, 7]] / 2
    np.testing.assert_allclose(slopes @ step, measured, rtol=0.25, atol=2e-4)


@pytest.mark.parametrize("offset", [0, 411])
def test_parts_of_a_long_sound_are_the_same_for_any_number_of_threads(offset) -> None:
    """And, but for how sums are rounded where parts meet, those of a path that knows no parts."""
    rng = np.random.default_rng(8)
    sound = rng.normal(0, 0.1, 40 * 22050 + 123).astype(np.float32)
    gains = rng.normal(0, 5, (40 * 31 + 20, 149)).astype(np.float32)
    found = []
    for threads in (1, 2, 3):
        path = ArrayPath(sound, offset=offset, threads=threads)
        steered, energies = path.steered(gains)
        found.append((path.spectra, path.energies, steered, energies, path.spectrogram_of(steered, 0.7)))
    for other in found[1:]:
        for one, same in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, same)
    slow = GainPath(sound, offset=offset)
    expected = slow.filtered(torch.from_numpy(gains))
    np.testing.assert_allclose(found[0][2], expected.numpy(), atol=2e-6)
    np.testing.assert_allclose(found[0][4], slow.front_end(expected * 0.7).numpy(), atol=5e-6)


def test_a_long_excerpt_is_predicted_alike_by_any_number_of_threads(model) -> None:
    """What the solver is told must not depend on the machine, or the written samples would."""
    sound = np.random.default_rng(9).normal(0, 0.1, 90 * 22050).astype(np.float32)
    segments = (np.arange(2830)[:, None] // 30 * 5 + np.arange(149) // 30).astype(np.int32)
    gains = np.random.default_rng(1).normal(0, 4, segments.max() + 1).astype(np.float32)
    found = []
    for threads in (1, 2, 3):
        predict = partial(predict_spectrograms, model=model, threads=threads)
        excerpts = SegmentPredictions([(sound, 500)], segments, [predict], threads=threads)
        found.append((excerpts.before, excerpts.predict(gains)))
        known = SegmentPredictions([(sound, 500)], segments, [predict], threads=threads, before=excerpts.before)
        np.testing.assert_array_equal(known.predict(gains), found[0][1])
    for before, heard in found[1:]:
        np.testing.assert_array_equal(before, found[0][0])
        np.testing.assert_array_equal(heard, found[0][1])
