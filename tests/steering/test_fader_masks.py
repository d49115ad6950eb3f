"""Decoupled faders: one moves its feature and leaves the other six, live and in the file, and says by how much."""

import dataclasses
import json
import os
import subprocess
import sys
from importlib.resources import files
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import soundfile
from moodfader.control.session.presets import available_presets, read_preset
from moodfader.engine import Faders, load_track
from moodfader.engine.analysis.analysis_file import load_analysis, save_analysis
from moodfader.engine.analysis.analyze_track import analyze_track
from moodfader.engine.analysis.cache import cache_path
from moodfader.engine.analysis.prediction import predict_track
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.analysis.surrogate import expected_midlevel, response_shift
from moodfader.engine.audio.track_spectrogram import track_spectrogram
from moodfader.engine.dsp.processor import SteeredSound
from moodfader.engine.dsp.segment_mask import MASK_LIMIT, segment_gain_db
from moodfader.engine.excerpts.stretches import few_stretches, placed_excerpts
from moodfader.engine.render.render import render
from moodfader.engine.render.whole_setting import solve_whole
from moodfader.engine.steering.faders import masks as fader_masks
from moodfader.engine.steering.faders.confirmed import CONFIRMED, confirmed_shares
from moodfader.engine.steering.faders.levels import LEVELS_DB
from moodfader.engine.steering.faders.segment_excerpts import FaderInputs, SegmentExcerpts
from moodfader.engine.steering.faders.setting_solver import GOOD
from moodfader.engine.steering.listeners import own_listeners
from moodfader.models.common.constants import MIDLEVEL
from moodfader.models.common.errors import InputError
from moodfader.models.inference.checkpoint import load_model
from moodfader.models.inference.threads import torch_threads


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
    np.testing.assert_allclose(found[0].mask_weights, found[1].mask_weights, atol=2e-2)


def test_several_faders_are_solved_together(track, analysis, model, place) -> None:
    """Of the written file: every feature moves by what its own fader says; added up as live, they miss by more."""
    faders = read_preset(available_presets()["agitato"]).faders
    alone = [expected_midlevel(analysis, np.where(np.arange(7) == k, faders.to_array(), 0)) for k in range(7)]
    asked = np.diag(np.array(alone))
    misses = {}
    for together in (True, False):
        made = render(
            track, analysis, place / "out.wav", faders=faders, model=model, together=together, overwrite=True
        )
        moved = np.array([made.midlevel["after"][key] - made.midlevel["before"][key] for key in MIDLEVEL])
        misses[together] = float(np.linalg.norm(moved - asked) / np.linalg.norm(asked))
        assert made.setting_error == (pytest.approx(misses[True], rel=1e-3) if together else None)
    assert misses[True] < 0.1
    assert misses[True] < misses[False]


def test_one_fader_of_a_long_track_is_put_right_by_all_of_it(track, analysis, model, place, monkeypatch) -> None:
    """A track counts as long from a minute on; here from less, and its fader is a wrong one."""
    faders = Faders(modality=6.0)
    assert solve_whole(track, analysis, faders, model) is None
    monkeypatch.setattr("moodfader.engine.render.whole_setting.WHOLE_S", track.sounding_s / 2)
    assert solve_whole(track, dataclasses.replace(analysis, slopes=None), faders, model, by_all=True) is None
    assert solve_whole(track, analysis, faders, model) is None
    masks = analysis.mask_weights.copy()
    masks[:, 6] += 0.4 * masks[:, 0]  # (as if it had been solved by other seconds of the track)
    wrong = dataclasses.replace(analysis, mask_weights=masks)
    asked = expected_midlevel(analysis, faders.to_array())[6] * (np.arange(7) == 6)
    misses = {}
    for together in (True, False):
        made = render(track, wrong, place / "one.wav", faders=faders, model=model, together=together, overwrite=True)
        moved = np.array([made.midlevel["after"][key] - made.midlevel["before"][key] for key in MIDLEVEL])
        misses[together] = float(np.linalg.norm(moved - asked) / np.linalg.norm(asked))
        assert made.setting_error == (pytest.approx(misses[True], abs=0.02) if together else None)
    assert misses[True] < 0.1
    assert misses[True] < misses[False] / 2


