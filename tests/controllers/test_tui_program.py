"""`moodfader play` in a terminal, by its bytes: keys pressed one after the other while the null back end plays."""

import json
import time

import numpy as np
import pytest
import soundfile
from helpers.program import PROGRAM
from helpers.show import Typist
from helpers.waiting import until
from moodfader.engine.performance.automation_file import read_automation
from moodfader.models.common.constants import MIDLEVEL

RATE = 22050


@pytest.fixture
def command(tmp_path, random_model):
    path = tmp_path / "song.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal((60 * RATE, 2)), RATE)
    play = [*PROGRAM, "play", str(path), "--backend", "null", "--no-osc"]
    return [*play, "--model", str(random_model.path), "--record", str(tmp_path / "show.jsonl")]


def test_keys_that_cannot_be_read_do_not_end_the_show(command):
    typist = Typist(command)
    try:
        typist.sees("REC")
        for odd in (b"\xe4", b"\xff\xfe", b"\x1b[1114112u", b"\x1b[999999999999999999999999~", b"\x1b[48;:u"):
            typist.presses(odd)
            time.sleep(0.3)  # (each is read on its own, as what is typed)
        typist.presses("L")
        typist.sees("+3.0")
        typist.presses("q")
        typist.sees("end it and quit?")
        typist.presses("y")
        assert typist.ends() == 0
    finally:
        typist.stop()


def test_a_recorded_show_survives_slips_of_the_keys_and_ends_by_two_of_them(command, tmp_path):
    typist = Typist(command)
    try:
        typist.sees("REC")
        typist.presses("L")
        typist.sees("+3.0")
        typist.presses("q")  # (a slip)
        typist.sees("end it and quit?")
        typist.presses("w")
        typist.sees("not ended")
        typist.presses("z")
        until(
            lambda: len(zeroed(tmp_path)) == len(MIDLEVEL),
            instead=lambda: f"but {recorded(tmp_path)}, and the screen: {typist.read[-3000:]!r}",
        )
        typist.presses("?")
        typist.sees("this list")
        typist.presses("?")
        typist.sees("underruns")
        typist.presses("\x11")  # control and q
        typist.sees("end it and quit?")
        typist.presses("y")
        assert typist.ends() == 0
    finally:
        typist.stop()
    history = read_automation(tmp_path / "show.jsonl")
    assert history.samples > 0
    lines = zeroed(tmp_path)
    assert {line["address"] for line in lines} == {f"/moodfader/midlevel/{name}" for name in MIDLEVEL}
    assert len({line["at"] for line in lines}) == 1  # (all seven with the same sample)
    assert not [line for line in recorded(tmp_path) if "wet" in line.get("address", "")]


def recorded(folder):
    """The lines of the recording, but for the first."""
    return [json.loads(line) for line in (folder / "show.jsonl").read_text().splitlines()[1:]]


def zeroed(folder):
    """Those that set something to zero by the keyboard."""
    return [line for line in recorded(folder) if line.get("source") == "terminal" and line["value"] == 0.0]
