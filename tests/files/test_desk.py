"""At the desk: tables of predictions, progress over many files, faders that can do nothing, clips learned from."""

import csv
import io
import json

import numpy as np
import pytest
import soundfile
from files.conftest import RATE, plucked
from helpers.program import IS_OTHER
from moodfader.control.console import output as console


def test_predict_gives_a_table(program, sound, model_file):
    song = sound("a, b.wav")
    ended = program("predict", song, sound("c.wav"), "--csv", "--model", model_file)
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [row["file"] for row in rows] == [str(song), str(song.with_name("c.wav"))]
    values = json.loads(program("predict", song, "--json", "--model", model_file).out)
    assert float(rows[0]["modality"]) == values["midlevel"]["modality"]
    assert float(rows[0]["tender"]) == values["emotions"]["tender"]
    assert program("predict", song, "--csv", "--json").code == 2


def test_many_files_say_which_one_it_is_and_how_long_the_rest_takes(monkeypatch):
    seen = []
    monkeypatch.setattr(console.time, "monotonic", lambda: seen.append(1) or float(10 * len(seen)))
    count = console.FileCount(4)
    assert [count.begin(), count.begin()] == [0, 1]
    assert count.time_left(0.0) == ""
    assert count.time_left(0.25) == "0:30 left"  # ten seconds for a quarter
    assert count.time_left(1.0) == "0:00 left"


def test_modality_says_that_it_means_minor(program, sound, model_file, tmp_path):
    song = sound("a.wav")
    assert "modality (minor)" in program("predict", song, "--model", model_file).out
    ended = program(
        "explain", song, "-o", tmp_path / "out", "--feature", "modality", "--format", "svg", "--passes", "64",
        *(() if IS_OTHER else ("--coupled",)),
        "--model", model_file,
    )  # fmt: skip
    assert ended.code == 0, ended.err


def test_faders_that_can_do_nothing_are_named(program, song, tmp_path, model_file, analysis_file):
    from moodfader.engine import load_analysis
    from moodfader.engine.analysis import analysis_file as file_of
    from moodfader.models.common.constants import MIDLEVEL

    analysis = load_analysis(analysis_file)
    analysis.mask_weights[:, MIDLEVEL.index("dissonance")] = 0
    file_of.save_analysis(analysis, tmp_path / "a.npz")
    common = ["--analysis", tmp_path / "a.npz", "--model", model_file, "--overwrite"]
    ended = program("render", song, "-o", tmp_path / "o.wav", "--set", "dissonance=6", *common)
    assert "no segment was found that moves dissonance" in ended.err
    ended = program("render", song, "-o", tmp_path / "o.wav", "--set", "modality=6", *common)
    assert "no segment" not in ended.err


def test_few_passes_leave_faders_dead_and_analyze_says_so(program, sound, tmp_path):
    coupled = () if IS_OTHER else ("--coupled",)  # (quicker; before 0.8 faders were always coupled)
    ended = program("analyze", sound("a.wav"), "--passes", "64", *coupled, "-o", tmp_path / "a.npz", "--json")
    assert ended.code == 0, ended.err
    counts = json.loads(ended.out)["selected"]
    dead = [name.replace("_", " ") for name, count in counts.items() if not sum(count.values())]
    assert dead  # (64 passes are too few for two seconds)
    assert f"no segment was found that moves {', '.join(dead)}" in ended.err


@pytest.fixture
def table(tmp_path):
    """Tables of nine clips each, by where they begin."""

    def made(name: str, first: int):
        rows = ["file,group,valence,modality"]
        for k in range(first, first + 9):
            rng = np.random.default_rng(k)
            sound = plucked(1.2) + rng.normal(0, 0.01 + k / 100, (round(1.2 * RATE), 1)).astype("f4")
            soundfile.write(tmp_path / f"c{k}.wav", sound, RATE)
            rows.append(f"c{k}.wav,g{k},{k / 30:.2f},{1 - k / 30:.2f}")
        (tmp_path / name).write_text("\n".join(rows) + "\n")
        return tmp_path / name

    return made


def test_evaluate_says_when_the_model_has_learned_from_the_clips(program, table, tmp_path):
    learned, other = table("learned.csv", 0), table("other.csv", 5)
    model = tmp_path / "m.safetensors"
    ended = program(
        "train", "--table", learned, "-o", model, "--architecture", "small", "--epochs", "1", "--steps", "1"
    )
    assert ended.code == 0, ended.err
    ended = program("evaluate", "--table", learned, "--model", model, "--json")
    assert "has learned from 9 of these 9 clips" in ended.err
    assert "9 of these 9" in json.loads(ended.out)["training_overlap"]
    assert "has learned from 4 of these 9 clips" in program("evaluate", "--table", other, "--model", model).err
    fresh = table("fresh.csv", 20)
    assert "learned from" not in program("evaluate", "--table", fresh, "--model", model).err


def test_the_legend_of_curves_covers_none():
    from moodfader.engine.analysis.faithfulness import CHANGES, FaithfulnessCurve
    from moodfader.engine.plotting.faithfulness_plot import plot_faithfulness

    fractions = np.linspace(0, 0.5, 9, dtype=np.float32)
    curves = []
    for change in CHANGES:
        for side in ("for", "against"):
            values = 0.5 + (0.4 if side == "for" else -0.4) * np.sin(fractions * 12)
            curves.append(
                FaithfulnessCurve("modality", side, change, fractions, values, values, values - 0.05, values + 0.05)
            )
    panels = plot_faithfulness(curves, title="t")
    panels[0].figure.draw_without_rendering()
    for axes in panels:
        assert not axes.get_legend().get_window_extent().overlaps(axes.get_window_extent())
