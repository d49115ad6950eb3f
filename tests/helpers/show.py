"""`play` in a terminal of its own: what is on the screen is read, keys are pressed, and it listens to OSC."""

import codecs
import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

from helpers.osc_client import OscClient
from helpers.ports import free_port
from helpers.program import PROGRAM, end_process
from helpers.waiting import PATIENCE_S

_REMEMBERED = 400_000
"""Characters of a screen that are kept: one that is drawn for an hour must not fill memory."""
_ESCAPE = re.compile(r"\x1b\[[0-9;?<>]*[a-zA-Z]")
_UNFINISHED = re.compile(r"(?:\x1b(?:\[[0-9;?<>]*)?)?$")


class Typist:
    """Somebody in front of a program, who reads what is on the screen and presses keys."""

    def __init__(self, command, *, size=(80, 24), **environment):
        self.screen, theirs = pty.openpty()
        self.resize(*size, theirs)
        inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
        self.process = subprocess.Popen(
            [str(word) for word in command],
            **streams,
            env=inherited | {"TERM": "xterm-256color", "OMP_NUM_THREADS": "1"} | environment,
            start_new_session=True,
        )
        os.close(theirs)
        self.read = ""
        self._change = threading.Condition()
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def _follow(self):
        """Thread: read what is written, always, for a program waits for a terminal that nobody reads."""
        letters, kept = codecs.getincrementaldecoder("utf-8")("replace"), ""
        while True:
            with contextlib.suppress(OSError):
                if chunk := os.read(self.screen, 65536):
                    text = kept + letters.decode(chunk)
                    kept = _UNFINISHED.search(text)[0]  # (an escape sequence whose end comes with the next chunk)
                    with self._change:
                        self.read = (self.read + _ESCAPE.sub("", text.removesuffix(kept)))[-_REMEMBERED:]
                        self._change.notify_all()
                    continue
            return

    def resize(self, width, height, terminal=None):
        """Make the window of another size."""
        fcntl.ioctl(terminal or self.screen, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def sees(self, text, seconds=PATIENCE_S):
        """Wait until a text comes; what was before it is forgotten."""
        with self._change:
            came = self._change.wait_for(lambda: text in self.read or not self._reader.is_alive(), seconds)
            assert came, f"{text!r} did not come, but {self.read[-3000:]!r}"
            assert text in self.read, f"it ended before {text!r} came: {self.read[-3000:]!r}"
            self.read = self.read.partition(text)[2]

    def presses(self, keys):
        """Press keys, one after the other; or send the bytes of a terminal with another encoding."""
        os.write(self.screen, keys if isinstance(keys, bytes) else keys.encode())

    def ends(self):
        """The exit code, once it has ended."""
        return self.process.wait(PATIENCE_S)

    def stop(self):
        """End it, however it stands."""
        end_process(self.process)
        self._reader.join(5)
        with contextlib.suppress(OSError):
            os.close(self.screen)


class Show(Typist):
    """`play` with these arguments. `osc` is a client of it, `kept` where it records itself if `folder` is given."""

    def __init__(self, *words, folder=None, backend="null", size=(80, 24), **environment):
        port = free_port()
        command = [*PROGRAM, "play", *words, "--backend", backend, "--osc-port", port]
        self.kept = None if folder is None else folder / "show.jsonl"
        super().__init__(command + (["--record", self.kept] if folder else []), size=size, **environment)
        self.osc = OscClient(port)
        try:
            self.osc.answers_at_all()
        except AssertionError:
            self.stop()
            raise AssertionError(f"play does not start: {self.read[-3000:]}") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.osc.socket.close()

    def value(self, name):
        """What ``/moodfader/<name>`` holds."""
        return self.osc.get(f"/moodfader/{name}")

    def set(self, name, value):
        """Set ``/moodfader/<name>`` over OSC."""
        self.osc.set(f"/moodfader/{name}", value)

    def until(self, condition, seconds=PATIENCE_S):
        """Wait until a condition of this show is true."""
        end = time.monotonic() + seconds
        while not condition(self):
            assert self.process.poll() is None, f"it ended: {self.read[-3000:]}"
            assert time.monotonic() < end, f"it did not come to pass; the screen: {self.read[-3000:]}"
            time.sleep(0.05)

    def events(self):
        """The lines of its recording so far."""
        lines = self.kept.read_text().splitlines()[1:] if self.kept and self.kept.exists() else []
        return [json.loads(line) for line in lines]

    def recorded(self, name):
        """The values that ``/moodfader/<name>`` took, by the recording."""
        return [line["value"] for line in self.events() if line.get("address") == f"/moodfader/{name}"]

    def children(self):
        """Process ids of the processes that it has started, without Python's keeper of shared memory."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        listed = [int(child) for task in tasks for child in task.read_text().split()]
        return [child for child in listed if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()]

    @contextlib.contextmanager
    def held_up(self):
        """All its processes are stopped for a while."""
        children = self.children()
        for child in children:
            os.kill(child, signal.SIGSTOP)
        try:
            yield
        finally:
            for child in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGCONT)


_OF_ANOTHER_TERMINAL = ("NO_COLOR", "TMUX", "COLUMNS", "LINES")


class Window:
    """A program in a window of tmux, whose screen can be read as it stands."""

    def __init__(self, command, *, size=(80, 24), **environment):
        self._socket = f"moodfader{os.getpid()}x{id(self)}"
        inherited = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_TERMINAL}
        self._environment = inherited | {"OMP_NUM_THREADS": "1"} | environment
        words = " ".join(f"'{word}'" for word in map(str, command))
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), words)

    def _tmux(self, *words):
        command = ["tmux", "-u", "-L", self._socket, *words]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True).stdout

    def lines(self, *, escapes=False):
        """The screen's lines, with the escape sequences of their styles if asked for."""
        return self._tmux("capture-pane", "-p", *(["-e"] if escapes else [])).splitlines()

    def shows(self, *texts, seconds=PATIENCE_S):
        """Wait until all texts are on the screen at once; its lines."""
        end = time.monotonic() + seconds
        while not all(text in "\n".join(lines := self.lines()) for text in texts):
            assert time.monotonic() < end, f"{texts} did not come, but:\n" + "\n".join(lines)
            time.sleep(0.1)
        return lines

    @property
    def process(self):
        """Process number of the program."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def presses(self, *keys):
        """Press keys by tmux's names."""
        self._tmux("send-keys", *keys)

    def resize(self, width, height):
        """Make the window of another size."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def close(self):
        """End the program and its window."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self._tmux("kill-server")
