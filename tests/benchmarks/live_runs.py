"""`moodfader play` in a process of its own over a real JACK server, and the tape of its outputs, for benchmarks."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
from moodfader.control.osc.packets import encode_message
from moodfader.engine.dsp.segment_mask import SegmentMask
from moodfader.engine.performance.events import SETTING_SOLVED, read_setting

sys.path.append(str(Path(__file__).parents[1]))
from helpers import jack_server, performance_compare

__all__ = ["jack_server", "performance_compare"]

MODALITY = "/moodfader/midlevel/modality"


def memory_mib(pid):
    """Of a process and its children."""
    total = 0
    for one in (pid, *_children(pid)):
        with contextlib.suppress(OSError):
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return total / 2**20


def _children(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


class Playing:
    """`moodfader play` in a process of its own, and the tape of its outputs."""

    def __init__(self, server, asked, folder):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.kept, self.tape = folder / "kept.jsonl", folder / "tape"
        self.recorder = server.recorder(self.tape)
        command = [sys.executable, "-m", "moodfader.control.cli", "play", str(asked.file), "--backend", asked.backend]
        command += ["--osc-port", str(self.port), "--record", str(self.kept), "--json", "--paused"]
        command += [] if asked.ahead is None else ["--ahead", str(asked.ahead)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.lines = []
        threading.Thread(target=self._read, daemon=True).start()
        self.until(lambda: self.lines and self.lines[-1]["emotions"]["surrogate"]["happy"] is not None, 300)
        if self.recorder.stdout.readline().strip() != "connected":
            raise RuntimeError("the recorder found no ports")

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def until(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError("play does not do what it should")
            time.sleep(0.05)

    def send(self, address, value):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.sendto(encode_message(address, value), ("127.0.0.1", self.port))

    def end(self):
        """Stop both; the recording is then whole."""
        self.process.terminate()
        self.process.wait(20)
        time.sleep(0.3)
        self.recorder.terminate()
        self.recorder.wait(20)


def tell_slow(history, tape, found, probes, *, beyond_ms):
    """When the fader had moved and when that was heard: what sounds in between may hold nothing of the feature."""
    began = {change.value: change.at for change in history.changes if change.address == MODALITY}
    for value, at in probes:
        if (onset := found.onsets.get(value)) is None or (tape.time_of(onset) - at) * 1000 < beyond_ms:
            continue
        times = [(tape.time_of(sample) - at) * 1000 for sample in (began[value] + found.first_on_tape, onset)]
        when = at - probes[0][1]
        print(f"slow: sent at {when:.2f} s, moved and heard after {np.round(times, 1)} ms", file=sys.stderr)


def solved_settings(file, history):
    """The settings of the recording that were solved as wholes, by the value of their events."""
    from moodfader.engine.analysis.cache import analyze
    from moodfader.engine.analysis.settings import AnalysisSettings
    from moodfader.engine.audio.track import load_track
    from moodfader.engine.dsp.faders import Faders
    from moodfader.engine.dsp.solved_settings import SolvedSetting
    from moodfader.engine.render.whole_setting import solve_whole
    from moodfader.models.inference.checkpoint import load_model

    track, model = load_track(file), load_model()
    analysis = analyze(track, model=model, settings=AnalysisSettings())
    found = {}
    for text in {change.value for change in history.changes if change.address == SETTING_SOLVED}:
        _, faders_db = read_setting(text)
        correction_db = solve_whole(track, analysis, Faders(*faders_db), model).correction_db
        found[text] = SolvedSetting(np.array(faders_db), correction_db)
    return found


def the_map(file):
    """Of the cached analysis."""
    from moodfader.engine.analysis.cache import analyze
    from moodfader.engine.analysis.settings import AnalysisSettings
    from moodfader.engine.audio.track import load_track

    analysis = analyze(load_track(file), settings=AnalysisSettings())
    return SegmentMask(analysis.mask_labels, analysis.mask_weights, sample_rate=44100)
