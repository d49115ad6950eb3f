"""What `steer` keeps of its input: loudspeakers, loudness, tags, notes; where the input is a pipe, too."""

import json
import subprocess
import sys
from pathlib import Path

import mutagen
import pytest
import soundfile
from moodfader.control.cli import run
from moodfader.engine.audio.containers.wav_chunks import wav_channel_mask, write_channel_mask
from moodfader.engine.audio.loudness import LoudnessMeter
from moodfader.engine.file_targets.curve import read_curve
from moodfader.engine.file_targets.targets import Targets

FRONT = 0x107  # left, right, centre, back centre: another four than quad
SIDES = 0x60F  # 5.1 with the surrounds at the sides


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Two seconds of the track that ships as FLAC, with a title."""
    from importlib.resources import files

    demo = files("moodfader.presets") / "demo.ogg"
    sound, rate = soundfile.read(str(demo), dtype="float32", frames=2 * 44100, start=44100)
    path = tmp_path_factory.mktemp("music") / "song.flac"
    soundfile.write(path, sound, rate)
    tagged = mutagen.File(path)
    tagged["title"] = "A cue"
    tagged.save()
    return path


def surround(music: Path, path: Path, gains: list[float], mask: int) -> Path:
    sound, rate = soundfile.read(music, dtype="float32", always_2d=True)
    soundfile.write(path, sound[:, :1] * [gains], rate, format="WAVEX", subtype="FLOAT")
    write_channel_mask(path, mask)
    return path


@pytest.mark.parametrize(
    ("gains", "mask"), [([0.3, 0.3, 0.1, 0.9, 0.3, 0.3], SIDES), ([0.05, 0.05, 0.5, 0.05], FRONT)]
)
def test_loudspeakers_and_loudness_of_a_steered_surround_track_stay(music, place, capsys, gains, mask) -> None:
    source = surround(music, place / "in.wav", gains, mask)
    arguments = ["steer", source, "-o", place / "out.wav", "--toward", "tender=0.02", "--json", "-q"]
    assert run([*map(str, arguments)]) == 0
    said = json.loads(capsys.readouterr().out)["loudness_lufs"]
    assert wav_channel_mask(place / "out.wav") == mask
    sound, rate = soundfile.read(place / "out.wav", dtype="float32")
    meter = LoudnessMeter(rate, len(gains), channel_mask=mask)
    meter.add(sound)
    assert meter.integrated() == pytest.approx(said["after"], abs=0.01)
    assert said["after"] == pytest.approx(said["before"], abs=0.1)


def test_ogg_without_these_loudspeakers_is_refused_before_the_work(music, place, refused) -> None:
    source = surround(music, place / "in.wav", [0.5] * 4, FRONT)
    arguments = ["steer", source, "-o", place / "out.ogg", "--toward", "tender=0.02"]
    refused(arguments, "no place for these 4 loudspeakers", place=place)


def test_a_pipe_is_steered_and_its_tags_are_kept(music, place) -> None:
    program = [sys.executable, "-m", "moodfader.control.start"]
    command = [*program, "steer", "-", "-o", place / "out.flac", "--toward", "tender=0.02", "-q"]
    with music.open("rb") as file:
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert mutagen.File(place / "out.flac")["title"] == ["A cue"]


def test_a_note_about_the_input_is_shown(music, place, capsys) -> None:
    soundfile.write(place / "in.wav", *soundfile.read(music))
    with (place / "in.wav").open("r+b") as file:
        file.seek(40)
        file.write(bytes(4))  # a recorder that crashed: no length of the sound
    assert run([*map(str, ["steer", place / "in.wav", "-o", place / "o.wav", "--toward", "tender=0.02"])]) == 0
    assert f"{place / 'in.wav'}: " in capsys.readouterr().err


def test_an_emotion_that_is_asked_to_move_by_nothing_is_a_kept_one() -> None:
    targets = Targets({"tender": 0.1, "tension": 0.0})
    assert targets.reached({"tender": 0.095, "tension": 0.01})
    assert not targets.reached({"tender": 0.095, "tension": 0.03})


def test_a_curve_of_ups_and_downs_is_reached_where_its_mean_is(music, place, capsys) -> None:
    (place / "cue.csv").write_text("time_s,tender\n0,0.02\n1,0\n2,-0.02\n")
    curve = read_curve(place / "cue.csv")
    assert curve.mean(2.0)["tender"] == pytest.approx(0, abs=1e-12)
    assert curve.mean_size(2.0)["tender"] == pytest.approx(0.01, rel=0.01)
    arguments = ["steer", music, "-o", place / "o.wav", "--curve", place / "cue.csv", "--json", "-q"]
    assert run([*map(str, arguments)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["asked"] == {"tender": 0}
    assert said["reachable"] == (abs(said["reached"]["tender"]) <= 0.1 * curve.mean_size(2.0)["tender"])
