"""No command writes over what it reads or removes what it did not make, whatever the folders are called."""

import json
import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def recording(song, tmp_path):
    """A recording of the user's in a folder `sounds`, where programs like to write; another beside it."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    shutil.copy(song, folder / "second.wav")
    return Path(shutil.copy(song, folder / "take.wav"))


def test_an_explanation_does_not_replace_the_recording_that_it_explains(
    recording, program_line, analysis_file, model_file, tmp_path
):
    folder = tmp_path / "why"
    folder.mkdir()
    os.link(recording, folder / "original.wav")  # (what the explanation calls it)
    before = recording.read_bytes()
    options = ("--analysis", analysis_file, "--feature", "modality", "--model", model_file, "--overwrite")
    line = program_line("explain", folder / "original.wav", "-o", folder, *options)
    assert "it is the input itself" in line
    assert recording.read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["original.wav"]


def test_a_listening_test_removes_no_sound_but_that_of_an_earlier_test(recording, program, tmp_path, model_file):
    options = ("--set", "modality=3", "--seconds", 2, "--overwrite", "--model", model_file)
    for seed in (1, 2):  # (the second test has other names, and replaces the first)
        ended = program("listen-test", tmp_path, recording, *options, "--seed", seed)
        assert ended.code == 0, ended
    sounds = {path.name for path in recording.parent.iterdir()}
    assert {"take.wav", "second.wav"} < sounds
    assert len(sounds) == 4


@pytest.mark.parametrize("source", ["sounds", "sounds/take.wav"])
def test_a_batch_does_not_replace_its_sources(recording, program_line, source, tmp_path, model_file):
    before = recording.read_bytes()
    line = program_line(
        "batch",
        "render",
        tmp_path / source,
        "-o",
        tmp_path,
        "--format",
        "wav",
        "--preset",
        "dolce",
        "--model",
        model_file,
    )
    assert "it is the input itself" in line
    assert recording.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["sounds"]


def test_a_batch_does_not_replace_its_manifest(recording, program_line, tmp_path, model_file):
    table = tmp_path / "results.csv"
    table.write_text("file\nsounds/take.wav\n")
    line = program_line("batch", "predict", table, "-o", tmp_path, "--model", model_file)
    assert "it is the input itself" in line
    assert table.read_text() == "file\nsounds/take.wav\n"


def test_a_performance_is_not_rendered_over_one_of_its_tracks(recording, program_line, tmp_path, model_file):
    other = recording.with_name("second.wav")
    head = {
        "format": "moodfader-performance",
        "version": 1,
        "sample_rate": 44100,
        "channels": 2,
        "ceiling_dbtp": -1.0,
    }
    lines = (
        head | {"tracks": [str(recording), str(other)], "faders": "decoupled"},
        {"at": 0, "address": "/moodfader/transport/play", "value": True},
        {"at": 4410, "end": True},
    )
    show = tmp_path / "show.jsonl"
    show.write_text("".join(json.dumps(line) + "\n" for line in lines))
    before = other.read_bytes()
    options = ("--automation", show, "--overwrite", "--model", model_file)
    assert "it is the input itself" in program_line("render", recording, "-o", other, *options)
    assert other.read_bytes() == before
