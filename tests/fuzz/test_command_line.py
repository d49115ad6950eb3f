"""Commands with any options and any files: exit code 0 or 2 and no traceback, nothing half-written."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import typer
from files.conftest import plucked
from fuzz.mutation import bytes_mutated, text_mutated
from fuzz.test_formats import AUTOMATION, MAPPING, PRESET, TABLE
from helpers.program import run_program
from moodfader.control.cli import make_app, run

COMMANDS = (
    *("predict", "analyze", "explain", "render", "evaluate"),
    *("cache", "presets list", "presets show", "presets save"),
)
SLOW_OPTIONS = ("--cross-validate", "--report", "--help")
VALUES = (
    *("", "-1", "0", "1", "64", "65", "1e999", "nan", "inf", "9" * 60, "16", "24", "float", "cpu", "cuda:77"),
    *("modality=3", "modality=nan", "=", "dissonance=-99", "modality", "dolce", "png", "svg"),
    *("gain", "hide", "local", "gradient", "slic"),
    *("é", "\udce9", "n" * 300, "--", "-", "../..", "/dev/null", "/proc/self/mem", "a\tb", "%s", "{}"),
)
QUICK, SOME, FULL = 12, 40, 300
THROUGH_SHELL = 200
LINES_THROUGH_SHELL = 80


@pytest.fixture
def folder(tmp_path, monkeypatch, quick_analysis, model_file):
    """Good files and broken ones of each kind; the program runs in there."""
    place = tmp_path / "place"
    place.mkdir()
    for number, ending in enumerate(("wav", "mp3", "ogg", "flac")):
        soundfile.write(place / f"song.{ending}", plucked(1.2, 1 + number % 2, 8000), 8000)
    quick_analysis(place / "song.wav", place / "song.npz")
    shutil.copy(model_file, place / "model.safetensors")
    for name, content in {"a.jsonl": AUTOMATION, "p.toml": PRESET, "m.toml": MAPPING, "t.csv": TABLE}.items():
        (place / name).write_text(content.replace("song.flac", "song.wav"))
    (place / "sub").mkdir()
    rng = np.random.default_rng(0)
    for path in sorted(place.iterdir()):
        if path.is_file():
            mutate = text_mutated if path.suffix in (".jsonl", ".toml", ".csv") else bytes_mutated
            path.with_stem("broken").write_bytes(mutate(rng, path.read_bytes(), [path.read_bytes()]))
    monkeypatch.chdir(place)
    return place


def options_of(name: str) -> list[tuple[str, bool]]:
    """A command's options, and whether each takes a value."""
    command = typer.main.get_command(make_app())
    for part in name.split():
        command = command.commands[part]
    found = [
        (option, not getattr(parameter, "is_flag", False))
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("-")
    ]
    return [entry for entry in found if entry[0] not in SLOW_OPTIONS]


def arguments(rng: np.random.Generator, files: list[str]) -> list[str]:
    """A command, some options and values, more or less where they belong."""

    def value() -> str:
        pool = files if rng.random() < 0.6 else VALUES
        return str(pool[rng.integers(len(pool))])

    name = COMMANDS[rng.integers(len(COMMANDS))]
    line = name.split()
    if rng.random() < 0.9:
        line.append("song.wav" if rng.random() < 0.5 else value())
    if name in ("explain", "render") and rng.random() < 0.8:
        line += ["-o", ("out.wav", "out", "out.flac", "sub/out.ogg")[rng.integers(4)]]
    options = options_of(name)
    for _ in range(max(0, int(rng.integers(-2, 4)))):
        option, takes_value = options[rng.integers(len(options))]
        line += [option, value()] if takes_value or rng.random() < 0.1 else [option]
    if name not in ("cache", "presets list", "presets show", "presets save") and rng.random() < 0.9:
        line += ["--model", "model.safetensors"]
    if name in ("analyze", "explain", "render") and rng.random() < 0.9:
        line += ["--passes", "64"] + ["--coupled"] * (rng.random() < 0.8)  # (quicker)
    return line


