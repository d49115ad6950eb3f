"""Training and judging models from the command line, on a handful of sounds: small, but the whole way."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from moodfader.control.cli import run
from moodfader.control.experiments import datasets
from moodfader.control.experiments.datasets import DatasetPaths, read_mono
from moodfader.engine import load_track, predict_track
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL, SAMPLE_RATE
from moodfader.models.common.errors import InputError
from moodfader.models.evaluation.metrics import column_correlations
from moodfader.models.inference.checkpoint import load_model, pretrained_checkpoint

CLIPS = 8


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    """Tones of rising pitch, rated as ever happier, and two features."""
    folder = tmp_path_factory.mktemp("rated")
    rng = np.random.default_rng(0)
    times = np.arange(11 * SAMPLE_RATE) / SAMPLE_RATE  # (shorter ones are repeated where they are judged)
    with (folder / "rated.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "group", "happy", "valence", "modality"])
        for clip in range(CLIPS):
            sound = np.sin(2 * np.pi * 110 * 2 ** (clip / 4) * times) + 0.01 * rng.standard_normal(len(times))
            soundfile.write(folder / f"{clip}.wav", 0.5 * sound / np.abs(sound).max(), SAMPLE_RATE)
            writer.writerow([f"{clip}.wav", f"album {clip // 2}", clip / CLIPS, 0.9 - clip / CLIPS, 0.1 * clip])
    return folder / "rated.csv"


def learn(table: Path, output: Path, *more: str) -> list[str]:
    settings = ["--epochs", "2", "--steps", "2", "--seed", "4", "--architecture", "small"]
    return ["train", "--table", str(table), "-o", str(output), *settings, *more]


@pytest.fixture(scope="module")
def trained(table, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("model") / "model.safetensors"
    assert run(learn(table, output, "--quiet")) == 0
    return output


def test_a_trained_model_predicts(table, trained, capsys):
    model = load_model(trained)
    heard = predict_track(load_track(table.parent / "3.wav"), model)
    assert run(["predict", str(table.parent / "3.wav"), "--model", str(trained), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["emotions"] == pytest.approx(heard.emotions, abs=1e-6)
    assert model.record["settings"]["seed"] == 4
    assert model.record["sources"] == {"table:rated.csv": {"clips": CLIPS, "share": 20}}
    assert not trained.with_name(trained.name + ".state").exists()


def test_the_record_tells_how_mid_levels_are_spread(table, trained):
    model = load_model(trained)
    heard = [predict_track(load_track(path), model).midlevel for path in sorted(table.parent.glob("*.wav"))]
    for name in MIDLEVEL:
        expected = np.percentile([levels[name] for levels in heard], [5, 25, 50, 75, 95])
        assert model.record["midlevel_quantiles"][name] == pytest.approx(expected, abs=0.003)


def test_training_says_what_it_made_and_keeps_it(table, trained, tmp_path, capsys):
    output = tmp_path / "again.safetensors"
    assert run(learn(table, output, "--json")) == 0
    shown = capsys.readouterr()
    line = json.loads(shown.out)
    assert line == {"output": str(output), "digest": load_model(trained).digest, "clips": {"table:rated.csv": CLIPS}}
    assert "epoch 2 of 2" in shown.err
    assert run(learn(table, output)) == 2
    assert "--overwrite" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["small", pytest.param("modulation", marks=pytest.mark.soak)])
def test_an_interrupted_run_goes_on(architecture, table, tmp_path, capsys):
    whole, halted = tmp_path / "whole.safetensors", tmp_path / "halted.safetensors"
    longer = ("--epochs", "4", "--steps", "4", "--architecture", architecture)
    assert run([*learn(table, whole), *longer, "--quiet"]) == 0
    command = [sys.executable, "-m", "moodfader.control.cli", *learn(table, halted), *longer]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        for line in running.stderr:
            if line.startswith("epoch 2 "):
                running.send_signal(signal.SIGINT)
                break
        rest = running.stderr.read()
    assert running.returncode == 130, rest
    assert rest.endswith("moodfader: interrupted\n")
    assert "Traceback" not in rest
    assert not halted.exists()
    assert run([*learn(table, halted), *longer]) == 0
    said = capsys.readouterr().err
    assert "resuming from" in said
    assert "epoch 1 of 4" not in said
    assert load_model(halted).digest == load_model(whole).digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["halted.safetensors", "whole.safetensors"]


def test_evaluation_is_correlation_with_the_ratings(table, trained, tmp_path, capsys):
    record = tmp_path / "record.json"
    assert run(["evaluate", "--model", str(trained), "--table", str(table), "-o", str(record), "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    model = load_model(trained)
    said = [predict_track(load_track(path), model) for path in sorted(table.parent.glob("*.wav"))]
    emotions = [list(prediction.emotions.values()) for prediction in said]
    rated = np.full((CLIPS, len(EMOTIONS)), np.nan)
    rated[:, EMOTIONS.index("happy")] = np.arange(CLIPS) / CLIPS
    expected = column_correlations(emotions, rated)[EMOTIONS.index("happy")]
    assert line["pearson_r"]["emotions"]["happy"] == pytest.approx(expected, abs=0.01)
    assert set(line["pearson_r"]["emotions"]) == {"valence", "happy", "mean"}
    assert set(line["pearson_r"]["midlevel"]) == {"modality", "mean"}
    assert json.loads(record.read_text())["pearson_r"]["emotions"]["mean"] == pytest.approx(
        line["pearson_r"]["emotions"]["mean"], abs=1e-6
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_as_many_threads_read_as_learn(command, table, tmp_path, monkeypatch):
    """Runs side by side with a thread each would be slowed down many times by two threads that read."""
    before, seen = torch.get_num_threads(), set()

    def noted(path: Path) -> np.ndarray:
        seen.add(torch.get_num_threads())
        return read_mono(path)

    monkeypatch.setattr(datasets, "read_mono", noted)
    arguments = learn(table, tmp_path / "model.safetensors", "--quiet", "--threads", str(before + 1), "--steps", "1")
    if command == "evaluate":
        arguments = ["evaluate", "--cross-validate", "--folds", "2", *arguments[1:3], *arguments[5:]]
    assert run(arguments) == 0
    assert seen == {before + 1}
    assert torch.get_num_threads() == before


@pytest.mark.slow
def test_cross_validation_writes_a_record(table, tmp_path, capsys):
    record = tmp_path / "record.md"
    arguments = ["evaluate", "--cross-validate", "--table", str(table), "--folds", "2", "--repeats", "2"]
    assert run([*arguments, "--epochs", "1", "--steps", "1", "-o", str(record)]) == 0
    shown = capsys.readouterr().out
    assert "cross-validation: 2 folds, 2 times" in shown
    text = record.read_text()
    assert "| happy |" in text
    details = json.loads(text.split("```json")[1].split("```")[0])
    assert details["settings"]["epochs"] == 1
    mean = details["findings"]["emotions"]["mean"]
    assert mean["r"]["low"] <= mean["r"]["value"] <= mean["r"]["high"]
    assert len(mean["r_of_runs"]) == 2
    assert not record.with_name("record.md.folds").exists(), "what was kept to go on from is gone"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "value"),
    [("--init", "a file"), ("--init", "synthetic"), ("--start", "known")],
    ids=["file", "synthetic", "names of 0.7"],
)
def test_cross_validation_may_begin_with_a_model(table, trained, tmp_path, option, value):
    start, begun = (str(trained), trained) if value == "a file" else (value, pretrained_checkpoint())
    record = tmp_path / "record.json"
    arguments = ["evaluate", "--cross-validate", "--table", str(table), "--folds", "2", option, start]
    arguments += ["--architecture", "small"] if begun == trained else []
    assert run([*arguments, "--epochs", "1", "--steps", "1", "-o", str(record)]) == 0
    assert json.loads(record.read_text())["settings"]["start"] == load_model(begun).digest


def test_recordings_are_read_as_the_network_hears_them(tmp_path):
    path = tmp_path / "tone.wav"
    times = np.arange(2 * 44100) / 44100
    tone = np.sin(2 * np.pi * 440 * times)
    soundfile.write(path, np.stack([0.6 * tone, 0.2 * tone], axis=1), 44100, subtype="FLOAT")
    heard = read_mono(path)
    assert heard.dtype == np.float32
    assert len(heard) == 2 * SAMPLE_RATE
    expected = np.sin(2 * np.pi * 440 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE)
    np.testing.assert_allclose(heard[1000:-1000], expected[1000:-1000], atol=2e-3)


def test_the_data_folder_is_named_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MOODFADER_DATA", str(tmp_path))
    with pytest.raises(InputError, match=str(tmp_path)):
        DatasetPaths().or_default()
    (tmp_path / "soundtracks").mkdir()
    assert DatasetPaths().or_default() == DatasetPaths(soundtracks=tmp_path / "soundtracks")
    (tmp_path / "soundtracks" / "perceptual.csv").touch()
    assert DatasetPaths().or_default().perceptual == tmp_path / "soundtracks"
    assert DatasetPaths(known=(tmp_path,)).or_default() == DatasetPaths(known=(tmp_path,))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "-o", "model.txt"], ".safetensors"),
        (["train", "-o", "m.safetensors", "--emotion-layer", "frozen"], "frozen"),
        (["train", "-o", "m.safetensors", "--architecture", "huge"], "huge"),
        (["train", "-o", "m.safetensors", "--epochs", "0"], "epochs"),
        (["train", "-o", "m.safetensors", "--table", "missing.csv"], "missing.csv"),
        (["train", "-o", "m.safetensors", "--soundtracks", "."], "ratings"),
        (["train", "-o", "no/m.safetensors"], "no"),
        (["evaluate", "--cross-validate", "--model", "m.safetensors"], "not both"),
        (["evaluate", "--cross-validate", "--folds", "1"], "--folds"),
        (["evaluate", "-o", "record.txt"], ".json or .md"),
    ],
)
def test_what_cannot_be_trained_or_judged(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("moodfader: ")
    assert shown.err.count("\n") == 1
    assert said in shown.err
    assert list(tmp_path.iterdir()) == []


def test_every_command_uses_the_users_own_model(table, trained, tmp_path, capsys):
    """predict, analyze, explain, render and evaluate with --model: each names or needs the digest of that model."""
    song, own = str(table.parent / "3.wav"), ["--model", str(trained)]
    digest = load_model(trained).digest
    analysis = tmp_path / "song.npz"
    assert run(["analyze", song, "-o", str(analysis), "--passes", "64", "--coupled", *own]) == 0
    common = ["--analysis", str(analysis), *own]
    assert run(["explain", song, "-o", str(tmp_path / "explained"), "--feature", "modality", *common]) == 0
    assert run(["render", song, "-o", str(tmp_path / "out.wav"), "--set", "modality=3", *common]) == 0
    capsys.readouterr()
    assert run(["evaluate", "--table", str(table), *own, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == digest
    assert run(["render", song, "-o", str(tmp_path / "other.wav"), "--set", "modality=3", *common[:2]]) == 2
    assert "model" in capsys.readouterr().err, "its analysis is of no use to the model that ships"


def test_training_on_several_folders_of_known_music(table, tmp_path, capsys):
    """Together they have the place in a batch that one would have, each by its number of pieces."""
    for name, pieces in (("composed", 6), ("scores", 2)):
        (tmp_path / name).mkdir()
        rows = ["file," + ",".join(MIDLEVEL)]
        for piece in range(pieces):
            (tmp_path / name / f"{piece}.wav").write_bytes((table.parent / f"{piece}.wav").read_bytes())
            rows.append(f"{piece}.wav," + ",".join(["0.5"] * len(MIDLEVEL)))
        (tmp_path / name / "known_music.csv").write_text("\n".join(rows))
    output = tmp_path / "model.safetensors"
    known = ["--synthetic", str(tmp_path / "composed"), "--synthetic", str(tmp_path / "scores")]
    assert run([*learn(table, output), *known, "--epochs", "1", "--steps", "1", "--quiet"]) == 0
    sources = load_model(output).record["sources"]
    assert sources["known:1:composed"] == {"clips": 6, "share": 12}
    assert sources["known:2:scores"] == {"clips": 2, "share": 4}


@pytest.fixture(scope="module")
def emotify(tmp_path_factory) -> Path:
    """Eighteen songs of three genres, as `gems.csv` has them: the higher, the more joyful."""
    folder = tmp_path_factory.mktemp("emotify")
    gems = ("amazement", "solemnity", "tenderness", "nostalgia", "calmness", "power", "joyful_activation")
    times = np.arange(11 * SAMPLE_RATE) / SAMPLE_RATE
    with (folder / "gems.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "group", "genre", "raters", *(f"gems_{n}" for n in (*gems, "tension", "sadness"))])
        for song in range(18):
            sound = np.sin(2 * np.pi * 110 * 2 ** (song / 6) * times) * (
                1 + np.sin(2 * np.pi * (1 + song % 5) * times)
            )
            soundfile.write(folder / f"{song}.wav", 0.4 * sound, SAMPLE_RATE)
            shares = [0.1, 0.2, 0.3, song % 4 / 4, 0.1, song % 5 / 5, song / 18, song % 3 / 3, 1 - song / 18]
            writer.writerow([f"{song}.wav", f"artist {song // 2}", ("pop", "rock", "jazz")[song % 3], 20, *shares])
    return folder


@pytest.mark.slow
def test_songs_teach_and_are_judged_by_genre(emotify, tmp_path, capsys):
    output = tmp_path / "record.json"
    settings = ["--epochs", "1", "--steps", "1", "--consistency", "0", "--quiet"]
    evaluate = ["evaluate", "--emotify", str(emotify), "--cross-validate", "--by-genre", "-o", str(output)]
    assert run([*evaluate, *settings, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["clips"] == {"emotify": 18}
    assert "mean" in record["pearson_r"]["felt"]
    agreement = {found["rating"]: found for found in record["findings"]["by_dataset"]}
    assert set(agreement["happy"]["by_genre"]) == {"pop", "rock", "jazz"}
    assert agreement["gems_power"]["emotion"] == "energy"
    assert "genres left out in turn" in record["title"]
    assert json.loads(output.read_text())["findings"]["by_dataset"] == record["findings"]["by_dataset"]
    model = tmp_path / "songs.safetensors"
    assert run(["train", "--emotify", str(emotify), "-o", str(model), *settings]) == 0
    assert load_model(model).record["sources"] == {"emotify": {"clips": 18, "share": 16}}
    assert run(["evaluate", "--emotify", str(tmp_path), "--model", str(model)]) == 2
    assert "no Emotify" in capsys.readouterr().err
