"""Everything a user can get wrong gets one line that names it, exit code 2, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from moodfader.control.cli import run
from moodfader.engine import load_track
from moodfader.engine.analysis import Analysis, track_spectrogram
from moodfader.engine.store import save_analysis
from moodfader.models.checkpoint import load_model
from moodfader.models.vocabulary import MIDLEVEL, N_BANDS

RATE = 22050
PROC = Path("/proc")


def noise(seconds: float, *, channels: int = 1) -> np.ndarray:
    """Noise with a slow pulse, float32 [samples, channels]."""
    rng = np.random.default_rng(0)
    count = round(seconds * RATE)
    pulse = 0.2 + 0.1 * np.sin(2 * np.pi * np.arange(count) / RATE)
    return (pulse[:, None] * rng.uniform(-1, 1, (count, channels))).astype(np.float32)


def quick_analysis(path: Path, model_file: str, output: Path) -> Path:
    """An analysis of squares instead of segments, with weights by chance: valid, and made in no time."""
    track = load_track(path)
    frames = len(track_spectrogram(track))
    labels = (np.arange(frames)[:, None] // 30 * 5 + np.arange(N_BANDS) // 30).astype(np.int32)
    weights = np.random.default_rng(1).uniform(-1, 1, (int(labels.max()) + 1, len(MIDLEVEL))).astype(np.float32)
    analysis = Analysis(
        segments=labels,
        weights=weights,
        standard_errors=np.abs(weights) / 10,
        p_values=np.zeros(weights.shape),
        mask_weights=weights,
        half_agreement=np.ones(len(MIDLEVEL), np.float32),
        response_per_db=np.full(len(weights), 1 / 12, np.float32),
        surrogate_r2=np.full(len(MIDLEVEL), 0.9, np.float32),
        duration_s=track.duration_s,
        track_digest=track.digest,
        model_digest=load_model(Path(model_file)).digest,
    )
    save_analysis(analysis, output)
    return output


@pytest.fixture(scope="module")
def model_file(random_model) -> str:
    return str(random_model.path)


@pytest.fixture(scope="module")
def song(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, noise(2.0), RATE)
    return path


@pytest.fixture(scope="module")
def analysis_file(song, model_file, tmp_path_factory) -> Path:
    return quick_analysis(song, model_file, tmp_path_factory.mktemp("analysis") / "song.npz")


@pytest.fixture
def place(tmp_path) -> Path:
    """An empty folder to write into."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def refused(capsys, arguments: list[str | Path], *said: str | Path, place: Path | None = None) -> None:
    """Run it: exit code 2, one line with everything in `said`, nothing on standard output, nothing written."""
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")} if place else {}
    assert run([str(argument) for argument in arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("moodfader: ")
    assert shown.err.count("\n") == 1, shown.err
    for text in said:
        assert str(text) in shown.err
    if place:
        assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def bad_sounds(folder: Path) -> dict[str, Path]:
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
def test_sounds_that_cannot_be_used(command, kind, model_file, place, tmp_path, capsys):
    path = bad_sounds(tmp_path)[kind]
    outputs = {"render": ["-o", place / "out.wav"], "explain": ["-o", place / "out"]}
    arguments = [command, path, *outputs.get(command, []), "--model", model_file]
    refused(capsys, arguments, path, CAUSES[kind], place=place)


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
        (["--passes", "3"], "passes"),
        (["--segmentation", "voronoi"], "voronoi"),
        (["--estimator", "shap"], "shap"),
        (["--perturbation", "mute"], "mute"),
        (["--seed", "-1"], "seed"),
        (["--device", "tpu"], "tpu"),
    ],
)
def test_settings_that_mean_nothing(more, said, song, model_file, analysis_file, place, capsys):
    arguments = ["render", song, "-o", place / "out.wav", "--model", model_file, "--analysis", analysis_file, *more]
    refused(capsys, arguments, said, place=place)


def test_cuda_where_there_is_none(song, capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    refused(capsys, ["predict", song, "--device", "cuda"], "--device cuda")


def test_outputs_that_cannot_be_written(song, model_file, analysis_file, place, capsys):
    common = ["--model", model_file, "--analysis", analysis_file, "--set", "modality=3"]
    there = place / "there.wav"
    there.write_bytes(b"precious")
    for output, said in (
        (there, "--overwrite"),
        (place, ""),
        (place / "out.mp3", ".wav, .flac or .ogg"),
        (place / "no" / "out.wav", "does not exist"),
    ):
        refused(capsys, ["render", song, "-o", output, *common], output, said, place=place)
    refused(capsys, ["render", song, "-o", song, *common, "--overwrite"], song, "the input itself")
    refused(capsys, ["render", song, "-o", place / "o.flac", *common, "--bit-depth", "float"], "o.flac", place=place)
    assert there.read_bytes() == b"precious"


def test_folders_that_cannot_be_written_to(song, model_file, analysis_file, tmp_path, capsys):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):  # root may write anywhere but into the kernel's own folders
        if not PROC.is_dir():
            pytest.skip("no folder here that root cannot write to")
        locked = PROC
    common = ["--model", model_file, "--analysis", analysis_file, "--quiet"]
    refused(capsys, ["render", song, "-o", locked / "out.wav", *common], locked / "out.wav")
    refused(capsys, ["explain", song, "-o", locked / "out", *common], locked / "out")
    refused(capsys, ["analyze", song, "-o", locked / "out.npz", "--model", model_file, "--passes", "64"], "out.npz")
    refused(capsys, ["train", "--table", song, "-o", locked / "out.safetensors"], "out.safetensors")