def restore(place: Path, contents: dict[Path, bytes]) -> None:
    """Put the folder back as it was; no hidden file may be in it."""
    for path in sorted(place.rglob("*"), reverse=True):
        assert not path.name.startswith("."), path
        if path.is_file() and path not in contents:
            path.unlink()
        elif path.is_dir() and path.name != "sub":
            path.rmdir()
    for path, content in contents.items():
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def fuzzed(folder: Path, capfd, *, seed: int, count: int) -> list[int]:
    contents = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*"))]
    codes = []
    for number in range(count):
        line = arguments(np.random.default_rng([seed, number]), files)
        try:
            codes.append(run(line))
        except BaseException as error:
            error.add_note(f"seed {seed}, number {number}: {line}")
            raise
        assert codes[-1] in (0, 2), line
        assert "Traceback" not in capfd.readouterr().err, line
        restore(folder, contents)
    return codes


def test_any_options_and_files_end_in_an_answer_or_one_line(folder, capfd):
    codes = fuzzed(folder, capfd, seed=3, count=QUICK)
    assert 0 in codes
    assert 2 in codes


@pytest.mark.slow
def test_forty_command_lines_end_in_an_answer_or_one_line(folder, capfd):
    fuzzed(folder, capfd, seed=2, count=SOME)


@pytest.mark.slow
@pytest.mark.soak
def test_hundreds_of_command_lines_end_in_an_answer_or_one_line(folder, capfd):
    codes = fuzzed(folder, capfd, seed=1, count=FULL)
    print({code: codes.count(code) for code in set(codes)})


@pytest.mark.slow
@pytest.mark.soak
def test_no_command_line_ends_the_program_with_a_traceback(folder):
    """Any options and files, each in a process of its own, as a user would run it."""
    contents = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*"))]
    for number in range(LINES_THROUGH_SHELL):
        line = arguments(np.random.default_rng([2, number]), files)
        done = run_program(*(word.encode("utf-8", "surrogateescape") for word in line))
        assert "Traceback" not in done.err, (line, done.err[-2000:])
        assert done.code in (0, 2), (line, done.code)
        restore(folder, contents)


@pytest.mark.slow
@pytest.mark.soak
def test_200_broken_files_through_the_program_itself(folder):
    """Each in a process of its own, as a user would run it."""
    sources = {
        "song.wav": ["predict", "FILE", "--model", "model.safetensors"],
        "song.mp3": ["predict", "FILE", "--model", "model.safetensors"],
        "song.npz": ["render", "song.wav", "-o", "out.wav", "--analysis", "FILE", "--model", "model.safetensors"],
        "model.safetensors": ["predict", "song.wav", "--model", "FILE"],
        "a.jsonl": ["render", "song.wav", "-o", "out.wav", "--automation", "FILE", "--model", "model.safetensors"],
        "t.csv": ["evaluate", "--table", "FILE", "--model", "model.safetensors"],
        "p.toml": ["presets", "list"],
        "m.toml": ["midi", "forget", "/moodfader/bypass"],
    }
    codes = []
    (folder / "sub" / "presets").mkdir()
    places = {"p.toml": folder / "sub" / "presets" / "p.toml", "m.toml": folder / "sub" / "midi.toml"}
    for number in range(THROUGH_SHELL):
        rng = np.random.default_rng([9, number])
        name = list(sources)[number % len(sources)]
        content = (folder / name).read_bytes()
        mutate = text_mutated if name.endswith(("jsonl", "toml", "csv")) else bytes_mutated
        file = places.get(name, folder / f"fuzzed{Path(name).suffix}")
        file.write_bytes(mutate(rng, content, [content]))
        line = [str(file) if word == "FILE" else word for word in sources[name]]
        done = run_program(*line, MOODFADER_CONFIG=str(folder / "sub"))
        codes.append(done.code)
        assert done.code in (0, 2), (number, line, done.err)
        assert "Traceback" not in done.err, (number, line, done.err)
        if done.code == 2:
            assert not (folder / "out.wav").exists(), (number, line)
        assert not [path for path in folder.rglob(".*") if path.is_file()]
        (folder / "out.wav").unlink(missing_ok=True)
        file.unlink()
    print({code: codes.count(code) for code in set(codes)})