def test_a_very_long_track_is_heard_piece_by_piece(track, analysis, model, place, monkeypatch) -> None:
    """A track counts as too long to be heard at once from five minutes on; here from less: its end is not heard."""
    part_s = track.sounding_s / 3
    monkeypatch.setattr("moodfader.engine.render.whole_setting.WHOLE_S", part_s)
    monkeypatch.setattr("moodfader.engine.render.whole_setting.wide_stretches", lambda track: [(0.0, part_s)])
    faders = Faders(modality=6.0, articulation=-5.0, dissonance=4.0)
    missed = {}
    for wide_s in (np.inf, part_s):
        monkeypatch.setattr("moodfader.engine.render.whole_setting.WIDE_S", wide_s)
        made = render(track, analysis, place / "out.wav", faders=faders, model=model, overwrite=True)
        assert made.midlevel["after"] == pytest.approx(
            dict(
                predict_track(load_track(place / "out.wav"), model, scale=_heard_at(track, made), like=track).midlevel
            ),
            abs=1e-4,
        )
        missed[wide_s] = made.setting_error
    assert missed[np.inf] > 0.3
    assert missed[part_s] < missed[np.inf] / 2


def _heard_at(track, made) -> float:
    """The scale at which a file is heard: at the loudness of the original."""
    return track.network_peak * 10 ** ((made.loudness_lufs["after"] - made.loudness_lufs["before"]) / 20)


def test_a_setting_is_solved_by_the_slopes_of_the_analysis_or_by_gradients(track, analysis, model) -> None:
    """Files of 0.10 and before have no slopes; what is found is right by either way, and much the same."""
    faders = Faders(melodiousness=5.0, dissonance=-4.0)
    by_slopes = solve_whole(track, analysis, faders, model)
    by_gradients = solve_whole(track, dataclasses.replace(analysis, slopes=None), faders, model)
    assert by_slopes.error < GOOD
    assert by_gradients.error < GOOD
    assert np.corrcoef(by_slopes.gains_db, by_gradients.gains_db)[0, 1] > 0.9


def test_a_setting_is_solved_without_torch(track, analysis, tmp_path) -> None:
    """Faders that the stored slopes are good enough for, by a process that has not imported torch."""
    path = tmp_path / "analysis.npz"
    save_analysis(analysis, path)
    code = (
        "import sys\n"
        "from moodfader.engine import Faders, load_track\n"
        "from moodfader.engine.analysis.analysis_file import load_analysis\n"
        "from moodfader.engine.render.whole_setting import solve_whole\n"
        "from moodfader.models.inference.checkpoint import load_model\n"
        "track, model = load_track(sys.argv[1]), load_model()\n"
        "found = solve_whole(track, load_analysis(sys.argv[2]), Faders(modality=3, tonal_stability=-5), model)\n"
        "print('torch' in sys.modules, found.error)"
    )
    command = [sys.executable, "-c", code, str(track.path), str(path)]
    imported, error = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert imported == "False"
    assert float(error) < GOOD


def test_samples_are_the_same_for_any_number_of_cores(track, analysis, tmp_path) -> None:
    """`render` by 1, 2 and 3 threads of every library: one file, to the byte, whether solved as a whole or not.

    Also where all of a long track puts one fader and several right (here a track counts as long from less on).
    """
    kept = tmp_path / "analysis.npz"
    save_analysis(analysis, kept)
    code = (
        "import sys\n"
        "import moodfader.engine.render.whole_setting as whole_setting\n"
        "from moodfader.control.cli import main\n"
        "whole_setting.WHOLE_S = float(sys.argv.pop(1))\n"
        "main()"
    )
    for faders, whole_s in product((("modality=5",), ("melodiousness=5", "dissonance=-4")), (60.0, 1.0)):
        written = set()
        for threads in ("1", "2", "3"):
            names = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"
            output = tmp_path / f"{threads}.wav"
            command = [sys.executable, "-c", code, str(whole_s), "render", str(track.path), "-o", str(output)]
            command += [part for setting in faders for part in ("--set", setting)] + [
                "--analysis",
                str(kept),
                "--quiet",
                "--overwrite",
            ]
            subprocess.run(command, env=os.environ | dict.fromkeys(names, threads), check=True, capture_output=True)
            written.add(output.read_bytes())
        assert len(written) == 1


