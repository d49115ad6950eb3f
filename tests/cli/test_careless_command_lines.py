"""Slips on the command line and odd surroundings: one line that names the thing, tables that stay readable."""

import os
import pty
import shutil
import subprocess

import pytest
from files.conftest import shell
from helpers.program import PROGRAM, run_program
from moodfader.control.cli import run


def line_of(capsys, *arguments: str) -> str:
    """The one line of a command that is refused."""
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert line.startswith("moodfader: ")
    return line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["analyze", "x.wav", "--seed", "nan"], "--seed nan: a whole number is needed"),
        (["play", "x.wav", "--block", "1.5"], "--block 1.5: a whole number is needed"),
        (["listen-test", "d", "x.wav", "--seconds", "1,5"], "--seconds 1,5: a number is needed"),
        (["send", "/x", "--port", "70000"], "--port 70000: goes to 65535"),
        (["send", "/x", "--port", "0"], "--port 0: begins at 1"),
        (["predict", "a\0b"], "null byte"),
        (["render", "x.wav", "-o"], "-o"),
        (["monitor", "--rate", "nan"], "--rate nan is out of range: 0.1 to 60"),
        (["monitor", "--rate", "-1"], "--rate -1"),
        (["monitor", "--seconds", "nan"], "--seconds nan"),
        (["monitor", "--seconds", "0"], "--seconds 0"),
        (["evaluate", "--steering", "x.wav", "--report", "r"], "--report: does not go with --steering"),
        (["evaluate", "--steering", "x.wav", "-o", "r.json"], "--output: does not go with --steering"),
    ],
)
def test_a_value_that_is_none_is_shown_with_its_option(capsys, arguments, words):
    assert words in line_of(capsys, *arguments)


def test_more_evaluations_than_memory_holds_are_refused_at_once(capsys, song):
    line = line_of(capsys, "analyze", str(song), "--evaluations", "99999999999999999999")
    assert "at most 1000000" in line


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", ""],
        ["render", "x.wav", "-o", ""],
        ["batch", "predict", "", "-o", "out"],
        ["render", "", "-o", "o"],
    ],
)
def test_a_shell_variable_that_is_not_set_is_guessed(capsys, arguments):
    assert "an argument is empty" in line_of(capsys, *arguments)


def test_a_file_whose_name_begins_with_a_dash_is_guessed(capsys, song, model_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(song, "-take 2.wav")
    assert "write ./-take 2.wav" in line_of(capsys, "predict", "-take 2.wav")
    assert run(["predict", "./-take 2.wav", "--model", model_file]) == 0


@pytest.mark.parametrize(
    "url", ["http://example.org/song.mp3", "https://example.org/a", "file:///song.wav", "s3://b/c"]
)
def test_a_url_is_told_from_a_path_that_is_not_there(capsys, url):
    assert "`batch` reads URLs" in line_of(capsys, "predict", url)


def test_a_host_that_is_not_there_is_one_line(capsys, tmp_path):
    pytest.importorskip("fsspec")
    line = line_of(capsys, "batch", "predict", "ftp://no-such-host.invalid/a.wav", "-o", str(tmp_path / "out"))
    assert "ftp://no-such-host.invalid" in line
    assert not (tmp_path / "out").exists()


def test_a_name_cannot_steer_the_terminal(capsys, song, model_file, tmp_path):
    odd = tmp_path / "a\x1b[2J\x9b31m\u202e.wav"
    shutil.copy(song, odd)
    assert run(["predict", str(odd), "--model", model_file]) == 0
    shown = capsys.readouterr().out
    assert r"a\x1b[2J\x9b31m\u202e.wav" in shown
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown)
    line = line_of(capsys, "predict", str(tmp_path / "gone\x1b[2J.wav"))
    assert r"gone\x1b[2J.wav" in line


@pytest.mark.parametrize("columns", ["0", "1", "-5", "x"])
def test_a_table_is_readable_whatever_the_environment_says_of_columns(capsys, song, model_file, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert run(["predict", str(song), "--model", model_file]) == 0
    shown = capsys.readouterr().out
    assert "tension" in shown
    assert "0." in shown


@pytest.mark.parametrize("columns", ["0", "1"])
def test_help_is_readable_whatever_the_environment_says_of_columns(columns):
    shown = run_program("--help", COLUMNS=columns)
    assert shown.code == 0
    assert "predict" in shown.out
    assert "evaluate" in shown.out


def test_a_tilde_in_a_variable_is_the_home_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MOODFADER_CONFIG", "~/settings")
    monkeypatch.chdir(tmp_path)
    assert run(["presets", "save", "mine", "--set", "modality=1"]) == 0
    assert (tmp_path / "settings" / "presets" / "mine.toml").is_file()
    assert not (tmp_path / "~").exists()


def test_brackets_in_a_name_are_shown_in_the_progress(song, model_file, tmp_path):
    folder = tmp_path / "a [Live]" / "b[" / "bold]"
    folder.mkdir(parents=True)
    shutil.copy(song, folder / "[Live] song.wav")
    read_end, write_end = pty.openpty()
    command = [*PROGRAM, "analyze", "[Live] song.wav", "--quality", "draft", "--model", model_file]
    environment = {**os.environ, "COLUMNS": "200", "MOODFADER_CACHE": str(tmp_path / "cache")}
    with subprocess.Popen(
        command, cwd=folder, stderr=write_end, stdout=subprocess.DEVNULL, env=environment
    ) as process:
        os.close(write_end)
        shown = b""
        while part := _read(read_end):
            shown += part
        assert process.wait(60) == 0
    os.close(read_end)
    assert b"[Live] song.wav" in shown


def _read(end: int) -> bytes:
    try:
        return os.read(end, 4096)
    except OSError:  # (the other end is closed)
        return b""


def test_closed_standard_streams_are_no_fault(song, model_file, tmp_path):
    for closed in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
        done = shell(f"$M predict '{song}' --model '{model_file}' {closed}", tmp_path)
        assert done.returncode == 0, (closed, done.stderr)
        refused = shell(f"$M predict gone.wav {closed}", tmp_path)
        assert refused.returncode == 2, (closed, refused.stderr)


def test_a_full_device_for_results_is_one_line(song, model_file, tmp_path):
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("no /dev/full here")
    done = shell(f"$M predict '{song}' --json --model '{model_file}' > /dev/full", tmp_path)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert run_program("--version").code == 0
