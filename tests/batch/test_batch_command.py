"""batch as a user meets it: what is written, exit codes, going on, retrying, estimating, mistakes in one line."""

import csv
import json
import shutil

import numpy as np
import pytest
import soundfile
from batch.conftest import rows
from batch.library import RATE, journal_names, lines_of, tree, write_broken
from moodfader.control.cli import run


def test_predict_gives_what_single_predictions_give(library, batch, model_file, tmp_path, capfd):
    done = batch("predict", library, "-o", tmp_path / "out", "--jobs", "2")
    assert done.stdout.splitlines()[0] == f"12 of 12 tracks done, 0 failed: {tmp_path / 'out'}"
    assert done.stderr == ""  # (quiet when piped)
    paths = sorted(library.rglob("*.wav"))
    capfd.readouterr()
    assert run(["predict", *map(str, paths), "--model", model_file, "--json"]) == 0
    single = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert rows(tmp_path / "out") == single
    assert run(["predict", *map(str, paths), "--model", model_file, "--csv"]) == 0
    assert list(csv.reader((tmp_path / "out" / "results.csv").open())) == list(
        csv.reader(capfd.readouterr().out.splitlines())
    )
    assert (tmp_path / "out" / "failures.csv").read_text() == "file,reason\n"
    assert "12 of 12 tracks done" in (tmp_path / "out" / "report.html").read_text()
    assert not (tmp_path / "out" / ".partial").exists()


@pytest.mark.slow
def test_failures_are_rows_and_only_they_are_retried(library, batch, tmp_path):
    music, out = tmp_path / "music", tmp_path / "out"
    shutil.copytree(library / "0", music)
    names = write_broken(music / "broken", 4)
    done = batch("predict", music, "-o", out, "--jobs", "2", code=3)
    assert "6 of 10 tracks done, 4 failed" in done.stdout
    failures = list(csv.DictReader((out / "failures.csv").open()))
    assert [row["file"].rsplit("/", 1)[1] for row in failures] == names
    assert failures[0]["reason"] == "it is empty (0 bytes; did a copy or a download stop?)"
    assert all("\n" not in row["reason"] for row in failures)
    lines = lines_of(out)
    batch("predict", music, "-o", out, code=3)
    assert lines_of(out) == lines  # nothing is worked on again
    (music / "broken" / names[0]).unlink()
    shutil.copy(next(iter((library / "1").iterdir())), music / "broken" / names[0])
    batch("predict", music, "-o", out, "--retry-failures", code=3)
    assert lines_of(out) == lines + 4
    assert len(rows(out)) == 7
    assert len((out / "failures.csv").read_text().splitlines()) == 4


@pytest.mark.slow
def test_a_file_that_was_touched_is_known_by_its_sound_and_an_edited_one_is_done_again(library, batch, tmp_path):
    music, out = tmp_path / "music", tmp_path / "out"
    shutil.copytree(library / "0", music)
    batch("predict", music, "-o", out, "--emotions-every", "0.5")
    before = tree(out)
    first, second = sorted(music.iterdir())[:2]
    first.write_bytes(first.read_bytes())
    soundfile.write(second, np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE), RATE)
    shutil.rmtree(out / "emotions")
    batch("predict", music, "-o", out, "--emotions-every", "0.5")
    after = tree(out)
    curves = {name for name in before if name.startswith("emotions/")}
    assert {name for name in curves if before[name] != after[name]} == {f"emotions/{second.stem}.csv"}
    first.write_bytes(first.read_bytes())
    lines = lines_of(out)
    (out / "emotions" / f"{first.stem}.csv").write_text("kept as it is")
    batch("predict", music, "-o", out, "--emotions-every", "0.5")
    assert lines_of(out) == lines + 1
    assert (out / "emotions" / f"{first.stem}.csv").read_text() == "kept as it is"  # the sound is known


