"""Tracks whose names are no UTF-8 or look like formulas: figures, pages and performances are made as of others."""

import json
import os
import shutil
import sys

import pytest
from helpers.program import run_program
from moodfader.engine.performance.automation_file import AutomationWriter, read_automation

NAMES = ["$ong of $\\frac{.wav", "caf\udce9 <b>&.wav", "a\x1b[31m\nb.wav"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize("name", NAMES)
def test_a_track_is_explained_whatever_its_name(program, tmp_path, song, model_file, name, analysis_file):
    path = tmp_path / name
    shutil.copy(song, path)
    out = tmp_path / "why"
    ended = program(
        *("explain", path, "-o", out, "--feature", "modality", "--format", "svg"),
        *("--model", model_file, "--analysis", analysis_file),
    )
    assert ended.code == 0, ended.err
    assert (out / "modality.svg").stat().st_size > 1000
    assert "\x1b" not in (out / "modality.svg").read_text("utf-8")
    assert b"modality" in (out / "index.html").read_bytes()


def test_a_performance_of_a_track_whose_name_is_no_utf_8_is_kept_and_read(tmp_path):
    name = "caf\udce9.wav"
    path = tmp_path / "show.jsonl"
    with AutomationWriter(path) as writer:
        writer.begin(sample_rate=44100, channels=2, ceiling_dbtp=-1.0, tracks=[name])
        writer.write({"at": 44100, "end": True})
    assert json.loads(path.read_text("ascii").splitlines()[0])["tracks"] == [name]
    (track,) = read_automation(path).tracks
    assert os.fsencode(track.name) == b"caf\xe9.wav"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_show_of_a_track_whose_name_is_no_utf_8_is_recorded(tmp_path, song, model_file):
    shutil.copy(song, tmp_path / "caf\udce9.wav")
    ended = run_program(
        *("play", os.fsencode(tmp_path / "caf\udce9.wav"), "--backend", "null", "--no-terminal", "--no-osc"),
        *("--record", tmp_path / "show.jsonl", "--model", model_file),
    )
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    lines = (tmp_path / "show.jsonl").read_text("utf-8").splitlines()
    assert json.loads(lines[-1])["end"] is True
