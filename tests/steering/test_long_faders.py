"""Faders of a track longer than the excerpts by which they are solved: right for all of it, and quick to find."""

import platform
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
import soundfile
from moodfader.engine import Faders, load_track
from moodfader.engine.analysis.analyze_track import analyze_track
from moodfader.engine.analysis.prediction import predict_blocks, predict_track
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.excerpts.array_path import ArrayPath
from moodfader.engine.excerpts.level_match import level_match
from moodfader.engine.excerpts.stretches import WHOLE_S, read_excerpts
from moodfader.engine.render import whole_setting
from moodfader.engine.render.whole_setting import solve_preset
from moodfader.engine.steering.faders import setting_solver
from moodfader.engine.steering.faders.levels import LEVELS_DB
from moodfader.engine.steering.faders.segment_excerpts import SegmentExcerpts, whole_track_slopes
from moodfader.engine.steering.faders.setting_solver import correct_setting
from moodfader.engine.steering.gain_path import band_k_power
from moodfader.engine.steering.listeners import own_listeners
from moodfader.engine.steering.newton import newton_step
from moodfader.engine.steering.solver import corrected_slopes
from moodfader.models.common.constants import MIDLEVEL, N_BANDS, SAMPLE_RATE
from moodfader.models.inference.checkpoint import load_model

RATE = 22050


