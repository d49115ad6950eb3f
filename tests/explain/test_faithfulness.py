"""Insertion and deletion curves: exact on a linear network, and far from random where an explanation is good."""

from importlib import resources

import numpy as np
import pytest
import soundfile
import torch
from moodfader.engine.analysis.analysis import Analysis
from moodfader.engine.analysis.analyze_track import analyze_track
from moodfader.engine.analysis.faithfulness import CHANGES, SIDES, faithfulness_curves, sets_by_area
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.audio.track import load_track
from moodfader.engine.audio.track_spectrogram import track_spectrogram
from moodfader.models.common.constants import MIDLEVEL, N_BANDS
from moodfader.models.inference.checkpoint import default_checkpoint, load_model
from moodfader.models.network.spectrogram import apply_gain_db


def blocks(spectrogram) -> np.ndarray:
    """Labels of 120 blocks, 5 frames by 10 bands each, numbered across."""
    times, bands = np.indices(spectrogram.shape)
    return (times // 5 * 15 + bands // 10).astype(np.int32)


def explained(spectrogram, weights) -> Analysis:
    labels = blocks(spectrogram)
    return Analysis(
        segments=labels,
        weights=weights.astype(np.float32),
        standard_errors=np.zeros_like(weights),
        p_values=np.zeros_like(weights),
        mask_weights=np.zeros_like(weights),
        half_agreement=np.ones(7, np.float32),
        response_per_db=np.ones(len(weights), np.float32),
        surrogate_r2=np.ones(7, np.float32),
        duration_s=1.0,
        track_digest="",
        model_digest="",
    )


def change_of(spectrogram, change):
    tensor = torch.from_numpy(spectrogram)
    versions = {"hide": 0 * tensor, "cut": apply_gain_db(tensor, -6), "boost": apply_gain_db(tensor, 6)}
    return versions[change].numpy() - spectrogram


def effects(spectrogram, labels, model, change) -> np.ndarray:
    """What changing each segment alone adds to the linear network's prediction: [segments, 7]."""
    delta = change_of(spectrogram, change)
    alone = np.stack([np.where(labels == s, delta, 0) for s in range(labels.max() + 1)]).astype(np.float32)
    with torch.inference_mode():
        silence = model.network(torch.zeros(1, *spectrogram.shape))[0]
        return (model.network(torch.from_numpy(alone))[0] - silence).numpy()


@pytest.mark.parametrize("change", CHANGES)
def test_the_curve_of_a_linear_network_is_the_sum_of_its_coefficients(spectrogram, linear_model, change):
    labels = blocks(spectrogram)
    coefficients = effects(spectrogram, labels, linear_model, change)
    weights = coefficients if change == "boost" else -coefficients  # what the segments speak for
    analysis = explained(spectrogram, weights)
    with torch.inference_mode():
        whole = linear_model.network(torch.from_numpy(spectrogram)[None])[0][0].numpy()
    curves = faithfulness_curves(spectrogram, analysis, linear_model, changes=[change], steps=6, draws=8)
    assert [(curve.feature, curve.side) for curve in curves] == [(f, s) for f in MIDLEVEL for s in SIDES]
    areas = np.bincount(labels.ravel())
    for curve in curves:
        column = MIDLEVEL.index(curve.feature)
        strength = analysis.weights[:, column] * (1 if curve.side == "for" else -1)
        order = np.argsort(-strength, kind="stable")
        covered = np.concatenate([[0], areas[order].cumsum()]) / areas.sum()
        known = whole[column] + np.concatenate([[0], coefficients[order, column].cumsum()])
        at = [int(np.abs(covered - fraction).argmin()) for fraction in curve.fractions]
        np.testing.assert_allclose(covered[at], curve.fractions)
        np.testing.assert_allclose(curve.predictions, known[at], atol=2e-6)
        assert at[-1] <= (strength > 0).sum()
        assert (np.diff(at) > 0).all()
        assert curve.area_above_random > 0 or len(at) == 1, "nothing speaks for it"
        assert (curve.random_low <= curve.random_mean + 1e-6).all()
        assert (curve.random_mean <= curve.random_high + 1e-6).all()
    assert np.mean([len(curve.fractions) for curve in curves]) > 4


def test_random_segments_are_heard_as_they_are_drawn(spectrogram, linear_model):
    """With one draw the band is a line: the sum of the coefficients of the segments in that draw."""
    labels = blocks(spectrogram)
    coefficients = effects(spectrogram, labels, linear_model, "hide")
    areas = np.bincount(labels.ravel())
    steps = 5
    (curve,) = (
        c
        for c in faithfulness_curves(
            spectrogram, explained(spectrogram, -coefficients), linear_model, ["modality"], changes=["hide"],
            steps=steps, draws=1, seed=3,
        )
        if c.side == "for"
    )  # fmt: skip
    column = MIDLEVEL.index("modality")
    order = np.random.default_rng(3).permutation(len(areas))
    sets = sets_by_area(areas, order, np.linspace(0, 0.4, steps + 1))
    with torch.inference_mode():
        whole = float(linear_model.network(torch.from_numpy(spectrogram)[None])[0][0, column])
    known = np.interp(curve.fractions, sets @ areas / areas.sum(), whole + sets @ coefficients[:, column])
    np.testing.assert_allclose(curve.random_mean, known, atol=2e-6)
    np.testing.assert_array_equal(curve.random_low, curve.random_high)


def test_an_explanation_with_reversed_signs_is_worse_than_random(spectrogram, linear_model):
    coefficients = effects(spectrogram, blocks(spectrogram), linear_model, "boost")
    curves = faithfulness_curves(
        spectrogram, explained(spectrogram, -coefficients), linear_model, changes=["boost"], steps=4
    )
    assert [curve.area_above_random < 0 for curve in curves] == [len(curve.fractions) > 1 for curve in curves]
    assert sum(curve.area_above_random < 0 for curve in curves) > 7


def test_sets_have_the_area_they_shall_have():
    areas = np.array([1000, 10, 10, 20, 30, 10, 15, 5])
    sets = sets_by_area(areas, np.arange(8), np.array([0.0, 0.05, 1.0]))
    assert not sets[0].any()
    assert sets[1] @ areas == 55  # the large one does not fit; what follows does
    assert sets[2].all()


@pytest.mark.parametrize("frames", [None, (100, 180)])
def test_a_stretch_is_heard_with_what_is_around_it(frames, random_model):
    """The first point of every curve is what the network says of the stretch within the whole."""
    rng = np.random.default_rng(0)
    spectrogram = rng.random((240, 15)).repeat(10, 1)[:, :N_BANDS].astype(np.float32)
    weights = rng.normal(size=(blocks(spectrogram).max() + 1, 7))
    curves = faithfulness_curves(
        spectrogram, explained(spectrogram, weights), random_model, ["modality"], frames=frames, steps=2, draws=2
    )
    network = random_model.network
    with torch.inference_mode():
        local = network.local(network.pad(torch.from_numpy(spectrogram)[None]))[0, MIDLEVEL.index("modality")]
    first, last = frames or (0, 240)
    begin, end = first // network.geometry.stride, network.geometry.positions(last)
    for curve in curves:
        assert curve.predictions[0] == pytest.approx(float(local[begin:end].mean()), abs=1e-5)
        assert curve.fractions[0] == 0


@pytest.mark.slow
@pytest.mark.skipif(not default_checkpoint().is_file(), reason="no default checkpoint")
def test_the_default_explanation_beats_random(tmp_path):
    with resources.as_file(resources.files("moodfader.presets") / "demo.ogg") as demo:
        sound, rate = soundfile.read(demo, frames=8 * 44100)
    soundfile.write(tmp_path / "eight.wav", sound, rate)
    track = load_track(tmp_path / "eight.wav")
    model = load_model()
    analysis = analyze_track(track, model, AnalysisSettings())
    curves = faithfulness_curves(track_spectrogram(track), analysis, model, steps=5, draws=10)
    asked = [curve for curve in curves if curve.change != "hide"]  # the default's question is that of gains
    for curve in asked:
        assert curve.area_above_random > 0, (curve.feature, curve.side, curve.change)
    outside = [
        (curve.predictions[1:] < curve.random_low[1:]) | (curve.predictions[1:] > curve.random_high[1:])
        for curve in asked
    ]
    assert np.concatenate(outside).mean() > 0.8, "nearly always further than random segments go"
