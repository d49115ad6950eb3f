"""Records two ports of a JACK client bit for bit, and when each cycle was; a program of its own, for it has to hurry.

    python jack_recorder.py OUT --client moodfader [--seconds 60]

It connects as soon as the ports are there and writes OUT.f32 (float32, interleaved) until SIGTERM or the time is up,
then OUT.npz: `start` (first sample of each cycle), `time` (when the cycle began, in seconds of the monotonic clock).
"""

import argparse
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np

ROOM = 1 << 20
CYCLES = 1 << 21


class Recorder:
    def __init__(self, source):
        import jack

        jack.set_error_function(lambda message: None)
        jack.set_info_function(lambda message: None)
        self.source, self.error = source, jack.JackError
        self.samples = np.zeros((ROOM, 2), np.float32)
        self.starts, self.times = np.zeros(CYCLES, np.int64), np.zeros(CYCLES)
        self.count = self.cycles = self.written = 0
        self.client = jack.Client("recorder", no_start_server=True)
        self.ports = [self.client.inports.register(f"input_{number}") for number in (1, 2)]
        self.client.set_process_callback(self.process)
        self.client.activate()

    def process(self, frames):
        self.times[self.cycles] = time.monotonic() - self.client.frames_since_cycle_start / self.client.samplerate
        self.starts[self.cycles] = self.count
        self.cycles += 1
        at = self.count % ROOM  # (blocks divide the room)
        for channel, port in enumerate(self.ports):
            self.samples[at : at + frames, channel] = port.get_array()
        self.count += frames

    def connect(self):
        """Whether both ports of the source are there (and then connected)."""
        there = {port.name for port in self.client.get_ports(is_output=True, is_audio=True)}
        wanted = [f"{self.source}:output_{number}" for number in (1, 2)]
        if not set(wanted) <= there:
            return False
        try:
            for name, port in zip(wanted, self.ports, strict=True):
                if not self.client.get_all_connections(port):
                    self.client.connect(name, port)
        except self.error:  # gone again, or not active yet
            return False
        return True

    def flush(self, file):
        """Write what has come in."""
        while self.written < self.count:
            at = self.written % ROOM
            part = self.samples[at : min(ROOM, at + self.count - self.written)]
            file.write(part.tobytes())
            self.written += len(part)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("out", type=Path)
    options.add_argument("--client", default="moodfader")
    options.add_argument("--seconds", type=float)
    asked = options.parse_args()
    from moodfader.engine.processes.realtime import RT_OUTPUT, lock_memory_and_freeze_gc, set_realtime

    set_realtime(RT_OUTPUT)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    recorder = Recorder(asked.client)
    lock_memory_and_freeze_gc()
    print("ready", flush=True)
    connected, end = False, None
    with asked.out.with_suffix(".f32").open("wb") as file:
        while not stop.is_set() and (end is None or time.monotonic() < end):
            if not connected and recorder.connect():
                connected = True
                print("connected", flush=True)
                end = None if asked.seconds is None else time.monotonic() + asked.seconds
            stop.wait(0.2 if connected else 0.01)
            recorder.flush(file)
        recorder.flush(file)
    cycles = recorder.cycles
    np.savez(asked.out.with_suffix(".npz"), start=recorder.starts[:cycles], time=recorder.times[:cycles])
    print("done", flush=True)
    os._exit(0)  # (a client's own ending waits for a server that may be gone)


if __name__ == "__main__":
    main()