def test_render_and_steer_write_sounds_as_their_sources_lie(library, batch, tmp_path):
    few = tmp_path / "few"
    for name in ("a/one", "b/one"):
        (few / name).parent.mkdir(parents=True)
    tracks = sorted((library / "0").iterdir())
    shutil.copy(tracks[0], few / "a" / "one.wav")
    shutil.copy(tracks[1], few / "b" / "one.wav")
    common = ("--evaluations", "64", "--bit-depth", "16", "--cache", tmp_path / "cache")
    batch("render", few, "-o", tmp_path / "r", "--set", "modality=3", "--format", "wav", *common)
    assert {name for name in tree(tmp_path / "r") if "sounds" in name} == {"sounds/a/one.wav", "sounds/b/one.wav"}
    assert soundfile.info(tmp_path / "r" / "sounds" / "a" / "one.wav").subtype == "PCM_16"
    result = rows(tmp_path / "r")[0]
    assert result["output"] == "sounds/a/one.wav"
    assert set(result["emotions"]) == {"before", "after", "surrogate"}
    assert len(list((tmp_path / "cache" / "analyses").iterdir())) == 2
    manifest = tmp_path / "wishes.csv"
    manifest.write_text("file,tender,max rms dB,title\nfew/a/one.wav,0.05,3,First\nfew/b/one.wav,-0.05,,Second\n")
    done = batch("steer", manifest, "-o", tmp_path / "s", "--table", "parquet")
    assert "title" in done.stderr  # a column that is no option is told
    assert [row["asked"] for row in rows(tmp_path / "s")] == [{"tender": 0.05}, {"tender": -0.05}]
    assert {name for name in tree(tmp_path / "s") if "sounds" in name} == {"sounds/a/one.flac", "sounds/b/one.flac"}
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(tmp_path / "s" / "results.parquet").to_pylist()
    assert [row["asked.tender"] for row in table] == [0.05, -0.05]
    assert table[0]["file"] == f"{tmp_path}/few/a/one.wav"


@pytest.mark.slow
def test_analyses_are_made_once_and_found_again(library, batch, tmp_path):
    track = next(iter(sorted((library / "0").iterdir())))
    common = ("--evaluations", "64", "--cache", tmp_path / "cache")
    batch("analyze", track, "-o", tmp_path / "one", *common)
    batch("analyze", track, "-o", tmp_path / "two", *common)
    (stored,) = (tmp_path / "cache" / "analyses").iterdir()
    assert rows(tmp_path / "one") == rows(tmp_path / "two")
    assert rows(tmp_path / "one")[0]["analysis"] == f"analyses/{stored.name}"


def test_a_dry_run_estimates_and_writes_nothing(library, batch, tmp_path):
    done = batch("predict", library, "-o", tmp_path / "out", "--dry-run", "--json", "--jobs", "2")
    values = json.loads(done.stdout)
    size = sum(path.stat().st_size for path in library.rglob("*.wav"))
    assert (values["tracks"], values["bytes"], values["tried"], values["workers"]) == (12, size, 5, 2)
    seconds = sum(soundfile.info(path).duration for path in library.rglob("*.wav"))
    assert values["hours"] * 3600 == pytest.approx(seconds, rel=0.02)
    assert values["time_s"] == pytest.approx(values["work_s"] / 2, abs=1e-5)
    assert not (tmp_path / "out").exists()


