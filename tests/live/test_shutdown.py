"""How a performance ends: by a signal, a terminal that closes, an accident; its recording is whole each time."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers.program import is_running
from moodfader.engine.performance.automation_file import read_automation

RATE = 22050


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal((60 * RATE, 2)), RATE)
    return path


class Running:
    """`moodfader play` without a sound card, recording."""

    def __init__(self, file, folder, model, *arguments, terminal=None):
        self.kept = folder / "kept.jsonl"
        command = [sys.executable, "-m", "moodfader.control.start", "play", str(file), "--backend", "null"]
        command += ["--record", str(self.kept), "--model", str(model.path), *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        if terminal is not None:
            pipes = dict.fromkeys(("stdin", "stdout", "stderr"), terminal) | {"start_new_session": True}
        self.process = subprocess.Popen(command, **pipes)
        self.until(lambda: self.kept.exists() and "transport/play" in self.kept.read_text())
        time.sleep(0.5)

    def until(self, condition, seconds=120):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come to pass"
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)

    def children(self):
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(child) for listed in tasks for child in listed.read_text().split()]

    def ended(self):
        """Exit code, standard output and error."""
        output, error = self.process.communicate(timeout=120)
        return self.process.returncode, output or b"", error or b""


def all_end(processes, seconds=120):
    end = time.monotonic() + seconds
    while left := [one for one in processes if is_running(one)]:
        assert time.monotonic() < end, f"processes are left: {left}"
        time.sleep(0.05)
    return True


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)], ids=lambda value: str(value)
)
def test_a_signal_ends_it_cleanly(number, code, file, tmp_path, random_model):
    running = Running(file, tmp_path, random_model, "--json", "--no-osc")
    children = running.children()
    running.process.send_signal(number)
    returned, output, error = running.ended()
    assert returned == code
    assert b"Traceback" not in error
    assert all(json.loads(line) for line in output.splitlines())
    history = read_automation(running.kept)
    assert history.samples > 0
    assert all_end(children)


@pytest.mark.parametrize("is_told", [True, False], ids=["signal", "no signal"])
def test_a_terminal_that_closes_ends_it_cleanly(file, tmp_path, random_model, is_told):
    ours, theirs = pty.openpty()
    running = Running(file, tmp_path, random_model, "--no-osc", terminal=theirs)
    os.close(theirs)
    os.close(ours)
    if is_told:
        running.process.send_signal(signal.SIGHUP)  # (as the kernel does for the terminal's own session)
    assert running.process.wait(120) in (0, 1)
    assert read_automation(running.kept).samples > 0


def test_an_accident_leaves_what_was_recorded_and_no_process(file, tmp_path, random_model):
    running = Running(file, tmp_path, random_model, "--quiet", "--no-osc")
    children = running.children()
    assert len(children) >= 2
    running.process.kill()
    running.process.wait()
    assert all_end(children)
    history = read_automation(running.kept)
    assert history.changes[0].address == "/moodfader/transport/play"  # (the analysis may have been there by then)
    assert history.samples is None


def test_who_reads_has_gone(file, tmp_path, random_model):
    running = Running(file, tmp_path, random_model, "--json", "--no-osc")
    running.process.stdout.close()
    running.process.wait(120)
    assert b"Traceback" not in running.process.stderr.read()
    assert running.process.returncode in (0, 1)
    assert read_automation(running.kept).samples > 0


def test_a_port_that_is_taken_is_one_line(file, tmp_path, random_model):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "moodfader.control.start", "play", str(file), "--backend", "null", "--quiet"]
        command += ["--model", str(random_model.path), "--osc-port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith(f"moodfader: OSC on 127.0.0.1:{port}: Address already in use")
    assert len(done.stderr.splitlines()) == 1


def test_a_recording_that_cannot_go_on_is_told_and_the_music_plays(monkeypatch):
    from moodfader.control.session.performance_recorder import PerformanceRecorder
    from moodfader.engine.processes.messages import AppliedEvent
    from moodfader.models.common.errors import InputError

    class Full:
        def write(self, line):
            raise InputError("kept.jsonl: cannot be written (No space left on device)")

    said = []
    recording = PerformanceRecorder(Full(), said.append)
    recording.write_events([AppliedEvent(0, "/moodfader/wet", 0.5), AppliedEvent(512, "/moodfader/wet", 0.6)], {})
    recording.end(1024)
    assert said == ["the recording ends here: kept.jsonl: cannot be written (No space left on device)"]