def test_an_unwritable_cache(song, model_file, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MOODFADER_CACHE", str(tmp_path / "file" / "cache"))
    refused(capsys, ["analyze", song, "--model", model_file, "--passes", "64"], tmp_path / "file")


def test_an_unwritable_configuration(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MOODFADER_CONFIG", str(tmp_path / "file" / "config"))
    refused(capsys, ["presets", "save", "mine", "--set", "modality=3"], tmp_path / "file")


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
def test_analyses_that_are_none(kind, song, model_file, analysis_file, place, tmp_path, capsys):
    path = other_files(tmp_path, analysis_file, song)[kind]
    common = ["--model", model_file, "--analysis", path]
    refused(capsys, ["render", song, "-o", place / "out.wav", *common], path, place=place)
    refused(capsys, ["explain", song, "-o", place / "out", *common], path, place=place)


def test_analyses_of_something_else(song, model_file, analysis_file, place, tmp_path, capsys):
    other = tmp_path / "other.wav"
    soundfile.write(other, noise(2.5), RATE)
    foreign = quick_analysis(other, model_file, tmp_path / "foreign.npz")
    refused(
        capsys,
        ["render", song, "-o", place / "out.wav", "--model", model_file, "--analysis", foreign],
        foreign,
        "another sound",
        place=place,
    )
    # --output does not replace what is no analysis
    refused(capsys, ["analyze", song, "-o", other, "--model", model_file, "--passes", "64"], other, place=tmp_path)


@pytest.mark.parametrize("kind", ["missing", "text", "half", "altered", "foreign"])
def test_checkpoints_that_are_none(kind, song, model_file, tmp_path, capsys):
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
    refused(capsys, ["predict", song, "--model", path], path)


def test_several_files_to_one_output(song, capsys):
    refused(capsys, ["analyze", song, song, "-o", "one.npz"], "one.npz")


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


def program(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "moodfader.control.cli", *map(str, arguments)]


def test_a_full_disk(song, model_file, analysis_file, place):
    """A file system of 128 kB if this user may mount one; else the system's limit on the size of a file."""
    common = ["--model", model_file, "--analysis", analysis_file, "--set", "modality=3", "--bit-depth", "float"]
    command = program("render", song, "-o", place / "out.wav", *common)
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        limit = [] if mounted else ["sh", "-c", 'ulimit -f 64; trap "" XFSZ; exec "$@"', "sh"]
        done = subprocess.run([*limit, *command], capture_output=True, text=True, check=False, env=environment())
        assert done.returncode == 2, done.stderr
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1
        assert str(place / "out.wav") in done.stderr
        assert list(place.iterdir()) == []
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(scope="module")
def long_song(tmp_path_factory, model_file) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("long")
    path = folder / "long.wav"
    soundfile.write(path, np.tile(noise(30.0, channels=2), (8, 1)), RATE)
    return path, quick_analysis(path, model_file, folder / "long.npz")


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_interrupted_render_leaves_nothing(overwrite, long_song, model_file, place):
    path, analysis = long_song
    output = place / "out.wav"
    if overwrite:
        output.write_bytes(b"as it was")
    command = program(
        "render", path, "-o", output, "--model", model_file, "--analysis", analysis, "--set", "modality=6"
    )
    if overwrite:
        command.append("--overwrite")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        partial = waited_for(lambda: [p for p in place.iterdir() if p != output and p.stat().st_size > 0], running)
        running.send_signal(signal.SIGINT)
        said, complaint = running.communicate(timeout=60)
    assert partial, "the render was over before it could be interrupted"
    assert running.returncode == 130, complaint
    assert said == ""
    assert complaint == "moodfader: interrupted\n"
    assert [p.read_bytes() for p in place.iterdir()] == ([b"as it was"] if overwrite else [])


def test_an_interrupted_analysis_leaves_nothing(long_song, model_file, place):
    command = program("analyze", long_song[0], "--model", model_file, "--passes", "100000")
    cache = environment(MOODFADER_CACHE=str(place))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=cache) as running:
        assert waited_for(lambda: (place / "analyses").is_dir(), running)
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        said, complaint = running.communicate(timeout=60)
    assert (running.returncode, said, complaint) == (130, "", "moodfader: interrupted\n")
    assert [p for p in place.rglob("*") if p.is_file()] == []


def waited_for(happened, running: subprocess.Popen, seconds: float = 120):
    """What `happened` says as soon as it says something, or nothing if the program ends first."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and running.poll() is None:
        if found := happened():
            return found
        time.sleep(0.002)
    return None