@pytest.fixture(scope="module")
def track(tmp_path_factory):
    """Of 72 s, whose second half is not like its first: the track that ships, then the same a third lower."""
    sound, rate = soundfile.read(str(files("moodfader.presets") / "demo.ogg"), dtype="float32")
    mono = (sound.mean(1) if sound.ndim > 1 else sound)[: 20 * rate : rate // RATE]
    lower = np.interp(np.arange(0, len(mono) - 1, 0.8), np.arange(len(mono)), mono)
    softer = 0.3 * lower[::-1]
    whole = np.concatenate((mono, lower, softer, mono[: 3 * RATE]))
    path = tmp_path_factory.mktemp("long") / "long.wav"
    soundfile.write(path, 0.4 * whole, RATE, subtype="FLOAT")
    found = load_track(path)
    assert found.sounding_s > WHOLE_S + 5
    return found


@pytest.fixture(scope="module")
def analysis(track, model):
    return analyze_track(track, model, AnalysisSettings())


@pytest.fixture(scope="module")
def moved(track, model, analysis):
    """What the network says more of all of the track under gains [segments]: filtered as a whole, and no quicker."""
    first = track.sounding[0] / SAMPLE_RATE
    (sound,) = read_excerpts(track, [(first, track.sounding_s)])
    path = ArrayPath(sound, offset=track.sounding[0] % 704)
    labels = analysis.mask_labels[track.sounding[0] // 704 :]
    before = predict_track(track, model)

    def by(gains_db: np.ndarray) -> np.ndarray:
        steered, energies = path.steered(gains_db.astype(np.float32)[labels])
        steered = steered * np.float32(level_match([path.energies], [energies]))
        after = predict_blocks([steered], model, scale=1.0)
        return np.array([after.midlevel[name] - before.midlevel[name] for name in MIDLEVEL])

    return by


@pytest.mark.slow
def test_faders_of_a_long_track_are_right_for_all_of_it(analysis, moved) -> None:
    """The stored response is that of the whole track, and what else a fader moves there is next to nothing."""
    own, others, expected, measured = 0.0, 0.0, [], []
    for side in (1.0, -1.0):
        for feature in range(7):
            mask = analysis.mask_weights[:, feature + (0 if side > 0 else 7)]
            found = moved(6 * side * mask)
            own += abs(found[feature])
            others += np.abs(np.delete(found, feature)).sum() / 6
            measured.append(found[feature])
            expected.append(analysis.response[feature, LEVELS_DB.index(6 * side), feature])
    assert others / own < 0.08
    assert np.corrcoef(expected, measured)[0, 1] > 0.98
    assert np.dot(expected, measured) / np.dot(expected, expected) == pytest.approx(1.0, abs=0.1)


@pytest.mark.slow
def test_presets_of_a_long_track_are_solved_by_all_of_it(track, analysis, model, moved) -> None:
    """And without torch's gradients: what `play` hears."""
    asked = Faders(articulation=4.0, modality=-4.0)
    found = solve_preset(track, analysis, asked, model)
    assert found is not None
    missed = moved(found.gains_db) - found.asked
    assert np.linalg.norm(missed) < 0.12 * np.linalg.norm(found.asked)
    assert solve_preset(track, analysis, Faders(modality=6.0), model) is None


@pytest.mark.slow
def test_a_preset_of_a_very_long_track_is_put_right_by_all_of_it(track, analysis, model, moved, monkeypatch):
    """A track counts as too long to be heard at once from five minutes on; here from less: its end is not heard."""
    part_s = track.sounding_s / 3
    monkeypatch.setattr(whole_setting, "WHOLE_S", part_s)
    monkeypatch.setattr(whole_setting, "wide_stretches", lambda track: [(0.0, part_s)])
    asked = Faders(modality=6.0, articulation=-5.0, dissonance=4.0)
    missed = {}
    for length_s in (np.inf, part_s):
        monkeypatch.setattr(whole_setting, "WIDE_S", length_s)
        found = solve_preset(track, analysis, asked, model)
        missed[length_s] = np.linalg.norm(moved(found.gains_db) - found.asked) / np.linalg.norm(found.asked)
    assert missed[np.inf] > 0.2
    # (predictions of pieces are not quite those of all at once, least so of pieces as short as the second one here)
    assert missed[part_s] < min(0.25, missed[np.inf] / 2)


@pytest.mark.slow
def test_a_preset_that_does_not_come_near_is_tried_from_a_smaller_start(
    track, analysis, model, moved, monkeypatch
) -> None:
    """The nearer of the two is taken, and any number of threads finds the same."""
    asked, starts = Faders(articulation=4.0, modality=-4.0), []

    def counted(found, *args, extra=None, **more):
        starts.append(extra)
        return correct_setting(found, *args, extra=extra, **more)

    monkeypatch.setattr(whole_setting, "correct_setting", counted)
    monkeypatch.setattr(whole_setting, "GOOD", -1.0)
    monkeypatch.setattr(setting_solver, "WIDE_TRIES", 1)
    found = {}
    for threads in (1, 2):
        monkeypatch.setattr(whole_setting, "working_threads", lambda threads=threads: threads)
        found[threads] = solve_preset(track, analysis, asked, model)
    assert [start is not None for start in starts] == [False, True] * 2
    assert starts[1][0].shape == (7, len(analysis.mask_weights))
    missed = moved(found[1].gains_db) - found[1].asked
    assert np.linalg.norm(missed) < 0.1 * np.linalg.norm(found[1].asked)
    np.testing.assert_array_equal(found[1].gains_db, found[2].gains_db)


def test_slopes_of_a_track_that_stays_as_loud() -> None:
    """A dB of every segment changes nothing then; one of a single segment, what it says less all of them softer."""
    rng = np.random.default_rng(3)
    spectrogram = rng.uniform(0.1, 2.0, (5000, N_BANDS)).astype(np.float32)
    segments = rng.integers(0, 9, spectrogram.shape).astype(np.int32)
    slopes = rng.normal(size=(7, 9))
    found = whole_track_slopes(slopes, spectrogram, segments)
    np.testing.assert_allclose(found.sum(1), 0, atol=1e-9)
    power = (10.0**spectrogram - 1) ** 2 * band_k_power()
    share = power[segments == 4].sum() / power.sum()
    np.testing.assert_allclose(found[:, 4], slopes[:, 4] - share * slopes.sum(1), rtol=1e-4)


def test_a_step_by_right_slopes_arrives() -> None:
    rng = np.random.default_rng(4)
    slopes, start, targets = rng.normal(size=(3, 8)), rng.normal(size=8), rng.normal(size=3)
    step = newton_step(
        slopes @ start, slopes, targets, np.eye(8), start=start, rms_of=np.linalg.norm, max_rms_db=100.0
    )
    np.testing.assert_allclose(slopes @ step.coefficients, targets, atol=0.02 * np.abs(targets).max())
    np.testing.assert_allclose(step.moved, slopes @ step.coefficients)
    short = newton_step(
        slopes @ start, slopes, targets, np.eye(8), start=start, rms_of=np.linalg.norm, max_rms_db=0.5
    )
    assert np.linalg.norm(short.coefficients) <= 0.5


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps other memory")
def test_freed_memory_goes_back_to_the_system() -> None:
    """Pieces below what the C library maps for itself, of which the last one stays."""
    program = """
from moodfader.models.inference.heap import return_freed_memory
def resident():
    return int(next(line for line in open('/proc/self/status') if line.startswith('VmRSS')).split()[1])
pieces = [bytearray(60_000) for _ in range(2000)]
last = pieces[-1]
del pieces
before = resident()
return_freed_memory()
print(before - resident())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 50_000  # kB


def test_a_silent_excerpt_has_no_slopes_and_a_step_of_no_length_corrects_none() -> None:
    """Neither gives what is no number: most of a long track may be silent."""
    segments = np.arange(200, dtype=np.int32)[:, None].repeat(N_BANDS, 1) // 20
    silent = SegmentExcerpts([(np.zeros(44100, np.float32), 0)], segments, own_listeners(load_model())[:2])
    slopes = silent.slopes([(0, 0), (1, 3)], np.zeros(10, np.float32))
    np.testing.assert_array_equal(slopes, np.zeros((2, 10)))
    known = np.array([[1.0, 2.0]])
    np.testing.assert_array_equal(corrected_slopes(known, np.zeros(2), np.array([0.3]), np.eye(2)), known)
