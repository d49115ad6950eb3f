"""`moodfader play` in a terminal, by its bytes: keys pressed one after the other while the null back end plays."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import numpy as np
import pytest
import soundfile
from moodfader.engine.performance.automation_file import read_automation
from moodfader.models.common.constants import MIDLEVEL

RATE = 22050
PATIENCE_S = 60


class Typist:
    """Somebody in front of `play`, who reads what is on the screen and presses keys."""

    def __init__(self, command):
        self.screen, theirs = pty.openpty()
        self.resize(80, 24, theirs)
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        environment |= {"TERM": "xterm-256color"}
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
        self.process = subprocess.Popen(command, **streams, env=environment, start_new_session=True)
        os.close(theirs)
        self.read = ""

    def resize(self, width, height, terminal=None):
        fcntl.ioctl(terminal or self.screen, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def sees(self, text):
        """Wait until a text comes; what was before it is forgotten."""
        end = time.monotonic() + PATIENCE_S
        while text not in self.read:
            assert time.monotonic() < end, f"{text!r} did not come, but {self.read[-3000:]!r}"
            if select.select([self.screen], [], [], 0.2)[0]:
                try:
                    chunk = os.read(self.screen, 65536).decode("utf-8", "replace")
                except OSError:
                    chunk = ""
                assert chunk, f"it ended before {text!r} came: {self.read[-3000:]!r}"
                self.read += re.sub(r"\x1b\[[0-9;?<>]*[a-zA-Z]", "", chunk)
        self.read = self.read.partition(text)[2]

    def presses(self, keys):
        os.write(self.screen, keys.encode())

    def ends(self):
        """The exit code; what is still written is read meanwhile."""
        end = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < end, "it does not end"
            if select.select([self.screen], [], [], 0.1)[0]:
                try:
                    os.read(self.screen, 65536)
                except OSError:
                    time.sleep(0.05)
        os.close(self.screen)
        return self.process.returncode


@pytest.fixture
def command(tmp_path, random_model):
    path = tmp_path / "song.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal((60 * RATE, 2)), RATE)
    play = [sys.executable, "-m", "moodfader.control.cli", "play", str(path), "--backend", "null", "--no-osc"]
    return [*play, "--model", str(random_model.path), "--record", str(tmp_path / "show.jsonl")]


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
        typist.presses("?")
        typist.sees("loop begins, ends here")
        typist.presses("?")
        typist.sees("underruns")
        typist.presses("\x11")  # control and q
        typist.sees("end it and quit?")
        typist.presses("y")
        assert typist.ends() == 0
    finally:
        typist.process.kill()
        typist.process.wait()
    history = read_automation(tmp_path / "show.jsonl")
    assert history.samples > 0
    lines = [json.loads(line) for line in (tmp_path / "show.jsonl").read_text().splitlines()[1:]]
    zeroed = [line for line in lines if line.get("source") == "terminal" and line["value"] == 0.0]
    assert {line["address"] for line in zeroed} == {f"/moodfader/midlevel/{name}" for name in MIDLEVEL}
    assert len({line["at"] for line in zeroed}) == 1  # (all seven with the same sample)
    assert not [line for line in lines if "wet" in line.get("address", "")]
