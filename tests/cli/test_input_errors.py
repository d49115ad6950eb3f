"""Sounds and settings that cannot be used get one line that names them, exit code 2, and leave nothing behind."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 22050


def bad_sounds(folder: Path, noise) -> dict[str, Path]:
    """Every kind of sound file that cannot be worked on."""
    sound = noise(3.0)
    made = {name: folder / f"{name.replace(' ', '_')}.wav" for name in ("missing", "folder", "text", "zero length")}
    made["folder"].mkdir()
    made["text"].write_text("This is not a sound, whatever its name says.\n" * 50)
    soundfile.write(made["zero length"], sound[:0], RATE)
    made["empty"] = folder / "empty.wav"
    made["empty"].touch()
    for suffix in ("wav", "flac", "ogg"):
        whole = folder / f"whole.{suffix}"
        soundfile.write(whole, sound, RATE)
        made[f"truncated {suffix}"] = folder / f"truncated.{suffix}"
        made[f"truncated {suffix}"].write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    made["silent"] = folder / "silent.wav"
    soundfile.write(made["silent"], sound * 0, RATE)
    made["nan"] = folder / "nan.wav"
    sound[RATE] = np.nan
    soundfile.write(made["nan"], sound, RATE, subtype="FLOAT")
    made["short"] = folder / "short.wav"
    soundfile.write(made["short"], noise(0.9), RATE)
    return made


CAUSES = {
    "missing": "no such file",
    "folder": "folder",
    "text": "",
    "empty": "",
    "zero length": "",
    "truncated wav": "truncated",
    "truncated flac": "",
    "truncated ogg": "",
    "silent": "silent",
    "nan": "NaN",
    "short": "at least one second",
}


@pytest.mark.parametrize("kind", CAUSES)
@pytest.mark.parametrize("command", ["predict", "analyze", "explain", "render"])
def test_sounds_that_cannot_be_used(command, kind, model_file, place, tmp_path, refused, noise):
    path = bad_sounds(tmp_path, noise)[kind]
    outputs = {"render": ["-o", place / "out.wav"], "explain": ["-o", place / "out"]}
    arguments = [command, path, *outputs.get(command, []), "--model", model_file]
    refused(arguments, path, CAUSES[kind], place=place)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--set", "melody=3"], "melodiousness"),
        (["--set", "dissonanse=3"], "did you mean dissonance"),
        (["--set", "modality=12.5"], "out of range"),
        (["--set", "modality=nan"], "out of range"),
        (["--set", "modality=loud"], "'loud' is not a number"),
        (["--set", "modality"], "FEATURE=DB"),
        (["--preset", "dolche"], "did you mean dolce"),
        (["--preset", "../dolce"], "no preset is called"),
        (["--ceiling", "3"], "ceiling"),
        (["--bit-depth", "12"], "12"),
        (["--passes", "3"], "evaluations are too few"),
        (["--segmentation", "voronoi"], "voronoi"),
        (["--estimator", "shap"], "shap"),
        (["--perturbation", "mute"], "mute"),
        (["--seed", "-1"], "seed"),
        (["--device", "tpu"], "tpu"),
        (["--device", "cuda:-1"], "cuda:-1"),
        (["--device", "cuda:99999999999999999999"], "cuda:9999"),
    ],
)
def test_settings_that_mean_nothing(more, said, song, model_file, analysis_file, place, refused):
    arguments = ["render", song, "-o", place / "out.wav", "--model", model_file, "--analysis", analysis_file, *more]
    refused(arguments, said, place=place)


def test_cuda_where_there_is_none(song, place, refused):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    refused(["predict", song, "--device", "cuda"], "device 'cuda'")
    refused(["train", "-o", place / "own.safetensors", "--device", "cuda"], "device 'cuda'", place=place)
