"""Decoupled faders: one moves its feature and leaves the other six, and says by how much."""

import dataclasses

import numpy as np
import pytest
import soundfile
from moodfader.engine import Faders, load_track
from moodfader.engine.analysis.analyze_track import analyze_track
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.analysis.surrogate import expected_midlevel, response_shift
from moodfader.engine.audio.track_spectrogram import track_spectrogram
from moodfader.engine.dsp.segment_mask import segment_gain_db
from moodfader.engine.excerpts.stretches import few_stretches, placed_excerpts
from moodfader.engine.render.render import render
from moodfader.engine.steering.faders import masks as fader_masks
from moodfader.engine.steering.faders.confirmed import confirmed_shares
from moodfader.engine.steering.faders.levels import LEVELS_DB
from moodfader.engine.steering.faders.segment_excerpts import FaderInputs, SegmentExcerpts
from moodfader.engine.steering.listeners import own_listeners
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.inference.threads import torch_threads


def test_faders_move_their_own_feature_and_little_else(track, analysis, model, place) -> None:
    """Of the written file: what the explanation's own masks move beside is more than twice as much."""
    coupled = dataclasses.replace(
        analysis, mask_weights=analysis.selected_weights, selected=None, response=None, subsegments=None
    )
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
    assert others["decoupled"] < 0.1
    assert others["decoupled"] < others["coupled"] / 2


def test_faders_below_zero_have_masks_of_their_own(track, analysis, model, place) -> None:
    """What leaves the other features alone when it boosts does not when it cuts: with the upper masks alone, more
    than twice as much is moved beside.
    """
    upper = dataclasses.replace(analysis, mask_weights=analysis.mask_weights[:, :7])
    others = []
    for one in (analysis, upper):
        moves = np.zeros((7, 7))
        for row, feature in enumerate(MIDLEVEL):
            faders = Faders.from_mapping({feature: -6.0})
            made = render(track, one, place / "out.wav", faders=faders, model=model, overwrite=True)
            moves[row] = [made.midlevel["before"][key] - made.midlevel["after"][key] for key in MIDLEVEL]
        own = np.diag(moves)
        others.append(float((np.abs(moves).sum() - np.abs(own).sum()) / 6 / own.sum()))
    assert others[0] < 0.1
    assert others[0] < others[1] / 2


def test_gain_of_a_segment_follows_the_side_of_its_fader() -> None:
    masks = np.zeros((2, 14), np.float32)
    masks[:, 0], masks[:, 7] = 0.5, -0.25
    faders = np.zeros(7, np.float32)
    for db, gain in ((6.0, 3.0), (0.0, 0.0), (-6.0, 1.5)):
        faders[0] = db
        np.testing.assert_allclose(segment_gain_db(masks, faders), gain)
    np.testing.assert_allclose(segment_gain_db(masks[:, :7], faders), -3.0)


def test_faders_are_the_same_by_one_thread_and_by_two(track, model, tmp_path) -> None:
    import torch

    sound, rate = soundfile.read(track.path, dtype="float32", frames=2 * 44100)
    soundfile.write(tmp_path / "part.wav", sound, rate, subtype="FLOAT")
    part = load_track(tmp_path / "part.wav")
    found = []
    for threads in (1, 2):
        with torch_threads(threads):
            assert torch.get_num_threads() == threads
            found.append(analyze_track(part, model, AnalysisSettings(passes=64)))
    gains = [one.mask_weights[one.mask_labels] for one in found]
    np.testing.assert_allclose(gains[0], gains[1], atol=2e-2)


def test_a_fader_that_does_nothing_is_marked(analysis) -> None:
    response = analysis.response.copy()
    response[3] = 0.004
    assert "rhythmic_stability" in dataclasses.replace(analysis, response=response).features_without_segments
    masks = analysis.mask_weights.copy()
    masks[:, [5, 12]] = 0  # above zero and below
    assert "tonal_stability" in dataclasses.replace(analysis, mask_weights=masks).features_without_segments


def test_what_is_confirmed_is_what_the_listeners_agree_on(track, analysis, model) -> None:
    excerpts = SegmentExcerpts(
        placed_excerpts(track, few_stretches(track)), analysis.mask_labels, listeners := own_listeners(model)
    )
    moved = np.zeros((len(listeners), 7, 2))
    for feature in range(7):
        for side, db in enumerate((6.0, -6.0)):
            faders = np.where(np.arange(7) == feature, db, 0.0)
            after = excerpts.predict(segment_gain_db(analysis.mask_weights, faders))
            moved[:, feature, side] = np.sign(db) * (after - excerpts.before)[:, feature]
    wanted = confirmed_shares(moved[0], {one.name: moves for one, moves in zip(listeners, moved, strict=True)})
    assert analysis.confirmed.shape == (7, 2)
    np.testing.assert_allclose(analysis.confirmed, wanted, atol=0.01)
    assert len(np.unique(wanted)) > 3


def test_a_listener_that_counts_more_is_moved_further(track, analysis, model, monkeypatch) -> None:
    """In the feature in which it does; the faders of the others are the same."""
    excerpts = placed_excerpts(track, few_stretches(track))
    spectrogram = track_spectrogram(track)
    inputs = FaderInputs(spectrogram, analysis.mask_labels, excerpts, excerpts, own_listeners(model))
    shape = inputs.listeners.index("shape")

    def moved(weights) -> np.ndarray:
        monkeypatch.setattr("moodfader.engine.steering.faders.confirmed.LISTENER_WEIGHTS", weights)
        masks = fader_masks.decoupled_faders(inputs, analysis.explained_masks).masks
        heard = np.stack([inputs.few.predict(6 * masks[:, feature])[shape] for feature in range(7)])
        return (heard - inputs.few.before[shape])[:, :7].diagonal()

    alike, more = moved({}), moved({"modality": {"shape": 2.0, "broad": 0.5, "companion": 0.5, "taught": 0.5}})
    assert more[MIDLEVEL.index("modality")] > 1.02 * alike[MIDLEVEL.index("modality")]
    np.testing.assert_array_equal(np.delete(more, 6), np.delete(alike, 6))


def test_a_fader_that_others_hardly_hear_is_marked(analysis) -> None:
    confirmed = np.full((7, 2), 0.9, np.float32)
    confirmed[3] = 0.05, 0.1
    assert dataclasses.replace(analysis, confirmed=confirmed).features_hardly_heard == ("rhythmic_stability",)


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
