"""A show on a machine at its limits: what cannot be done is said on the screen, and done as soon as it can be."""

import os
import resource
import signal
import sys
from pathlib import Path

from helpers.open_files import NONE_MORE
from helpers.show import Show, Typist

QUIET_VIEW = """
import sys, threading
from helpers.logged_session import LoggedSession
from moodfader.control.midi.interfaces import _quiet
from moodfader.control.tui.app import Terminal

session = LoggedSession()

def open_a_port_for_ever():
    with _quiet():
        session.set("/moodfader/midlevel/modality", 7.5)
        threading.Event().wait()

class View(Terminal):
    def on_mount(self):
        super().on_mount()
        threading.Thread(target=open_a_port_for_ever, daemon=True).start()

View(session).run()
"""


def test_all_processes_that_end_while_no_file_can_be_opened_are_there_again_when_some_can(long_song, tmp_path):
    with Show(long_song, "--paused", folder=tmp_path) as show:
        show.until(lambda show: show.recorded("track/ready"))
        show.set("transport/play", 1)
        show.until(lambda show: show.value("transport/position") > 0.5)
        main, limit = show.process.pid, resource.prlimit(show.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(main, resource.RLIMIT_NOFILE, (NONE_MORE, limit[1]))
        for child in show.children():
            os.kill(child, signal.SIGKILL)
        show.until(lambda show: show.value("state/renderer") == "failed")
        resource.prlimit(main, resource.RLIMIT_NOFILE, limit)
        for name in ("renderer", "output", "analyzer"):
            show.until(lambda show, name=name: show.value(f"state/{name}") == "running")
        stood = show.value("transport/position")
        show.until(lambda show: show.value("transport/position") > stood + 0.5)
        show.set("master", -3.0)
        show.until(lambda show: show.recorded("master") == [-3.0])


def test_a_terminal_that_is_stopped_by_ctrl_s_stops_nothing_else(long_song, tmp_path):
    """Who tells a line, among them who receives what the processes send, does not wait for who may read it."""
    with Show(long_song, "--no-terminal", folder=tmp_path) as show:
        show.until(lambda show: show.value("transport/position") > 0.5)
        show.presses("\x13")
        for child in show.children():
            os.kill(child, signal.SIGKILL)
        show.set("midlevel/modality", 7.5)
        show.until(lambda show: show.recorded("midlevel/modality"))
        show.until(lambda show: show.value("state/output") == "running")
        show.presses("\x11")
        show.sees("is there again")


def test_the_view_is_drawn_while_a_library_is_kept_from_writing_to_standard_error():
    """MIDI ports are opened so every second while their server is gone, and may hang in that."""
    view = Typist([sys.executable, "-c", QUIET_VIEW], PYTHONPATH=str(Path(__file__).parents[1]))
    try:
        view.sees("+7.5")
    finally:
        view.stop()
