"""The page: pairs equally loud, names by chance, the same again from one seed; heard and answered in Chromium."""

import json
import re

import numpy as np
import pyloudnorm
import pytest
import soundfile
from helpers.chromium import chromium
from moodfader.control.cli import run
from moodfader.control.listening.answers import read_answers
from moodfader.control.listening.pairs import matched_loudness
from moodfader.models.common.errors import InputError

RATE = 22050


def tone(path, level, seconds=4.0, hertz=330.0):
    time = np.arange(round(seconds * RATE)) / RATE
    sound = level * np.sin(2 * np.pi * hertz * time) * (1 + 0.3 * np.sin(2 * np.pi * 2 * time))
    soundfile.write(path, np.stack((sound, sound), 1).astype(np.float32), RATE, subtype="FLOAT")


@pytest.fixture
def folder(tmp_path):
    for name, level in (
        ("a-original", 0.5),
        ("a-tender", 0.1),
        ("a-less-articulation", 0.3),
        ("b b-original", 0.2),
        ("b b-steered", 0.9),
    ):
        tone(tmp_path / f"{name}.wav", level, hertz=300 + 500 * level)
    return tmp_path


def test_of(folder):
    """What the page was given."""
    (text,) = re.findall(r"const TEST = (.*);", (folder / "index.html").read_text())
    return json.loads(text)


test_of.__test__ = False


def test_pairs_of_a_folder_are_found_and_equally_loud(folder, capsys):
    assert run(["listen-test", str(folder), "--question", "sad", "--seconds", "3", "--seed", "4", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["pairs"], set(result["questions"])) == (3, {"tender", "articulation", "sad"})
    trials = test_of(folder)["trials"]
    assert {(trial["pair"], trial["question"], trial["direction"]) for trial in trials} == {
        ("a", "tender", 1),
        ("a", "articulation", -1),
        ("b b", "sad", 1),
    }
    for trial in trials:
        loudness = []
        for side in ("original", "steered"):
            assert re.fullmatch(r"sounds/[0-9a-f]{10}\.wav", trial[side])
            samples, rate = soundfile.read(folder / trial[side])
            assert len(samples) == 3 * RATE
            assert np.abs(samples).max() < 10 ** (-1 / 20) + 1e-3
            assert np.abs(samples[0]).max() < 0.002
            loudness.append(pyloudnorm.Meter(rate).integrated_loudness(samples))
        assert loudness[0] == pytest.approx(loudness[1], abs=0.15)


def test_the_same_seed_is_the_same_test(folder):
    arguments = ["listen-test", str(folder), "--question", "sad", "--seconds", "2", "--quiet"]
    files = []
    for more in (["--seed", "7"], ["--seed", "7", "--overwrite"], ["--seed", "8", "--overwrite"]):
        assert run(arguments + more) == 0
        files.append(
            {path.name: path.read_bytes() for path in (folder / "sounds").iterdir()} | {"page": test_of(folder)}
        )
    assert files[0] == files[1]
    assert not set(files[0]) & set(files[2]) - {"page"}


def test_the_page_asks_for_nothing_from_elsewhere(folder):
    assert run(["listen-test", str(folder), "--question", "sad", "--seconds", "2", "--quiet"]) == 0
    page = (folder / "index.html").read_text()
    assert not re.search(r"https?://|src=|@import|url\(|fetch\(|XMLHttpRequest", page)


def test_loudness_is_matched_below_the_ceiling():
    rng = np.random.default_rng(1)
    loud = (0.9 * np.sign(rng.normal(size=(RATE * 2, 1)))).astype(np.float32)
    peaky = np.zeros((RATE * 2, 1), np.float32)
    peaky[::500] = 0.9
    matched = matched_loudness([loud, peaky], RATE)
    meter = pyloudnorm.Meter(RATE)
    assert abs(meter.integrated_loudness(matched[0]) - meter.integrated_loudness(matched[1])) < 0.1
    assert max(np.abs(samples).max() for samples in matched) <= 10 ** (-1 / 20)
    with pytest.raises(InputError, match="silent"):
        matched_loudness([loud, np.zeros_like(loud)], RATE)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["FOLDER"], "--question says what is asked"),
        (["FOLDER", "--question", "tendr"], "did you mean tender"),
        (["EMPTY"], "no pairs in it"),
        (["NONE"], "no such folder"),
        (["EMPTY", "--toward", "tender=0.1"], "which files are to be steered"),
        (["EMPTY", "SOUND"], "how are the files to be steered"),
        (["EMPTY", "SOUND", "--toward", "tendr=0.1"], "did you mean tender"),
        (["EMPTY", "SOUND", "--preset", "dolce"], "--question says what is asked"),
        (["EMPTY", "SOUND", "--toward", "tender=0.1", "--seconds", "40"], "goes from 2 to 30"),
        (["SOUND"], "is no folder"),
    ],
)
def test_what_cannot_be_a_test_is_refused(folder, refused, arguments, complaint):
    (folder / "empty").mkdir()
    names = {"FOLDER": folder, "EMPTY": folder / "empty", "NONE": folder / "none", "SOUND": folder / "a-tender.wav"}
    refused(["listen-test", *(names.get(word, word) for word in arguments)], complaint, place=folder)


