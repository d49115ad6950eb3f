"""A JACK server of its own with the dummy driver, and what is heard at its outputs."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import soundfile

TOOLS = ("jackd", "jack_rec", "jack_lsp")


def missing():
    """Why no server can be started here, or an empty text."""
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    return f"not installed: {', '.join(absent)} (Debian: jackd2)" if absent else ""


class Server:
    """Started when made; `process` and `environment` are as they say."""

    def __init__(self, *, rate=44100, block=512, realtime=True, synchronous=False):
        """`synchronous`: the server waits for its clients (jackd -S) instead of leaving out who is late."""
        self.name = f"mf{os.getpid()}"
        self.environment = {"JACK_DEFAULT_SERVER": self.name, "JACK_NO_AUDIO_RESERVATION": "1"}
        self.arguments = ["jackd", *(["-R"] if realtime else ["-r"]), "-n", self.name]
        self.arguments += [*(["-S"] if synchronous else []), "-d", "dummy", "-r", str(rate), "-p", str(block)]
        self.recorders = []
        self.start()

    def start(self):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(self.arguments, **quiet)
        for _ in range(100):
            if self.ports() is not None:
                return
            time.sleep(0.1)
        self.stop()
        raise RuntimeError("jackd does not start")

    def ports(self):
        """Names of all ports, None while no server answers."""
        answer = subprocess.run(
            ["jack_lsp"], env=os.environ | self.environment, capture_output=True, text=True, check=False
        )
        return answer.stdout.split() if answer.returncode == 0 and answer.stdout else None

    def record(self, path, seconds, *, client="moodfader"):
        """Begin to record the client's two outputs; a process that ends after so many seconds."""
        sources = [f"{client}:output_{number}" for number in (1, 2)]
        arguments = ["jack_rec", "-f", str(path), "-d", str(seconds), "-b", "32", "-B", "262144", *sources]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        end, process = time.monotonic() + 120, None
        while time.monotonic() < end:
            ports = self.ports() or []
            if any(port.startswith("jackrec") for port in ports):
                return process
            if (process is None or process.poll() is not None) and set(sources) <= set(ports):
                # (it ends at once where a port that it shall record is not there)
                process = subprocess.Popen(arguments, env=os.environ | self.environment, **quiet)
            time.sleep(0.05)
        raise RuntimeError("jack_rec does not start")

    def recorder(self, out, *, client="moodfader", seconds=None):
        """Begin to record bit for bit (see jack_recorder.py); returns when it listens."""
        arguments = [sys.executable, str(Path(__file__).with_name("jack_recorder.py")), str(out), "--client", client]
        arguments += [] if seconds is None else ["--seconds", str(seconds)]
        process = subprocess.Popen(arguments, env=os.environ | self.environment, stdout=subprocess.PIPE, text=True)
        self.recorders.append(process)
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("the recorder does not start")
        return process

    def kill(self):
        """As an accident would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for leftover in Path("/dev/shm").glob(f"jack*{self.name}*"):
            with contextlib.suppress(OSError):
                leftover.unlink() if leftover.is_file() else shutil.rmtree(leftover)

    def stop(self):
        for recorder in self.recorders:
            recorder.kill()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()


class Tape:
    """What a recorder has written: `samples` float32 [n, 2], and `time_of` a sample on the monotonic clock."""

    def __init__(self, out, *, rate=44100):
        out = Path(out)
        self.rate = rate
        self.samples = np.fromfile(out.with_suffix(".f32"), np.float32).reshape(-1, 2)
        with np.load(out.with_suffix(".npz")) as cycles:
            self.starts, self.times = cycles["start"], cycles["time"]

    def time_of(self, sample):
        """When the card was given that sample: the beginning of its cycle, and its place in it."""
        cycle = np.searchsorted(self.starts, sample, side="right") - 1
        return float(self.times[cycle] + (sample - self.starts[cycle]) / self.rate)


def recorded(path):
    """What was recorded, float32 [samples, 2]."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0]
