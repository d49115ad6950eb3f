"""The program's ends: signals, readers that go away, terminals of old encodings, names that no system takes."""

import json
import os
import signal
import subprocess
import time

import numpy as np
import pytest
import soundfile
from files.conftest import RATE, plucked, shell
from helpers.program import PROGRAM


def test_help_into_head_is_no_error(tmp_path):
    done = shell('$M --help | head -1; echo "${PIPESTATUS[0]}"', tmp_path)
    assert done.stdout.split()[-1] == b"0"
    assert done.stderr == b""


def test_json_into_nothing_is_no_error(tmp_path, sound):
    sound("a.wav")
    done = shell('$M predict --json a.wav a.wav | true; echo "${PIPESTATUS[0]}"', tmp_path)
    assert done.stdout.split()[-1] == b"0"
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
def test_a_terminal_of_an_old_encoding_shows_the_bars(tmp_path, sound, encoding):
    sound("a.wav")
    done = shell("$M predict a.wav", tmp_path, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert b"##" in done.stdout
    assert "tender" in done.stdout.decode(encoding)


def test_a_latin_1_locale_shows_the_bars(tmp_path, sound):
    sound("a.wav")
    done = shell(
        "$M predict a.wav", tmp_path, LC_ALL="de_DE.ISO-8859-1", LANG="", PYTHONUTF8="0", PYTHONIOENCODING=""
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr


def test_a_file_name_that_is_no_utf_8_is_read_and_told(tmp_path, sound):
    sound("a.flac").rename(os.fsdecode(os.fsencode(tmp_path) + b"/name_\xe9.flac"))
    done = shell("$M predict --json name_*.flac && $M predict name_*.flac", tmp_path, LC_ALL="C.UTF-8")
    assert done.returncode == 0, done.stderr
    first, *table = done.stdout.splitlines()
    assert os.fsencode(json.loads(first)["file"]) == b"name_\xe9.flac"
    assert b"name_\xe9.flac" in table[0]
    missing = shell("$M predict $'gone_\\xe9.wav'", tmp_path, LC_ALL="C.UTF-8")
    assert missing.returncode == 2
    assert len(missing.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "LONG"],
        ["analyze", "LONG"],
        ["explain", "SONG", "-o", "LONG"],
        ["render", "LONG", "-o", "out.wav"],
        ["render", "SONG", "-o", "LONG"],
        ["render", "SONG", "-o", "out.wav", "--analysis", "LONG"],
        ["render", "SONG", "-o", "out.wav", "--automation", "LONG"],
        ["render", "SONG", "-o", "out.wav", "--preset", "LONG"],
        ["predict", "SONG", "--model", "LONG"],
        ["analyze", "SONG", "-o", "LONG"],
        ["evaluate", "--table", "LONG"],
        ["evaluate", "--soundtracks", "LONG"],
        ["presets", "save", "LONG", "--set", "modality=1"],
        ["midi", "forget", "LONG"],
    ],
)
def test_a_name_of_300_characters_is_one_line(program, sound, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    song = sound("song.wav")
    names = {"LONG": "n" * 300 + ".wav", "SONG": str(song)}
    ended = program(*(names.get(argument, argument) for argument in arguments))
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1, ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_render_that_is_ended_leaves_no_hidden_file(tmp_path, number, quick_analysis, model_file):
    song = tmp_path / "song.wav"
    soundfile.write(song, np.tile(plucked(2.0), (150, 1)), RATE)
    analysis = quick_analysis(song, tmp_path / "a.npz")
    place = tmp_path / "place"
    place.mkdir()
    command = [*PROGRAM, "render", song, "-o", place / "out.wav"]
    command += ["--analysis", analysis, "--model", model_file, "--set", "modality=6"]
    for _ in range(5):  # (it may be done before it is ended, where this process has to wait for a processor)
        # (under nohup a signal may be ignored, which children inherit)
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL)
        )
        deadline = time.monotonic() + 100
        while not list(place.iterdir()):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(number)
        error = process.communicate(timeout=60)[1]
        if process.returncode != 0:
            break
        (place / "out.wav").unlink()
    assert list(place.iterdir()) == []
    assert process.returncode == 128 + number
    assert b"Traceback" not in error
    assert len(error.splitlines()) == 1


def test_a_cache_that_cannot_be_written_costs_nothing_but_the_keeping(
    program, sound, model_file, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MOODFADER_CACHE", str(tmp_path / "file" / "cache"))
    song = sound("song.wav")
    common = ["--passes", "64", "--coupled", "--model", model_file]
    ended = program("render", song, "-o", tmp_path / "out.wav", "--set", "modality=3", *common)
    assert ended.code == 0, ended.err
    assert "used but not kept" in ended.err
    assert soundfile.info(tmp_path / "out.wav").frames == 2 * RATE
    assert json.loads(program("analyze", song, "--json", *common).out)["analysis"] is None
