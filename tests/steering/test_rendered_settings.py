"""Settings of the faders in rendered files: solved as a whole, in long and loud tracks, by any number of cores."""

import dataclasses
import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
import soundfile
from moodfader.control.session.presets import available_presets, read_preset
from moodfader.engine import Faders, load_track
from moodfader.engine.analysis.analysis_file import save_analysis
from moodfader.engine.analysis.prediction import predict_track
from moodfader.engine.analysis.surrogate import emotions_of, expected_midlevel, shifted_emotions
from moodfader.engine.dsp.processor import SteeredSound
from moodfader.engine.render.render import render
from moodfader.engine.render.whole_setting import solve_whole
from moodfader.engine.steering.faders.setting_solver import GOOD
from moodfader.models.common.constants import MIDLEVEL


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
        expected = emotions_of(asked if together else expected_midlevel(analysis, faders.to_array()), model)
        shifted = shifted_emotions(made.emotions["before"], expected)
        assert made.emotions["surrogate"] == pytest.approx(shifted, abs=1e-5)
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
    free = SteeredSound(
        same.mask_labels, same.mask_weights, sample_rate=rate, channels=hot.channels, ceiling_dbtp=None
    )
    blocks = [free.process(block, faders) for block in hot.blocks()]
    wanted = np.concatenate([*blocks, free.flush()]) * 10 ** (-made.headroom_db / 20)
    written, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    np.testing.assert_allclose(written, wanted, atol=1e-5)
    soft = render(track, analysis, tmp_path / "soft.wav", faders=faders, model=model, bit_depth="float")
    assert soft.headroom_db == 0
    for name in MIDLEVEL:
        assert made.midlevel["after"][name] == pytest.approx(soft.midlevel["after"][name], abs=2e-3)
