"""Outputs that cannot be written, and files that are not what a command needs: one line, exit code 2."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 22050
PROC = Path("/proc")


def test_outputs_that_cannot_be_written(song, model_file, analysis_file, place, refused):
    common = ["--model", model_file, "--analysis", analysis_file, "--set", "modality=3"]
    there = place / "there.wav"
    there.write_bytes(b"precious")
    for output, said in (
        (there, "--overwrite"),
        (place, ""),
        (place / "out.mp3", ".wav, .flac or .ogg"),
        (place / "no" / "out.wav", "does not exist"),
    ):
        refused(["render", song, "-o", output, *common], output, said, place=place)
    refused(["render", song, "-o", song, *common, "--overwrite"], song, "the input itself")
    refused(["render", song, "-o", place / "o.flac", *common, "--bit-depth", "float"], "o.flac", place=place)
    assert there.read_bytes() == b"precious"


def test_folders_that_cannot_be_written_to(song, model_file, analysis_file, tmp_path, refused):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):  # root may write anywhere but into the kernel's own folders
        if not PROC.is_dir():
            pytest.skip("no folder here that root cannot write to")
        locked = PROC
    common = ["--model", model_file, "--analysis", analysis_file, "--quiet"]
    refused(["render", song, "-o", locked / "out.wav", *common], locked / "out.wav")
    refused(["explain", song, "-o", locked / "out", *common], locked / "out")
    refused(["analyze", song, "-o", locked / "out.npz", "--model", model_file, "--passes", "64"], "out.npz")
    refused(["train", "--table", song, "-o", locked / "out.safetensors"], "out.safetensors")


def test_an_unwritable_configuration(tmp_path, monkeypatch, refused):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MOODFADER_CONFIG", str(tmp_path / "file" / "config"))
    refused(["presets", "save", "mine", "--set", "modality=3"], tmp_path / "file")


def other_files(folder: Path, analysis_file: Path, song: Path) -> dict[str, Path]:
    """Files that are no analysis (of this song)."""
    made = {name: folder / f"{name}.npz" for name in ("missing", "text", "half", "other")}
    made["text"].write_text("not an archive")
    made["half"].write_bytes(analysis_file.read_bytes()[: analysis_file.stat().st_size // 2])
    np.savez(made["other"], numbers=np.arange(3))
    made["pickle"] = folder / "pickle.npz"
    np.savez(made["pickle"], segments=np.array([{"a": 1}], dtype=object))
    made["sound"] = song
    return made


@pytest.mark.parametrize("kind", ["missing", "text", "half", "other", "pickle", "sound"])
def test_analyses_that_are_none(kind, song, model_file, analysis_file, place, tmp_path, refused):
    path = other_files(tmp_path, analysis_file, song)[kind]
    common = ["--model", model_file, "--analysis", path]
    refused(["render", song, "-o", place / "out.wav", *common], path, place=place)
    refused(["explain", song, "-o", place / "out", *common], path, place=place)


def test_analyses_of_something_else(song, model_file, analysis_file, place, tmp_path, refused, noise, quick_analysis):
    other = tmp_path / "other.wav"
    soundfile.write(other, noise(2.5), RATE)
    foreign = quick_analysis(other, tmp_path / "foreign.npz")
    refused(
        ["render", song, "-o", place / "out.wav", "--model", model_file, "--analysis", foreign],
        foreign,
        "another sound",
        place=place,
    )
    # --output does not replace what is no analysis
    refused(["analyze", song, "-o", other, "--model", model_file, "--passes", "64"], other, place=tmp_path)


@pytest.mark.parametrize("kind", ["missing", "text", "half", "altered", "foreign"])
def test_checkpoints_that_are_none(kind, song, model_file, tmp_path, refused):
    import torch
    from safetensors.torch import save_file

    path, whole = tmp_path / f"{kind}.safetensors", Path(model_file).read_bytes()
    if kind == "text":
        path.write_text("not a model")
    elif kind == "half":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "altered":
        path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    elif kind == "foreign":
        save_file({"weight": torch.zeros(3)}, path)
    refused(["predict", song, "--model", path], path)


def test_several_files_to_one_output(song, refused):
    refused(["analyze", song, song, "-o", "one.npz"], "one.npz")
