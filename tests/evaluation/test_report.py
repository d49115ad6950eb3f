"""The report of an evaluation: numbers that are those of the evidence, a page and figures that show them."""

import csv
import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
import soundfile
from matplotlib.image import imread
from moodfader.control.cli import run
from moodfader.control.console.output import Output
from moodfader.control.experiments.datasets import read_test_sweeps
from moodfader.control.report.folder import write_report
from moodfader.control.report.sections import FIGURES
from moodfader.control.report.summary import pearson_scores
from moodfader.models.common.constants import EMOTIONS, MIDLEVEL, SAMPLE_RATE
from moodfader.models.common.formatting import format_signed
from moodfader.models.datasets.clip_dataset import build_targets
from moodfader.models.datasets.perceptual import PERCEPTUAL_SCALES, SCALE_TO_FEATURE
from moodfader.models.datasets.table import Clip, SweepClip
from moodfader.models.evaluation.results import EvaluationInputs, evaluate
from moodfader.models.evaluation.robustness import OUTPUT_NAMES, REFERENCE

CLIPS, EXCERPTS = 40, 20


@pytest.fixture(scope="module")
def evidence():
    """Two divisions that hear all but sad well; excerpts of the first twenty clips; two kinds of series."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 1, (CLIPS + EXCERPTS, 15))
    said = np.stack([truth + 0.1 * rng.normal(size=truth.shape) for _ in range(2)])
    said[:, :, OUTPUT_NAMES.index("sad")] = rng.uniform(0, 1, said.shape[:2])
    clips = [
        Clip(path=None, group=f"album {i // 2}", ratings=dict(zip(EMOTIONS, truth[i, 7:].tolist(), strict=True)))
        for i in range(CLIPS)
    ]
    for i in range(CLIPS, CLIPS + EXCERPTS):
        heard = {}
        for scale in PERCEPTUAL_SCALES:
            feature, sign = SCALE_TO_FEATURE.get(scale, ("melodiousness", 1))
            value = truth[i, MIDLEVEL.index(feature)]
            heard[f"heard_{scale}"] = value if sign > 0 else 1 - value
        clips.append(Clip(path=None, group=f"album {(i - CLIPS) // 2}", ratings=heard))
    series, sweep_predictions = [], []
    for column, quality in enumerate(MIDLEVEL):
        for number in range(4):
            others = rng.uniform(0, 1, 7)
            for value in (0.0, 0.5, 1.0):
                others[column] = value
                known = {f"known_{n}": float(v) for n, v in zip(MIDLEVEL, others, strict=True)}
                clip = Clip(path=None, group=f"{quality} {number}", ratings=known)
                series.append(SweepClip(clip, quality, f"{quality} {number}", ("composed", "score")[number % 2]))
                sweep_predictions.append([*(0.3 + 0.2 * others), *rng.uniform(0, 1, 8)])
    rows = list(range(CLIPS))
    changed = {
        REFERENCE: said[:, rows],
        "MP3 96 kbit/s": said[:, rows] + 0.01,
        "window 3 s later": said[:, rows] * 0.9,
    }
    return EvaluationInputs(
        clips=clips,
        predictions=said,
        rated={head: values.astype(float) for head, values in build_targets(clips).items()},
        sweep_clips=series,
        sweep_predictions=np.array([sweep_predictions]),
        out_of_domain={name: rng.uniform(0, 1, (2, 15)) for name in ("silence", "speech-like")},
        perturbed=changed,
        perturbed_rows=rows,
        model_predictions=said[:1],
    )


@pytest.fixture(scope="module")
def found(evidence):
    return evaluate(evidence, seed=0)


def test_what_is_rated_alike_for_all_clips_has_no_correlation(evidence):
    ratings = evidence.rated["emotions"].copy()
    ratings[:, EMOTIONS.index("sad")] = 0.5
    scores = pearson_scores(dataclasses.replace(evidence, rated={**evidence.rated, "emotions": ratings}))["emotions"]
    assert set(scores) == {*EMOTIONS, "mean"} - {"sad"}
    assert scores["mean"] == pytest.approx(np.mean([scores[name] for name in scores if name != "mean"]))


def test_findings_are_those_of_the_evidence(evidence, found):
    rated = evidence.rated["emotions"][:CLIPS, 0]
    r = np.mean([np.corrcoef(run[:CLIPS, 7], rated)[0, 1] for run in evidence.predictions])
    assert found.emotions["valence"].r.value == pytest.approx(r)
    assert found.emotions["valence"].clips == CLIPS
    assert found.emotions["sad"].r.low < 0.3
    assert found.midlevel == {}, "nobody rated them"
    assert all(validity.is_valid for validity in found.scales.values())
    assert found.scales["mode"].clips == EXCERPTS
    whole = evidence.predictions[:, :CLIPS, :7]
    expected = np.mean([np.corrcoef(run.T) for run in whole], axis=0)
    np.testing.assert_allclose(found.between, expected)
    np.testing.assert_allclose(found.model_between, np.corrcoef(whole[0].T))
    assert set(found.turned) == {"all", "composed", "score"}
    assert found.turned["all"]["modality"].slopes["modality"].value == pytest.approx(0.2)
    assert found.moved["MP3 96 kbit/s"].change["happy"] == pytest.approx(0.01)
    assert set(found.moved_r) == {REFERENCE, "MP3 96 kbit/s", "window 3 s later"}


def test_the_folder_holds_page_record_and_legible_figures(evidence, found, tmp_path):
    record = {
        "title": "made up",
        "clips": {"soundtracks": CLIPS, "perceptual": EXCERPTS},
        "model": "0123456789abcdef",
        "model_title": "a model",
        "folds": 2,
        "tested_folds": 2,
        "repeats": 2,
        "seeds": [0, 1],
        "settings": {"epochs": 3, "seed": 0},
        "differences": ["epochs 5 instead of 3"],
        "by_part": [{"seed": 0, "part": 0, "clips": 20, "clips_are": "x", "mean_r": 0.8}],
        "findings": found.record(),
    }
    other = {**record, "title": "another", "by_part": [{**record["by_part"][0], "mean_r": 0.6}]}
    write_report(tmp_path, evidence, found, record, pearson_scores(evidence), [other])
    page = (tmp_path / "report.md").read_text()
    assert json.loads((tmp_path / "record.json").read_text())["findings"]["emotions"]["sad"]["clips"] == CLIPS
    assert set(re.findall(r"\]\((\w+\.png)\)", page)) == set(FIGURES.values())
    for name in FIGURES.values():
        pixels = imread(tmp_path / name)
        assert min(pixels.shape[:2]) > 600, name
        assert pixels[..., :3].std() > 0.02, f"{name} is blank"
    assert "| another |" in page
    assert ".600 | .800 | 20 |" in page
    assert "epochs 5 instead of 3" in page
    for line in page.splitlines():
        assert not re.search(r"\bnan\b", line), line
    before, drawn = ((tmp_path / name).read_bytes() for name in ("scales.png", "emotions.png"))
    write_report(tmp_path, evidence, found, record, pearson_scores(evidence), [other, other])
    assert (tmp_path / "scales.png").read_bytes() == before, "the same findings are the same figures"
    assert (tmp_path / "emotions.png").read_bytes() != drawn, "of two records of one title, one is lost"
    page = (tmp_path / "report.md").read_text()
    assert re.findall(r"^\| (another[^|]*) \|", page, re.M) == ["another", "another (2)"]


@pytest.fixture
def rated(tmp_path):
    """Eight tones with happiness, and two series in which articulation is turned."""
    rng = np.random.default_rng(0)
    with (tmp_path / "rated.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["file", "group", "happy", "sad"])
        for clip in range(8):
            sound = rng.uniform(-0.5, 0.5, 2 * SAMPLE_RATE) * (clip + 1) / 8
            soundfile.write(tmp_path / f"{clip}.wav", sound, SAMPLE_RATE)
            writer.writerow([f"{clip}.wav", f"album {clip // 2}", clip / 10, rng.uniform()])
    with (tmp_path / "known_music.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["file", *MIDLEVEL, "quality", "series"])
        for clip in range(6):
            qualities = dict.fromkeys(MIDLEVEL, 0.5) | {"articulation": clip % 3 / 2}
            writer.writerow([f"{clip}.wav", *qualities.values(), "articulation", f"series {clip // 3}"])
    return tmp_path


def test_one_command_makes_it(rated, random_model, capsys):
    report = rated / "report"
    common = ["evaluate", "--table", str(rated / "rated.csv"), "--test-synthetic", str(rated), "--threads", "1"]
    division = [
        "--cross-validate",
        "--folds",
        "2",
        "--epochs",
        "1",
        "--steps",
        "1",
        "--architecture",
        "small",
        "--model",
        str(random_model.path),
    ]
    assert run([*common, *division, "--report", str(report), "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["findings"]["emotions"]["happy"]["clips"] == 8
    assert line["findings"]["turned"]["all"]["articulation"]["series"] == 2
    assert set(line["findings"]["unusual"]) >= {"silence", "speech-like"}
    assert line["findings"]["moved"]["level -12 dB in the file"]["change"]["happy"] == pytest.approx(0, abs=1e-4)
    assert "window 3 s later" not in line["findings"]["moved"], "two seconds are too short for it"
    assert [part["part"] for part in line["by_part"]] == [0, 1]
    assert len(list((report / "folds").glob("*.safetensors"))) == 2
    assert run([*common, *division, "--report", str(report)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    (report / "report.md").unlink()
    networks = {path: path.stat().st_mtime_ns for path in (report / "folds").iterdir()}
    assert run([*common, *division, "--report", str(report)]) == 0, "an interrupted evaluation is resumed"
    assert {path: path.stat().st_mtime_ns for path in (report / "folds").iterdir()} == networks
    assert (report / "report.md").exists()
    more = [
        "--report",
        str(rated / "second"),
        "--compare-with",
        str(report / "record.json"),
        "--model",
        str(random_model.path),
    ]
    assert run([*common, *more]) == 0
    assert "cross-validation: 2 folds, once" in (rated / "second" / "report.md").read_text()
    assert not (rated / "second" / "folds").exists()


def test_music_for_testing_from_two_folders(rated, random_model, capsys, tmp_path_factory):
    """Series that both call alike are two; without a group each is a group of its own, with one they share it."""
    again = shutil.copytree(rated, tmp_path_factory.mktemp("again"), dirs_exist_ok=True)
    folders = ["--test-synthetic", str(rated), "--test-synthetic", str(again / "known_music.csv")]
    command = ["evaluate", "--table", str(rated / "rated.csv"), "--model", str(random_model.path), "--json"]
    assert run([*command, *folders, "--report", str(rated / "report")]) == 0
    found = json.loads(capsys.readouterr().out)["findings"]["turned"]["all"]["articulation"]
    assert (found["series"], found["clips"]) == (4, 12)
    quiet = Output(as_json=False, quiet=True)
    series, material = read_test_sweeps([rated, again], quiet)
    assert len(material) == 12
    assert {one.clip.group for one in series} == {one.series for one in series}
    for folder in (rated, again):
        lines = (folder / "known_music.csv").read_text().splitlines()
        text = [lines[0] + ",group", *(line + ",one score" for line in lines[1:])]
        (folder / "known_music.csv").write_text("\n".join(text))
    assert {one.clip.group for one in read_test_sweeps([rated, again], quiet)[0]} == {"one score"}


def test_what_comes_to_zero_has_no_sign():
    assert [format_signed(value, ".2f") for value in (-0.004, 0.0, 0.004, -0.006, 0.006)] == [
        "0",
        "0",
        "0",
        "\u22120.01",
        "+0.01",
    ]
