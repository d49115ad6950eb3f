"""`moodfader play` as a process of its own, paused, spoken to by OSC."""

import os
import re
import subprocess
import threading

from helpers.osc_client import OscClient
from helpers.program import PROGRAM, end_process


class Play(OscClient):
    """A paused `moodfader play`, without a sound card unless one is named, and a socket that speaks to it."""

    def __init__(self, config, *words, env=None, host="127.0.0.1", backend="null"):
        command = [*PROGRAM, "play", str(config / "song.wav"), "--backend", backend]
        command += ["--paused", "--no-terminal", "--osc-port", "0", *words]
        environment = os.environ | {"MOODFADER_CONFIG": str(config), "OMP_NUM_THREADS": "1"} | (env or {})
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.notes = []
        self.ready = threading.Event()
        last = "MIDI from" if "--midi" in words else "OSCQuery on http"
        threading.Thread(target=self._read_notes, args=(last,), daemon=True).start()
        self.ready.wait(120)
        line = next((note for note in self.notes if "OSCQuery on http" in note), None)
        if line is None:
            self.stop()
            raise RuntimeError("play does not start: " + "".join(self.notes))
        port, self.http = map(int, re.search(r":(\d+), .*:(\d+)", line).groups())
        super().__init__(port, host)

    def _read_notes(self, last):
        for line in self.process.stderr:
            self.notes.append(line)
            if last in line:
                self.ready.set()
        self.ready.set()

    def stop(self):
        end_process(self.process)
