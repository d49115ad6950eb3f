"""Pairs whose names begin alike, that are meant to have less, of surround sound, or silent where they are cut."""

import json
import re

import numpy as np
import pytest
import soundfile
from moodfader.control.cli import run
from moodfader.control.listening.pairs import find_pairs, write_sound
from moodfader.engine.audio.containers.wav_chunks import wav_channel_mask, write_channel_mask
from moodfader.models.common.errors import InputError

RATE = 22050


def tone(seconds=3.0, channels=1):
    time = np.arange(round(seconds * RATE)) / RATE
    sound = 0.3 * np.sin(2 * np.pi * 330 * time) * (1 + 0.3 * np.sin(2 * np.pi * 2 * time))
    return np.repeat(sound[:, None], channels, 1).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    for name in ("song-original", "song-tender", "song-live-original", "song-live-less-sad", "song-live-steered"):
        soundfile.write(tmp_path / f"{name}.wav", tone(), RATE)
    return tmp_path


def test_a_sound_belongs_to_the_longest_name_that_it_begins_with(folder):
    pairs = find_pairs(folder, seconds=2, question="happy", less=True)
    assert {(pair.name, pair.question, pair.direction) for pair in pairs} == {
        ("song", "tender", 1),
        ("song-live", "sad", -1),
        ("song-live", "happy", -1),
    }


def test_less_is_said_of_a_steered_sound_in_a_folder_or_refused(folder, refused):
    refused(["listen-test", folder, "--less"], "--less: of what?")
    assert run(["listen-test", str(folder), "--question", "happy", "--less", "--seconds", "2", "-q"]) == 0
    trials = json.loads(re.findall(r"const TEST = (.*);", (folder / "index.html").read_text())[0])["trials"]
    assert {trial["question"]: trial["direction"] for trial in trials} == {"tender": 1, "sad": -1, "happy": -1}


def test_a_name_that_asks_for_nothing_known_is_shown_with_its_file(folder):
    soundfile.write(folder / "song-mix.wav", tone(), RATE)
    with pytest.raises(InputError, match=re.escape(f"{folder / 'song-mix.wav'}: nothing can be asked about 'mix'")):
        find_pairs(folder, seconds=2, question="happy")


@pytest.mark.parametrize("level", [0, 1e-5])
def test_a_track_that_is_silent_in_its_middle_is_named(tmp_path, refused, level):
    path = tmp_path / "hidden track.wav"
    soundfile.write(path, np.concatenate([tone(), level * tone(5), tone()]), RATE, subtype="FLOAT")
    arguments = ["listen-test", tmp_path / "page", path, "--toward", "tender=0.02", "--seconds", "3"]
    refused(arguments, f"{path}: the 3 s around its middle: ", "silent", place=tmp_path)


def test_loudspeakers_stay_and_count_as_they_are_named(tmp_path):
    for name, gains in (("a-original", (1, 1, 0.1, 0.1)), ("a-tender", (0.1, 0.1, 0.1, 1))):
        soundfile.write(tmp_path / f"{name}.wav", tone(channels=4) * gains, RATE, format="WAVEX", subtype="FLOAT")
        write_channel_mask(tmp_path / f"{name}.wav", 0x107)  # left, right, centre, back centre
    (pair,) = find_pairs(tmp_path, seconds=2)
    power = [np.square(sound).mean(0) @ [1, 1, 1, 1.41] for sound in (pair.original, pair.steered)]
    assert 10 * np.log10(power[0] / power[1]) == pytest.approx(0, abs=0.05)
    write_sound(tmp_path / "out.wav", pair.original, RATE, pair.channel_mask)
    assert wav_channel_mask(tmp_path / "out.wav") == 0x107


@pytest.mark.parametrize("option", [("--toward", "tender=0.1"), ("--question", "sad"), ("--less",), ("--overwrite",)])
def test_answers_are_counted_without_options_of_a_new_test(tmp_path, refused, option):
    refused(["listen-test", "--evaluate", tmp_path / "a.csv", *option], f"{option[0]}: has no effect")
