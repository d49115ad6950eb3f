"""What can be wrong with what a model is to learn from, and with models: one line, exit code 2, nothing lost."""

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
from moodfader.models.inference.checkpoint import load_model
from safetensors import safe_open
from safetensors.torch import save_file

RATE = 22050
CLIPS = 6


@pytest.fixture
def rated(tmp_path) -> Path:
    folder = tmp_path / "rated"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = ["file,group,valence,modality"]
    for clip in range(CLIPS):
        soundfile.write(folder / f"{clip}.wav", rng.uniform(-0.5, 0.5, RATE * 3 // 2), RATE)
        rows.append(f"{clip}.wav,album {clip},{clip / 10},{1 - clip / 10:.1f}")
    (folder / "rated.csv").write_text("\n".join(rows))
    return folder / "rated.csv"


def changed(table: Path, line: int, text: str) -> None:
    lines = table.read_text().splitlines()
    lines[line - 1] = text
    table.write_text("\n".join(lines))


@pytest.mark.parametrize("command", ["train", "evaluate"])
@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1.wav,x,sunny,0.5", "row 3: valence is 'sunny', not a number"),
        ("1.wav,x,7,0.5", "row 3: valence is 7, outside of 0..1 (another scale?)"),
        ("1.wav,x,-0.1,0.5", "outside of 0..1"),
        ("1.wav,x,nan,0.5", "not a number"),
        ("lost.wav,x,0.5,0.5", "row 3: no such audio file"),
    ],
)
def test_rows_that_mean_nothing(command, row, words, rated, tmp_path, refused):
    changed(rated, 3, row)
    output = ["-o", tmp_path / "model.safetensors"] if command == "train" else []
    refused([command, "--table", rated, *output], rated, words, place=tmp_path, notes=True)


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_sounds_that_do_not_decode(command, rated, tmp_path, refused):
    (rated.parent / "4.wav").write_text("no sound at all")
    output = ["-o", tmp_path / "model.safetensors"] if command == "train" else []
    refused([command, "--table", rated, *output], rated.parent / "4.wav", place=tmp_path, notes=True)


def test_too_few_rows(rated, tmp_path, refused):
    output = ["-o", tmp_path / "model.safetensors"]
    refused(["evaluate", "--cross-validate", "--folds", "9", "--table", rated], "9 folds", place=tmp_path, notes=True)
    whole = rated.read_text().splitlines()
    rated.write_text("\n".join(whole[:4]))
    refused(["train", "--table", rated, *output], "too few rows: 3 recordings", place=tmp_path, notes=True)
    rated.write_text(whole[0] + "\n")
    refused(["train", "--table", rated, *output], rated, "no rows", place=tmp_path, notes=True)
    lone = [row if line < 3 else row.split(",")[0] + ",x,," for line, row in enumerate(whole)]
    rated.write_text("\n".join(lone))
    refused(["evaluate", "--table", rated], "too few rows", place=tmp_path, notes=True)


def test_what_no_report_can_be_made_of(rated, tmp_path, refused):
    common = ["evaluate", "--table", rated]
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"title": "old"}))
    refused([*common, "--report", tmp_path / "report", "--compare-with", record], record, place=tmp_path, notes=True)
    refused([*common, "--compare-with", record], "--report", place=tmp_path, notes=True)
    refused([*common, "--report", tmp_path / "no" / "report"], "does not exist", place=tmp_path, notes=True)
    refused([*common, "--cross-validate", "--test-folds", "11"], "--test-folds 11", place=tmp_path, notes=True)
    (tmp_path / "done").mkdir()
    (tmp_path / "done" / "report.md").write_text("a page")
    refused([*common, "--report", tmp_path / "done"], "--overwrite", place=tmp_path, notes=True)
    refused([*common, "--report", record], "is a file", place=tmp_path, notes=True)
    bad = ["evaluate", "--table", tmp_path / "none.csv", "--report", tmp_path / "new"]
    refused(bad, "no such table", place=tmp_path, notes=True)


