"""A controller on real MIDI cables over a JACK server of its own: `send` is its hand, `got` what it is sent."""

import os
import shutil
import subprocess
import sys
import threading
import time

CONTROLLER = """
import sys, threading, mido
mido.set_backend("mido.backends.rtmidi/UNIX_JACK")
def show(message):
    print(message.hex(""), flush=True)
with mido.open_output("desk", virtual=True) as out, mido.open_input("rings", virtual=True, callback=show):
    print("ready", flush=True)
    for line in sys.stdin:
        for message in mido.parse_all(bytes.fromhex(line)):
            out.send(message)
"""

PATIENT_SERVER = ("jackd", "-r", "-S", "-t", "2000")
"""Of a loaded machine: it waits two seconds for a client that comes late, in place of two periods."""


def missing():
    """Why there can be no cable here, or an empty text."""
    absent = [tool for tool in ("jackd", "jack_lsp") if shutil.which(tool) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (Debian: jackd2)"
    try:
        import rtmidi  # noqa: F401
    except ImportError:
        return "python-rtmidi, the other end of the cable, is not installed"
    return ""


class MidiCable:
    """Started when made: a server, and a controller with the output "desk" and the input "rings"."""

    def __init__(self):
        self.environment = {
            "JACK_DEFAULT_SERVER": f"mfs{os.getpid()}",
            "JACK_NO_AUDIO_RESERVATION": "1",
            "MIDO_BACKEND": "mido.backends.rtmidi/UNIX_JACK",
        }
        self._controller = None
        self.start_server()
        self.plug_in()

    def start_server(self):
        """Start the server, and wait until it answers."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        name = self.environment["JACK_DEFAULT_SERVER"]
        self._server = subprocess.Popen([*PATIENT_SERVER, "-n", name, "-d", "dummy", "-p", "256"], **quiet)
        for _ in range(200):
            if subprocess.run(
                ["jack_lsp"], env=os.environ | self.environment, check=False, capture_output=True
            ).stdout:
                return
            time.sleep(0.05)
        self.close()
        raise RuntimeError("jackd does not start")

    def end_server(self):
        """End the server, and the controller with it."""
        self.unplug()
        _end(self._server)

    def plug_in(self):
        """Start the controller; what it is sent from then on is in `got`."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        environment = os.environ | self.environment
        self._controller = subprocess.Popen([sys.executable, "-c", CONTROLLER], env=environment, **pipes)
        if self._controller.stdout.readline().strip() != "ready":
            self.close()
            raise RuntimeError("the controller does not start")
        self.got = []
        threading.Thread(target=self._read, args=(self._controller.stdout, self.got), daemon=True).start()

    def unplug(self):
        """End the controller, which closes its ports (the server would wait for one that is killed)."""
        self._controller.stdin.close()
        self._controller.wait()

    @staticmethod
    def _read(lines, got):
        for line in lines:
            got.append(bytes.fromhex(line.strip()))

    def send(self, *messages):
        """Move a control: the bytes of each message."""
        self._controller.stdin.write("".join(bytes(message).hex() + "\n" for message in messages))
        self._controller.stdin.flush()

    def close(self):
        """End controller and server."""
        for process in (self._controller, self._server):
            if process is not None:
                _end(process)


def _end(process):
    process.terminate()
    process.wait()
