"""Masks and their measured response in analysis files, also those of earlier versions."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from moodfader.engine import Faders
from moodfader.engine.analysis.analysis_file import load_analysis, save_analysis
from moodfader.engine.analysis.cache import cache_path
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.dsp.segment_mask import MASK_LIMIT
from moodfader.engine.render.render import render
from moodfader.engine.steering.faders.confirmed import CONFIRMED
from moodfader.models.common.errors import InputError


def test_masks_and_response_are_kept(track, analysis, model, tmp_path) -> None:
    path = tmp_path / "analysis.npz"
    save_analysis(analysis, path)
    read = load_analysis(path, track=track, model=model)
    assert not read.settings.coupled
    np.testing.assert_array_equal(read.mask_weights, analysis.mask_weights)
    np.testing.assert_array_equal(read.selected_weights, analysis.selected_weights)
    np.testing.assert_array_equal(read.response, analysis.response)
    np.testing.assert_array_equal(read.slopes, analysis.slopes)
    np.testing.assert_array_equal(read.confirmed, analysis.confirmed)
    assert np.abs(read.mask_weights).max() <= MASK_LIMIT
    assert not np.array_equal(read.mask_weights, read.selected_weights)


def test_an_analysis_of_0_12_has_one_share_a_feature(track, analysis, model, tmp_path) -> None:
    """It says nothing of the listeners, and is read and rendered as before."""
    path = tmp_path / "analysis.npz"
    save_analysis(dataclasses.replace(analysis, confirmed=None), path)
    read = load_analysis(path, track=track, model=model)
    assert read.confirmed is None
    assert read.features_hardly_heard == ()
    made = render(track, read, tmp_path / "out.wav", faders=Faders(modality=6.0), model=model)
    moved = made.midlevel["after"]["modality"] - made.midlevel["before"]["modality"]
    assert made.confirmed["modality"] == pytest.approx(CONFIRMED["modality"] * moved)


def test_shares_beyond_one_are_refused(analysis, tmp_path) -> None:
    save_analysis(dataclasses.replace(analysis, confirmed=analysis.confirmed + 2), tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"a\.npz: a damaged analysis file \(confirmed"):
        load_analysis(tmp_path / "a.npz")


def test_analyses_of_before_are_coupled_and_found(track, analysis, model, tmp_path) -> None:
    """A file without the mark, and the name that the cache gave it."""
    old = dataclasses.replace(
        analysis,
        settings=AnalysisSettings(coupled=True),
        mask_weights=analysis.selected_weights,
        selected=None,
        response=None,
        slopes=None,
        subsegments=None,
    )
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
