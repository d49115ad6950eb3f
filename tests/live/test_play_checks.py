"""`play` with a mistake in it: told before the first sound, and no file is left that blocks the corrected command."""

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from moodfader.control.cli import run
from moodfader.engine.performance.automation_file import read_automation


@pytest.fixture
def told(monkeypatch):
    """What players are told: nothing may be, for that makes sound."""
    told = []

    class Player:
        sample_rate, channels, samples_played = 44100, 2, 0

        def __init__(self, *_, **__):
            pass

        def set(self, address, value):
            told.append((address, value))

        def close(self, *, fade_s=0.0):
            pass

    monkeypatch.setattr("moodfader.control.session.early_player.Player", Player)
    return told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--midi", "no such controller"], "MIDI"),
        (["--model", "nowhere.safetensors"], "no such model file"),
        (["--preset", "nobody"], "no preset"),
        (["--render-ahead", "-5"], "--render-ahead -5"),
        (["--bind", "1.2.3.4"], "1.2.3.4"),
    ],
)
def test_a_mistake_is_told_before_the_first_sound_and_no_file_is_made(arguments, said, song, place, refused, told):
    command = ["play", song, "--backend", "null", "--osc-port", "0", "--record", place / "kept.jsonl"]
    refused([*command, *arguments], said, place=place)
    assert not told


def test_a_port_that_is_taken_is_told_before_the_first_sound(song, place, refused, told):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        command = ["play", song, "--backend", "null", "--osc-port", port, "--record", place / "kept.jsonl"]
        refused(command, str(port), place=place)
    assert not told


@pytest.mark.parametrize("name", ["there.jsonl", "no/folder.jsonl"])
def test_a_record_path_that_cannot_be_is_told_before_the_first_sound(name, song, place, refused, told):
    (place / "there.jsonl").write_text("precious")
    refused(["play", song, "--backend", "null", "--no-osc", "--record", place / name], name, place=place)
    assert not told
    assert (place / "there.jsonl").read_text() == "precious"


def test_a_back_end_that_is_not_there_leaves_no_file(song, place, refused, monkeypatch):
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody")
    refused(["play", song, "--backend", "jack", "--no-osc", "--record", place / "kept.jsonl"], "jack", place=place)


FULL = """
    import resource, sys
    from pathlib import Path
    import numpy as np
    from moodfader.control.session.session import Session
    from moodfader.engine.audio.sample_buffer import SampleBuffer
    from helpers.offline_player import OfflinePlayer
    from moodfader.engine.performance.automation_file import AutomationWriter

    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    session = Session(record=AutomationWriter(Path(sys.argv[1])), note=print)
    sound = SampleBuffer.from_array(np.full((22050, 2), 0.1, np.float32), sample_rate=22050)
    player = OfflinePlayer([sound], [None], session.handle_message)
    session.attach(player, tracks=["a.wav"])
    session.set("/moodfader/transport/play", True)
    for number in range(100):
        session.set("/moodfader/wet", number / 100)
        player.render(256)
    session.refresh()
    print("recording", session.get("/moodfader/state/recording"), "played", player.samples_played)
    session.close()
"""


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_full_disk_ends_the_recording_with_a_note_and_a_valid_file(tmp_path):
    kept = tmp_path / "kept.jsonl"
    command = [sys.executable, "-c", textwrap.dedent(FULL), str(kept)]
    helped = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=helped)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    note, end = done.stdout.splitlines()
    assert note.startswith("the recording ends here: ")
    assert end == "recording False played 25600"
    text = kept.read_text()
    assert text.endswith("}\n")
    assert 1500 < len(text) <= 2000
    assert len(read_automation(kept).changes) == len(text.splitlines()) - 1


def test_a_show_that_is_quit_fades_out(song, place, monkeypatch):
    closed = []

    class Silent:
        sample_rate, channels, block_length, samples_played = 22050, 2, 512, 0

        def __init__(self, *_, **__):
            pass

        def set(self, address, value):
            pass

        def meters(self):
            from moodfader.engine.processes.messages import PlayerMeters

            return PlayerMeters(0, 2.0, 2.0, False, True, 0.0, 0.0, 0, 0, 0, 0.0)

        def close(self, *, fade_s=0.0):
            closed.append(fade_s)

    monkeypatch.setattr("moodfader.control.session.early_player.Player", Silent)
    assert run(["play", str(song), "--backend", "null", "--no-osc", "--quiet"]) == 0
    assert closed
    assert closed[0] > 0.1


def test_what_cannot_be_played_ends_the_processes_that_had_begun(tmp_path) -> None:
    """The console script begins them before anything is checked: one line, exit code 2, nothing left behind."""
    code = "import sys; from moodfader.control.start import main; sys.argv[1:] = ['play', 'none.wav']; main()"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )  # (a process that is left holds the pipe open: the time would run out)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert "none.wav" in ended.stderr
