"""A show on a machine at its limits: what cannot be done is said on the screen, and done as soon as it can be."""

import os
import resource
import signal
from pathlib import Path

from helpers.show import Show


def test_all_processes_that_end_while_no_file_can_be_opened_are_there_again_when_some_can(long_song, tmp_path):
    with Show(long_song, "--paused", folder=tmp_path) as show:
        show.until(lambda show: show.recorded("track/ready"))
        show.set("transport/play", 1)
        show.until(lambda show: show.value("transport/position") > 0.5)
        main, limit = show.process.pid, resource.prlimit(show.process.pid, resource.RLIMIT_NOFILE)
        open_files = len(list(Path(f"/proc/{main}/fd").iterdir()))
        resource.prlimit(main, resource.RLIMIT_NOFILE, (open_files, limit[1]))
        for child in show.children():
            os.kill(child, signal.SIGKILL)
        show.sees("cannot be started")
        resource.prlimit(main, resource.RLIMIT_NOFILE, limit)
        for name in ("renderer", "output", "analyzer"):
            show.until(lambda show, name=name: show.value(f"state/{name}") == "running")
        stood = show.value("transport/position")
        show.until(lambda show: show.value("transport/position") > stood + 0.5)
        show.set("master", -3.0)
        show.until(lambda show: show.recorded("master") == [-3.0])