def test_sounds_that_are_not_the_same_music_are_refused(folder, refused):
    tone(folder / "c-original.wav", 0.2, seconds=3)
    tone(folder / "c-happy.wav", 0.2, seconds=4)
    refused(["listen-test", folder, "--question", "sad"], "not as long as")


@pytest.mark.slow
def test_files_are_steered_as_asked(tmp_path, capsys):
    rng = np.random.default_rng(0)
    time = np.arange(RATE * 6) / RATE
    chords = sum(
        np.sin(2 * np.pi * hertz * time) / (n + 1) for n, hertz in enumerate((220, 277, 330, 440, 880, 1760))
    )
    sound = 0.1 * chords * (1 + (time * 2 % 1 < 0.1)) + 0.003 * rng.normal(size=len(time))
    soundfile.write(tmp_path / "song.wav", sound, RATE)
    page = tmp_path / "page"
    more = ["--toward", "tender=0.05", "--set", "articulation=-6", "--seconds", "4", "--json", "--quiet"]
    assert run(["listen-test", str(page), str(tmp_path / "song.wav"), *more]) == 0
    assert json.loads(capsys.readouterr().out)["pairs"] == 2
    trials = {trial["question"]: trial for trial in test_of(page)["trials"]}
    assert {name: trial["direction"] for name, trial in trials.items()} == {"tender": 1, "articulation": -1}
    for trial in trials.values():
        original, steered = (soundfile.read(page / trial[side])[0] for side in ("original", "steered"))
        assert np.abs(original - steered).max() > 0.003


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


def test_a_listener_answers_by_keyboard_and_saves(folder, browser, tmp_path):
    """Opened as a file, without a server; keys alone; the CSV is what the evaluation reads."""
    assert run(["listen-test", str(folder), "--question", "sad", "--seconds", "2", "--quiet"]) == 0
    context = browser.new_context(accept_downloads=True, viewport={"width": 360, "height": 640})
    page = context.new_page()
    asked, faults = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((folder / "index.html").as_uri())
    page.keyboard.press("Tab")
    page.keyboard.type('li"sa, 1')
    page.keyboard.press("Enter")
    trials = test_of(folder)["trials"]
    questions = []
    for _ in trials:
        questions.append(page.inner_text("#question"))
        page.keyboard.press("ArrowRight")  # nothing is chosen before both have been heard
        assert page.is_disabled("#next")
        page.keyboard.press("1")
        page.wait_for_selector("#state:has-text('The first plays.')")
        page.keyboard.press("2")
        page.wait_for_selector("#state:has-text('The second plays.')")
        assert page.evaluate("audio.duration") == pytest.approx(2.0, abs=0.05)
        page.keyboard.press("ArrowRight")
        assert page.get_attribute("#choose2", "aria-pressed") == "true"
        page.keyboard.press("Enter")
    assert page.is_visible("#end")
    with page.expect_download() as download:
        page.click("#save")
    saved = tmp_path / "answers.csv"
    download.value.save_as(saved)
    answers = read_answers([saved])
    assert {answer.participant for answer in answers} == {'li"sa, 1'}
    assert {(answer.pair, answer.question) for answer in answers} == {
        (trial["pair"], trial["question"]) for trial in trials
    }
    assert sorted(questions) == sorted(trial["text"] for trial in trials)
    for line in saved.read_text().splitlines()[1:]:  # the second was always chosen
        assert ",2,1,1," in line
    assert all(url.startswith(("file:", "blob:")) for url in asked)
    assert faults == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("JSON.stringify(ordered('x')) === JSON.stringify(ordered('x'))")
    orders = [page.evaluate(f"ordered('{who}').map(t => t.index + 10 * t.side)") for who in range(12)]
    assert len({tuple(order) for order in orders}) > 3
    sides = [page.evaluate(f"ordered('{who}').map(t => t.side)") for who in range(40)]
    assert 0.35 < np.mean([side == 1 for one in sides for side in one]) < 0.65
    context.close()
