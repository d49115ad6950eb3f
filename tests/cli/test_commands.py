"""The command line as its users meet it: what it prints, where, and which exit code it leaves."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from moodfader.control.cli import run
from moodfader.engine import load_analysis, load_track, predict_track
from moodfader.engine.analysis.settings import AnalysisSettings
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL
from moodfader.models.inference.checkpoint import default_checkpoint, load_model

RATE = 44100


def tune(seconds: float, *, seed: int = 0, channels: int = 2) -> np.ndarray:
    """Plucked notes of a scale over a held fifth, with a little noise: float32 [samples, channels]."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * RATE)) / RATE
    sound = 0.1 * np.sin(2 * np.pi * 110 * times) + 0.1 * np.sin(2 * np.pi * 165 * times)
    for start in np.arange(0, seconds, 0.25):
        since = np.maximum(times - start, 0)
        pitch = 220 * 2 ** (rng.choice([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
        for harmonic in range(1, 5):
            note = np.sin(2 * np.pi * harmonic * pitch * since) * np.exp(-6 * since) * (times >= start)
            sound += 0.2 / harmonic * note
    sound = sound[:, None] * np.linspace(1, 0.8, channels) + 0.002 * rng.standard_normal((len(times), channels))
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


@pytest.fixture(scope="session")
def model_file(random_model) -> str:
    """The checkpoint that ships, or as long as there is none, one by chance."""
    return str(default_checkpoint() if default_checkpoint().is_file() else random_model.path)


@pytest.fixture(scope="session")
def song(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("songs") / "song.wav"
    soundfile.write(path, tune(2.0), RATE, subtype="PCM_24")
    return str(path)


@pytest.fixture(scope="session")
def analysis_file(song, model_file, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("analyses") / "song.npz"
    assert run(["analyze", song, "--passes", "256", "--model", model_file, "--output", str(path), "--quiet"]) == 0
    return str(path)


def json_lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_predict_says_what_the_engine_says(song, model_file, capsys):
    assert run(["predict", song, song, "--model", model_file, "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    heard = predict_track(load_track(song), load_model(Path(model_file)))
    for line in json_lines(shown.out):
        assert list(line) == ["file", "duration_s", "midlevel", "emotions"]
        assert line["file"] == song
        assert line["duration_s"] == 2.0
        assert line["midlevel"] == pytest.approx(heard.midlevel, abs=1e-6)
        assert line["emotions"] == pytest.approx(heard.emotions, abs=1e-6)
    assert run(["predict", song, "--model", model_file]) == 0
    table = capsys.readouterr().out
    assert all(name.replace("_", " ") in table for name in (*MIDLEVEL, *EMOTIONS))


def test_analyze_says_what_it_keeps(song, model_file, capsys):
    arguments = ["analyze", song, "--passes", "64", "--seed", "3", "--model", model_file, "--json"]
    assert run(arguments) == 0
    (line,) = json_lines(capsys.readouterr().out)
    measures = {"surrogate_r2": "surrogate_r2", "half_agreement": "half_agreement", "stability": "reliability"}
    others = {"file", "analysis", "segments", "passes", "quality", "seconds", "selected", "confirmed"}
    assert set(line) == {*others, *measures}
    kept = load_analysis(line["analysis"], track=load_track(song))
    assert line["segments"] == len(kept.weights) == kept.segments.max() + 1
    assert line["passes"] == kept.settings.passes == 64
    assert line["quality"] == "full"
    assert kept.settings.seed == 3
    for key, attribute in measures.items():
        values = getattr(kept, attribute).tolist()
        assert line[key] == pytest.approx(dict(zip(MIDLEVEL, values, strict=True)), abs=1e-6)
    assert line["selected"] == kept.significant_counts()
    shares = [[line["confirmed"][name][side] for side in ("above", "below")] for name in MIDLEVEL]
    np.testing.assert_allclose(shares, kept.confirmed, atol=1e-6)
    made = Path(line["analysis"]).stat().st_mtime_ns
    assert run(arguments) == 0
    assert Path(line["analysis"]).stat().st_mtime_ns == made  # taken from the cache


def test_the_table_of_an_analysis_fits_a_terminal_of_80_columns(song, model_file, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["analyze", song, "--passes", "64", "--coupled", "--model", model_file]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("feature", "raise", "lower", "surrogate", "split-half", "reliability"))
    assert "\u2026" not in shown


def test_a_draft_is_kept_as_one_and_agrees_with_the_full_analysis(song, tmp_path, capsys):
    made = {}
    for quality in ("full", "draft"):
        path = tmp_path / f"{quality}.npz"
        assert run(["analyze", song, "--quality", quality, "--coupled", "--json", "--output", str(path)]) == 0
        (line,) = json_lines(capsys.readouterr().out)
        assert line["quality"] == quality
        made[quality] = load_analysis(path)
        assert made[quality].settings.quality == quality
        assert made[quality].settings.coupled
    full, draft = made["full"], made["draft"]
    assert draft.settings.passes < full.settings.passes / 2
    np.testing.assert_array_equal(draft.segments, full.segments)
    correlations = [np.corrcoef(*pair)[0, 1] for pair in zip(full.weights.T, draft.weights.T, strict=True)]
    assert np.mean(correlations) > 0.95
    assert (draft.mask_weights != 0).any(axis=0).all(), "its faders move something"
    assert "quality" not in AnalysisSettings().stored(), "keys of full analyses are those of before"


def test_qualities_are_checked(song, refused, place):
    refused(["analyze", song, "--quality", "best"], "quality", "best", "draft")
    refused(["play", song, "--quality", "best"], "--quality best", "draft")
    record = place / "kept.jsonl"
    refused(["play", song, "--quality", "draft", "--record", record], "--record", "full", place=place)


def test_the_seed_decides(song, model_file, tmp_path, capsys):
    def analysed(name: str, seed: int) -> bytes:
        path = tmp_path / name
        more = ["--passes", "64", "--coupled", "--seed", str(seed), "--model", model_file, "--output", str(path)]
        assert run(["analyze", song, *more, "--quiet"]) == 0
        return path.read_bytes()

    first = analysed("a.npz", 1)
    assert analysed("b.npz", 1) == first
    assert analysed("c.npz", 2) != first


def test_render_measures_what_it_wrote(song, model_file, analysis_file, tmp_path, capsys):
    output = tmp_path / "out.wav"
    arguments = ["render", song, "-o", str(output), "--analysis", analysis_file, "--model", model_file]
    assert run([*arguments, "--set", "articulation=6", "--set", "modality=-12", "--json"]) == 0
    shown = capsys.readouterr()
    unconfirmed = {"articulation", "modality"} & set(load_analysis(analysis_file).features_hardly_heard)
    assert ("other models confirm" in shown.err) == bool(unconfirmed)
    (line,) = json_lines(shown.out)
    wanted = "file output duration_s seconds midlevel emotions loudness_lufs true_peak_dbtp"
    assert set(wanted.split()) <= set(line)
    assert {name: set(line[name]) for name in ("midlevel", "emotions", "loudness_lufs")} == {
        "midlevel": {"before", "after"},
        "emotions": {"before", "after", "surrogate"},
        "loudness_lufs": {"before", "after"},
    }
    track, model = load_track(song), load_model(Path(model_file))
    made = load_track(output)
    scale = track.network_peak * 10 ** ((made.loudness_lufs - track.loudness_lufs) / 20)  # (as loud as the original)
    after = predict_track(made, model, scale=scale, like=track)
    assert line["midlevel"]["after"] == pytest.approx(after.midlevel, abs=2e-6)
    assert line["emotions"]["after"] == pytest.approx(after.emotions, abs=2e-6)
    assert line["emotions"]["before"] == pytest.approx(predict_track(track, model).emotions, abs=2e-6)
    assert line["true_peak_dbtp"] <= -1.0
    assert run([*arguments, "--set", "articulation=6", "--overwrite"]) == 0
    table = capsys.readouterr().out
    assert "+6.0 dB" in table
    assert "times real time" in table
    assert str(output) in table


def test_faders_at_zero_change_nothing(song, model_file, analysis_file, tmp_path, capsys):
    output = tmp_path / "out.wav"
    more = ["--analysis", analysis_file, "--model", model_file, "--bit-depth", "float"]
    assert run(["render", song, "-o", str(output), *more]) == 0
    assert "all faders are at zero" in capsys.readouterr().err
    np.testing.assert_array_equal(soundfile.read(output)[0], soundfile.read(song)[0])


def test_a_dry_run_checks_and_writes_nothing(song, model_file, analysis_file, tmp_path, capsys):
    output = tmp_path / "out.flac"
    more = ["--preset", "dolce", "--set", "articulation=2", "--analysis", analysis_file, "--model", model_file]
    assert run(["render", song, "-o", str(output), *more, "--dry-run", "--json"]) == 0
    (line,) = json_lines(capsys.readouterr().out)
    assert line["gains_db"]["articulation"] == 2.0  # on top of the preset's
    assert line["gains_db"]["dissonance"] == -5.0
    assert line["analysis"] == analysis_file
    assert list(tmp_path.iterdir()) == []


def test_a_bad_file_does_not_stop_the_others(song, model_file, tmp_path, capsys):
    missing = tmp_path / "missing.wav"
    assert run(["predict", str(missing), song, "--model", model_file, "--json"]) == 2
    shown = capsys.readouterr()
    assert [line["file"] for line in json_lines(shown.out)] == [song]
    assert shown.err.count("\n") == 1
    assert str(missing) in shown.err


def test_progress_only_where_someone_sees_it(song, model_file, capfd):
    arguments = ["analyze", song, "--passes", "64", "--coupled", "--model", model_file, "--json"]
    assert run([*arguments, "--seed", "11"]) == 0
    assert "Analysing" not in capfd.readouterr().err
    assert "Analysing song.wav" in seen_on_terminal(*arguments, "--seed", "12")
    assert seen_on_terminal(*arguments, "--seed", "13", "--quiet") == ""


def seen_on_terminal(*arguments: str) -> str:
    """What comes on standard error when that is a terminal."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-m", "moodfader.control.cli", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as running:
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            seen += part
        lines = running.stdout.read().splitlines()
    os.close(ours)
    assert running.returncode == 0
    assert [set(json.loads(line)) >= {"file", "analysis"} for line in lines] == [True]
    return seen.decode()


def test_a_reader_that_goes_away_is_no_error():
    command = [sys.executable, "-m", "moodfader.control.cli", "presets", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


def test_the_cache_is_shown_and_cleared(song, model_file, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MOODFADER_CACHE", str(tmp_path))
    assert run(["analyze", song, "--passes", "64", "--coupled", "--model", model_file, "--json"]) == 0
    (kept,) = json_lines(capsys.readouterr().out)
    other = tmp_path / "analyses" / "notes.txt"
    other.write_text("not ours")
    assert run(["cache", "--json"]) == 0
    size = Path(kept["analysis"]).stat().st_size
    assert json_lines(capsys.readouterr().out) == [{"path": str(tmp_path / "analyses"), "analyses": 1, "bytes": size}]
    (tmp_path / "analyses" / "interrupted.partial").write_bytes(bytes(9))
    assert run(["cache", "clear"]) == 0
    assert "deleted 1 analysis and 1 interrupted" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*.*")) == [other]


@pytest.mark.slow
def test_the_demo_goes_the_whole_way(model_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo-output").mkdir()
    for name in ("overview.png", "demo-analysis.npz"):
        (tmp_path / "demo-output" / name).write_bytes(b"of an older demo")
    assert run(["demo", "--preset", "agitato", "--model", model_file, "--json"]) == 0
    (line,) = json_lines(capsys.readouterr().out)
    folder = tmp_path / "demo-output"
    assert Path(line["output"]).resolve() == folder / "demo-agitato.wav"
    assert soundfile.info(folder / "demo-agitato.wav").frames == soundfile.info(folder / "demo.ogg").frames
    kept = load_analysis(line["analysis"], track=load_track(folder / "demo.ogg"))
    assert len(kept.weights) > 100
    pictures = sorted(path.name for path in folder.rglob("*.png"))
    assert pictures == sorted(["overview.png", "effects.png", *(f"{name}.png" for name in MIDLEVEL)])
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in folder.rglob("*.png"))


def test_the_older_words_of_values_work(song, model_file, tmp_path):
    paths = [tmp_path / "old.npz", tmp_path / "new.npz"]
    common = ["analyze", song, "--model", model_file, "--quiet", "--coupled", "--estimator", "local"]
    assert run([*common, "--passes", "64", "--perturbation", "hide", "--output", str(paths[0])]) == 0
    assert run([*common, "--evaluations", "64", "--perturbation", "mask", "--output", str(paths[1])]) == 0
    assert paths[0].read_bytes() == paths[1].read_bytes()