def test_loud_tracks_are_lowered_instead_of_limited(track, analysis, model, tmp_path) -> None:
    """The limiter has nothing to do: the file is the filtered sound, softer, heard at a scale as much lower."""
    sound, rate = soundfile.read(track.path, dtype="float32")
    soundfile.write(tmp_path / "hot.wav", sound / np.abs(sound).max(), rate, subtype="FLOAT")
    hot = load_track(tmp_path / "hot.wav")
    same = dataclasses.replace(analysis, track_digest=hot.digest)
    faders = Faders(articulation=9.0)
    made = render(hot, same, tmp_path / "out.wav", faders=faders, model=model, bit_depth="float")
    assert made.headroom_db > 0.5
    assert made.true_peak_dbtp <= -1
    free = SteeredSound(same.segments, same.mask_weights, sample_rate=rate, channels=hot.channels, ceiling_dbtp=None)
    blocks = [free.process(block, faders) for block in hot.blocks()]
    wanted = np.concatenate([*blocks, free.flush()]) * 10 ** (-made.headroom_db / 20)
    written, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_allclose(written, wanted, atol=1e-5)
    soft = render(track, analysis, tmp_path / "soft.wav", faders=faders, model=model, bit_depth="float")
    assert soft.headroom_db == 0
    for name in MIDLEVEL:
        assert made.midlevel["after"][name] == pytest.approx(soft.midlevel["after"][name], abs=2e-3)


def test_a_fader_that_does_nothing_is_marked(analysis) -> None:
    response = analysis.response.copy()
    response[3] = 0.004
    assert "rhythmic_stability" in dataclasses.replace(analysis, response=response).features_without_segments
    masks = analysis.mask_weights.copy()
    masks[:, [5, 12]] = 0  # above zero and below
    assert "tonal_stability" in dataclasses.replace(analysis, mask_weights=masks).features_without_segments


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


def test_what_is_confirmed_is_what_the_listeners_agree_on(track, analysis, model) -> None:
    excerpts = SegmentExcerpts(
        placed_excerpts(track, few_stretches(track)), analysis.segments, listeners := own_listeners(model)
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
    inputs = FaderInputs(spectrogram, analysis.segments, excerpts, excerpts, own_listeners(model))
    shape = inputs.listeners.index("shape")

    def moved(weights) -> np.ndarray:
        monkeypatch.setattr("moodfader.engine.steering.faders.confirmed.LISTENER_WEIGHTS", weights)
        masks = fader_masks.decoupled_faders(inputs, analysis.selected_weights).masks
        heard = np.stack([inputs.few.predict(6 * masks[:, feature])[shape] for feature in range(7)])
        return (heard - inputs.few.before[shape])[:, :7].diagonal()

    alike, more = moved({}), moved({"modality": {"shape": 2.0, "broad": 0.5, "companion": 0.5, "taught": 0.5}})
    assert more[MIDLEVEL.index("modality")] > 1.02 * alike[MIDLEVEL.index("modality")]
    np.testing.assert_array_equal(np.delete(more, 6), np.delete(alike, 6))


def test_a_fader_that_others_hardly_hear_is_marked(analysis) -> None:
    confirmed = np.full((7, 2), 0.9, np.float32)
    confirmed[3] = 0.05, 0.1
    assert dataclasses.replace(analysis, confirmed=confirmed).features_hardly_heard == ("rhythmic_stability",)


def test_analyses_of_before_are_coupled_and_found(track, analysis, model, tmp_path) -> None:
    """A file without the mark, and the name that the cache gave it."""
    old = dataclasses.replace(
        analysis,
        settings=AnalysisSettings(coupled=True),
        mask_weights=analysis.selected_weights,
        selected=None,
        response=None,
        slopes=None,
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
