"""The prediction and the loudness of a track are kept in its analysis, and are those that would be measured."""

import json
from dataclasses import replace

import numpy as np
import pytest
from moodfader.control.cli import run
from moodfader.engine.analysis.analysis_file import load_analysis, save_analysis
from moodfader.engine.analysis.analyze_track import analyze_track
from moodfader.engine.analysis.prediction import predict_track
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.engine.audio.track import load_track
from moodfader.models.common.errors import InputError


@pytest.fixture(scope="module")
def analysis(song, random_model):
    return analyze_track(load_track(song, loudness=True), random_model, AnalysisSettings(passes=64, coupled=True))


def test_what_is_kept_is_what_is_measured(analysis, song, random_model, tmp_path):
    save_analysis(analysis, tmp_path / "a.npz")
    read, track = load_analysis(tmp_path / "a.npz"), load_track(song)
    assert read.prediction == predict_track(track, random_model)
    assert read.loudness_lufs == track.loudness_lufs


def test_a_render_says_the_same_with_and_without_it(analysis, song, model_file, tmp_path, capsys):
    said, samples = [], []
    for number, kept in enumerate((analysis, replace(analysis, prediction=None, loudness_lufs=None))):
        stored, output = tmp_path / f"{number}.npz", tmp_path / f"{number}.wav"
        save_analysis(kept, stored)
        given = ["--analysis", str(stored), "--model", model_file, "--set", "modality=6", "--json"]
        assert run(["render", str(song), "-o", str(output), *given]) == 0
        said.append(json.loads(capsys.readouterr().out))
        samples.append(output.read_bytes())
        del said[-1]["output"], said[-1]["seconds"]
    assert said[0] == said[1]
    assert samples[0] == samples[1]


@pytest.mark.parametrize(
    "altered",
    [
        {"loudness_lufs": float("nan")},
        {"loudness_lufs": "loud"},
        {"prediction": {}},
        {"prediction": [0.5] * 15},
        {"prediction": {"duration_s": 2.0, "midlevel": {"modality": 0.5}, "emotions": {}}},
    ],
)
def test_what_cannot_be_a_prediction_is_refused(analysis, tmp_path, altered):
    save_analysis(analysis, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        arrays = dict(archive)
    description = json.loads(bytes(arrays["description"])) | altered
    arrays["description"] = np.frombuffer(json.dumps(description).encode(), np.uint8)
    np.savez_compressed(tmp_path / "b.npz", **arrays)
    with pytest.raises(InputError, match="damaged"):
        load_analysis(tmp_path / "b.npz")