def test_progress_is_json_for_machines(library, batch, tmp_path):
    done = batch("predict", library, "-o", tmp_path / "out", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["event"] == "end"
    assert {event["event"] for event in events[:-1]} <= {"progress"}
    assert (events[-1]["done"], events[-1]["failed"], events[-1]["stopped"]) == (12, 0, None)
    again = json.loads(batch("predict", library, "-o", tmp_path / "out", "--json").stdout.splitlines()[-1])
    assert (again["done"], again["hours"]) == (12, 0.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("predict", "{nowhere}", "-o", "{out}"), "no such file or folder"),
        (("predict", "{empty}", "-o", "{out}"), "no sound file is there"),
        (("predict", "{library}", "-o", "{library}"), "the source itself"),
        (("predict", "{library}", "-o", "{file}"), "it is a file"),
        (("predict", "{library}", "-o", "{out}", "--table", "xls"), "csv, parquet"),
        (("predict", "{library}", "-o", "{out}", "--jobs", "-1"), "goes from 0"),
        (("predict", "{library}", "-o", "{out}", "--emotions-every", "0.01"), "goes from 0.5"),
        (("predict", "{library}", "-o", "{out}", "--scheduler", "tcp://127.0.0.1:1"), "no Dask scheduler answers"),
        (("predict", "strange://x", "-o", "{out}"), "strange://x"),
        (("render", "{library}", "-o", "{out}"), "no fader is moved"),
        (("render", "{library}", "-o", "{out}", "--set", "modallity=2"), "did you mean modality?"),
        (("render", "{library}", "-o", "{out}", "--preset", "dolce", "--format", "mp3"), "wav, flac, ogg"),
        (("steer", "{library}", "-o", "{out}"), "--toward EMOTION=SHIFT"),
        (("steer", "{library}", "-o", "{out}", "--toward", "tendr=0.1"), "tendr"),
        (("steer", "{manifest}", "-o", "{out}"), "row 3: "),
        (("predict", "{manifest_without}", "-o", "{out}"), "no column `file`"),
    ],
)
def test_a_mistake_in_the_call_is_one_line(refused, library, model_file, tmp_path, arguments, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "manifest.csv").write_text("file,toward\na.wav,tender=0.1\nb.wav,tender=much\n")
    (tmp_path / "without.csv").write_text("path,title\na.wav,A\n")
    names = {
        **{"nowhere": tmp_path / "nowhere", "empty": tmp_path / "empty", "file": tmp_path / "file"},
        **{"library": library, "out": tmp_path / "out", "manifest": tmp_path / "manifest.csv"},
        "manifest_without": tmp_path / "without.csv",
    }
    given = [argument.format(**names) for argument in arguments]
    refused(["batch", *given, "--model", model_file], words)
    assert not (tmp_path / "out" / "results.jsonl").exists()


def test_a_destination_has_one_command(library, batch, tmp_path):
    batch("predict", library / "0", "-o", tmp_path / "out")
    done = batch("analyze", library / "0", "-o", tmp_path / "out", code=2)
    assert "holds a batch of predict" in done.stderr
    assert set(journal_names(tmp_path / "out").values()) == {1}


def test_notes_about_a_track_are_in_its_rows_and_counted(library, batch, tmp_path):
    music, out = tmp_path / "music", tmp_path / "out"
    shutil.copytree(library / "0", music)
    stopped = min(music.iterdir())
    content = bytearray(stopped.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = bytes(4)  # a recorder that stopped before it wrote how long the sound is
    stopped.write_bytes(content)
    done = batch("predict", music, "-o", out, "--jobs", "1")
    assert "notes about 1 track: in the tables and the report" in done.stdout
    noted = [row for row in rows(out) if "notes" in row]
    assert [row["file"] for row in noted] == [str(stopped)]
    assert noted[0]["notes"][0].startswith("its header states no length")
    cells = [row["notes"] for row in csv.DictReader((out / "results.csv").open())]
    assert sorted(cells) == [*[""] * (len(cells) - 1), noted[0]["notes"][0]]
    assert "its header states no length" in (out / "report.html").read_text()
    again = batch("predict", music, "-o", out, "--jobs", "1", "--json")
    assert json.loads(again.stdout.splitlines()[-1])["noted"] == 1


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("match_loudness", "maybe", "row 2: match_loudness: 'maybe' is neither yes nor no"),
        ("dissonance", "much", "row 2: dissonance: 'much' is not a number"),
    ],
)
def test_a_cell_that_says_nothing_is_told_with_what_it_could_be(refused, model_file, tmp_path, column, cell, words):
    (tmp_path / "m.csv").write_text(f"file,{column}\na.wav,{cell}\n")
    refused(["batch", "render", tmp_path / "m.csv", "-o", tmp_path / "out", "--model", model_file], words)


@pytest.mark.parametrize(("cell", "matches"), [("WAHR", True), ("falsch", False), ("VRAI", True), ("TRUE", True)])
def test_switches_of_a_manifest_are_read_in_the_languages_of_spreadsheets(cell, matches):
    from moodfader.control.batch.track_settings import COLUMNS

    assert COLUMNS["render"]["match_loudness"](cell) is matches