def rewritten(source: Path, path: Path, *, tensors=None, **metadata) -> Path:
    """A copy of a model with other metadata or tensors, and the old checksum."""
    with safe_open(source, framework="pt") as file:
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        described = json.loads(file.metadata()["moodfader-model"])
    save_file({**kept, **(tensors or {})}, path, metadata={"moodfader-model": json.dumps({**described, **metadata})})
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "model format 2"),
        ({"architecture": "conformer"}, "unknown architecture 'conformer' (from a later release?)"),
        ({"tensors": {"emotions.bias": torch.ones(8)}}, "checksum"),
        ({"format": "another"}, "not a Moodfader model"),
    ],
)
@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_models_of_another_make(command, change, words, rated, random_model, tmp_path, refused):
    path = rewritten(random_model.path, tmp_path / "other.safetensors", **change)
    what = [rated.parent / "0.wav"] if command == "predict" else ["--table", rated]
    refused([command, *what, "--model", path], path, words, place=tmp_path, notes=True)


def learn(table: Path, output: Path) -> list[str]:
    settings = ["--epochs", "4", "--steps", "2", "--threads", "1", "--architecture", "small"]
    return ["train", "--table", str(table), "-o", str(output), *settings]


def halted(arguments: list[str], line: str, stop: int) -> int:
    """Run the program until it says a line, send it a signal, and return its exit code."""
    command = [sys.executable, "-m", "moodfader.control.cli", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        for words in running.stderr:
            if words.startswith(line):
                running.send_signal(stop)
                break
        running.stderr.read()
    return running.returncode


def test_a_killed_run_loses_nothing(rated, tmp_path, capsys):
    whole, killed = tmp_path / "whole.safetensors", tmp_path / "killed.safetensors"
    assert run([*learn(rated, whole), "--quiet"]) == 0
    for _ in range(5):  # (it may be done before it is killed, where this process has to wait for a processor)
        if halted(learn(rated, killed), "epoch 2 ", signal.SIGKILL) == -signal.SIGKILL:
            break
        killed.unlink()
    assert not killed.exists()
    capsys.readouterr()
    assert run(learn(rated, killed)) == 0
    words = capsys.readouterr().err
    assert "resuming from" in words
    assert "epoch 1 of 4" not in words
    assert load_model(killed).digest == load_model(whole).digest


def test_a_halted_run_does_not_go_on_with_other_ratings(rated, tmp_path, refused):
    """As many rows, but one rating has changed: that would be neither the old model nor the new one."""
    output = tmp_path / "model.safetensors"
    for _ in range(5):
        if halted(learn(rated, output), "epoch 1 ", signal.SIGINT) == 130:
            break
        output.unlink()
    changed(rated, 3, "1.wav,album 1,0.9,0.9")
    refused(learn(rated, output), output, "other settings or material", place=tmp_path, notes=True)


@pytest.mark.slow
def test_an_interrupted_evaluation_goes_on(rated, tmp_path, capsys):
    """The networks of the folds that were done are kept, and the numbers are those of a run in one go."""
    division = [
        "evaluate",
        "--table",
        str(rated),
        "--cross-validate",
        "--folds",
        "3",
        "--epochs",
        "2",
        "--steps",
        "2",
    ]
    division += ["--threads", "1", "--architecture", "small"]
    assert run([*division, "-o", str(tmp_path / "whole.json"), "--quiet"]) == 0
    assert halted([*division, "-o", str(tmp_path / "parts.json")], "fold 1 ", signal.SIGINT) == 130
    kept = list((tmp_path / "parts.json.folds").glob("*.safetensors"))
    assert kept
    capsys.readouterr()
    assert run([*division, "-o", str(tmp_path / "parts.json")]) == 0
    assert "fold 1 of 3, seed 0: trained before" in capsys.readouterr().err
    whole, parts = (json.loads((tmp_path / name).read_text()) for name in ("whole.json", "parts.json"))
    assert whole == parts
    assert not (tmp_path / "parts.json.folds").exists()
