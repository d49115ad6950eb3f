"""The processes of play end with the program wherever it is interrupted."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from helpers.waiting import until
from moodfader.engine.live import entry_points
from moodfader.engine.processes.ipc import ChildProcesses
from moodfader.engine.processes.messages import AnalysisJob
from moodfader.models.common.errors import InputError

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux only")
ENDED = """
import os, signal, sys
from multiprocessing import process
from moodfader.control import start
from moodfader.engine.processes import ipc

class Interrupted(ipc.multiprocessing.get_context("fork").Process):
    def start(self):
        super().start()
        print(self.pid, flush=True)
        signal.raise_signal(signal.{signal})

context = ipc.multiprocessing.get_context("fork")
context.Process = Interrupted
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # (who runs the tests with nohup ignores it, and so would play)
sys.argv[1:] = ["play", {sound!r}, "--backend", "null"]
start.main()
"""
STARTED_LATE = """
import sys, threading, time
from moodfader.engine.live import entry_points
from moodfader.engine.processes.ipc import ChildProcesses
from moodfader.engine.processes.messages import AnalysisJob
from multiprocessing import popen_spawn_posix, resource_tracker, util

resource_tracker.ensure_running()
spawn, reached = util.spawnv_passfds, threading.Event()

def slow(*arguments):
    pid = spawn(*arguments)
    reached.set()
    time.sleep(0.5)  # (the process has been started, and waits for what it shall do)
    return pid

popen_spawn_posix.util.spawnv_passfds = slow
children = ChildProcesses()
threading.Thread(target=children.start, args=(print,), daemon=True).start()
reached.wait()
children.join(0)
"""


def gone(pid):
    """Whether there is no process of that number, or nothing but its exit code."""
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@LINUX
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_just_after_a_copy_was_made_ends_both(name, tmp_path):
    sound = str(tmp_path / "song.wav")  # (one that is there: else the show may end by itself before the signal)
    soundfile.write(sound, 0.1 * np.random.default_rng(0).standard_normal((2 * 44100, 2)), 44100)
    program = ENDED.format(signal=name, sound=sound)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    number = getattr(signal, name)
    reason = "interrupted" if name == "SIGINT" else "ended by a signal"
    assert (done.returncode, done.stderr) == (128 + number, f"moodfader: {reason}\n")
    (pid,) = done.stdout.split()
    until(lambda: gone(int(pid)))


def test_who_ends_waits_for_a_process_that_another_thread_starts():
    """It would say with a traceback that it finds half of what it was sent."""
    done = subprocess.run(
        [sys.executable, "-c", STARTED_LATE], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_no_process_is_started_where_they_have_been_ended():
    """As by the thread that looks for the sound card, or puts a renderer back, at the moment of the end."""
    children = ChildProcesses()
    children.join(0)
    with pytest.raises(InputError, match="being ended"):
        children.start(print)
    assert children._processes == []


@pytest.mark.parametrize("killed", [False, True], ids=["not started yet", "killed"])
def test_a_process_is_started_while_a_terminal_view_has_standard_error(killed):
    """Textual's object in place of sys.stderr says -1 where multiprocessing's resource tracker asks for its file."""
    code = f"""
import os, signal, sys
from multiprocessing import resource_tracker
from textual.app import App
from moodfader.engine.devices.backends import run_output_process
from moodfader.engine.live import entry_points
from moodfader.engine.processes.ipc import ChildProcesses
from moodfader.engine.processes.messages import AnalysisJob

class View(App):
    def on_mount(self):
        assert sys.stderr.fileno() == -1
        process, connection = children.start(run_output_process)
        connection.close()
        process.join()
        self.exit(process.exitcode)

children = ChildProcesses()
if {killed}:
    resource_tracker.ensure_running()
    os.kill(resource_tracker._resource_tracker._pid, signal.SIGKILL)
print(View().run(headless=True))
children.join(5)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "0\n", done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no signals of processes here")
@pytest.mark.parametrize("moment", ["fork", "spawn"])
def test_a_process_begins_with_signals_held_back(moment):
    """Ctrl-C goes to all processes of a terminal, also to one that has not said yet what it does with it."""
    code = f"""
import os, signal, sys
from moodfader.engine.devices.backends import run_output_process
from moodfader.engine.live import entry_points
from moodfader.engine.processes.ipc import ChildProcesses
from moodfader.engine.processes.messages import AnalysisJob

children = ChildProcesses()
children.{"fork" if moment == "fork" else "prepare"}(run_output_process)
(process,) = children._processes
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    os.kill(process.pid, number)
children.tell(run_output_process, "null")
process.join(0.3)
print(process.exitcode)
children.join(5)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("None\n", "")


@pytest.mark.parametrize("name", ["renderer", "process that analyses"])
def test_what_ends_a_process_is_a_line_for_the_screen_and_no_traceback_across_it(name, capfd):
    children = ChildProcesses()
    begin, words = (
        (entry_points.render_main, ()) if name == "renderer" else (entry_points.analysis_main, (AnalysisJob((), ()),))
    )
    process, connection = children.start(begin, *words)
    connection.send("what nobody sends")
    notice = connection.recv()
    process.join()
    children.join(0)
    assert notice.text.startswith(f"the {name}: a fault of Moodfader (AttributeError: 'str' object has no attribute")
    assert process.exitcode == 1
    assert capfd.readouterr().err == ""
