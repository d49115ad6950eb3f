"""The program as a user runs it: this installation's, or another one that MOODFADER_PROGRAM names.

    MOODFADER_PROGRAM="/path/to/other/bin/moodfader" pytest tests/stage

runs the tests that go through this module (the command line, OSC, the terminal) against the other installation.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_NAMED = shlex.split(os.environ.get("MOODFADER_PROGRAM", ""))
PROGRAM = _NAMED or [sys.executable, "-m", "moodfader.control.start"]
"""The command line that starts it, without arguments."""
IS_OTHER = bool(_NAMED)
"""Whether it is another installation's."""


class Ended(NamedTuple):
    """How a command ended: its exit code, and what was on its standard output and error."""

    code: int
    out: str
    err: str


def run_program(*arguments, timeout=300, **environment):
    """Run the program in a process of its own; `environment` is added to this process's."""
    words = (word if isinstance(word, bytes) else str(word) for word in arguments)
    command = [*PROGRAM, *words]
    done = subprocess.run(
        command, env=os.environ | environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout
    )
    return Ended(done.returncode, *(text.decode("utf-8", "replace") for text in (done.stdout, done.stderr)))


def end_process(process):
    """Tell a process to end, and see that it does, by force after a minute."""
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def is_running(number):
    """Whether there is a process of that number that has not ended (Linux)."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
