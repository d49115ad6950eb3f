"""Decoupled faders: one moves its feature and leaves the other six, live and in the file, and says by how much."""

import dataclasses
import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile
from moodfader.engine import Faders, load_track
from moodfader.engine.analysis.analysis_file import load_analysis, save_analysis
from moodfader.engine.analysis.analyze_track import analyze_track
from moodfader.engine.analysis.cache import cache_path
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.analysis.surrogate import expected_midlevel, response_shift
from moodfader.engine.render.render import render
from moodfader.engine.steering.levels import LEVELS_DB
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.inference.checkpoint import load_model


@pytest.fixture(scope="module")
def model():
    return load_model()


@pytest.fixture(scope="module")
def track(tmp_path_factory):
    """Six seconds of the track that ships, softer, so that the limiter is idle."""
    sound, rate = soundfile.read(str(files("moodfader.presets") / "demo.ogg"), dtype="float32", frames=6 * 44100)
    path = tmp_path_factory.mktemp("music") / "demo.wav"
    soundfile.write(path, 0.4 * sound, rate, subtype="FLOAT")
    return load_track(path)


@pytest.fixture(scope="module")
def analysis(track, model):
    return analyze_track(track, model, AnalysisSettings())


def test_faders_move_their_own_feature_and_little_else(track, analysis, model, place) -> None:
    """Of the written file: what the explanation's own masks move beside is more than twice as much."""
    coupled = dataclasses.replace(analysis, mask_weights=analysis.selected_weights, selected=None, response=None)
    others = {}
    for name, one in (("coupled", coupled), ("decoupled", analysis)):
        moves = np.zeros((7, 7))
        for row, feature in enumerate(MIDLEVEL):
            made = render(
                track,
                one,
                place / "out.wav",
                faders=Faders.from_mapping({feature: 6.0}),
                model=model,
                match_loudness=True,
                overwrite=True,
            )
            moves[row] = [made.midlevel["after"][key] - made.midlevel["before"][key] for key in MIDLEVEL]
        own = np.diag(moves)
        assert (own > 0).all(), name
        others[name] = float((np.abs(moves).sum() - own.sum()) / 6 / own.sum())
        if one is analysis:
            expected = np.array([expected_midlevel(one, 6.0 * unit) for unit in np.eye(7)])
            assert np.corrcoef(moves.ravel(), expected.ravel())[0, 1] > 0.97
            assert float(np.diag(expected).sum() / own.sum()) == pytest.approx(1.0, abs=0.15)
    assert others["decoupled"] < 0.2
    assert others["decoupled"] < others["coupled"] / 1.5


def test_masks_and_response_are_kept(track, analysis, model, tmp_path) -> None:
    path = tmp_path / "analysis.npz"
    save_analysis(analysis, path)
    read = load_analysis(path, track=track, model=model)
    assert not read.settings.coupled
    np.testing.assert_array_equal(read.mask_weights, analysis.mask_weights)
    np.testing.assert_array_equal(read.selected_weights, analysis.selected_weights)
    np.testing.assert_array_equal(read.response, analysis.response)
    assert np.abs(read.mask_weights).max() <= 1
    assert not np.array_equal(read.mask_weights, read.selected_weights)


def test_analyses_of_before_are_coupled_and_found(track, analysis, model, tmp_path) -> None:
    """A file without the mark, and the name that the cache gave it."""
    old = dataclasses.replace(analysis, settings=AnalysisSettings(coupled=True), selected=None, response=None)
    path = tmp_path / "analysis.npz"
    save_analysis(old, path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    description = json.loads(bytes(arrays["description"]))
    del description["settings"]["coupled"]
    arrays["description"] = np.frombuffer(json.dumps(description, sort_keys=True).encode(), np.uint8)
    np.savez_compressed(path, **arrays)
    read = load_analysis(path, track=track, model=model)
    assert read.settings.coupled
    assert read.response is None
    fixture = Path(__file__).parents[1] / "fixtures" / "analysis_0_7.npz"
    assert load_analysis(fixture).settings.coupled
    assert cache_path(track, model, old.settings) != cache_path(track, model, analysis.settings)


def test_response_is_interpolated_and_adds_up() -> None:
    rng = np.random.default_rng(0)
    response = rng.normal(size=(7, len(LEVELS_DB), 7)).astype(np.float32)
    none = np.zeros(7)
    assert not response_shift(response, none).any()
    up = np.where(np.arange(7) == 2, 6.0, 0.0)
    np.testing.assert_allclose(response_shift(response, up), response[2, LEVELS_DB.index(6.0)], rtol=1e-6)
    np.testing.assert_allclose(response_shift(response, up / 4), response[2, LEVELS_DB.index(3.0)] / 2, rtol=1e-6)
    down = np.where(np.arange(7) == 5, -9.0, 0.0)
    both = response_shift(response, up) + response_shift(response, down)
    np.testing.assert_allclose(response_shift(response, up + down), both, rtol=1e-5)
