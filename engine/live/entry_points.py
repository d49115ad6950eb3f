"""The bodies of the player's processes. Each imports what it needs by itself: whoever starts one needs none of it."""

import contextlib
import signal
from multiprocessing.connection import Connection
from typing import Any

from ..processes.messages import AudioJob, HearingJob


def render(connection: "Connection[Any, Any]") -> None:
    _unsignalled()
    from .render_process import main

    main(connection)


def play(job: AudioJob, connection: "Connection[Any, Any]") -> None:
    _unsignalled()
    from ..devices.backends import main

    main(job, connection)


def hear(job: HearingJob, connection: "Connection[Any, Any]") -> None:
    _unsignalled()
    from .analysis_process import main

    main(job, connection)


def look(connection: "Connection[Any, Any]") -> None:
    """Tell PortAudio's output devices, then whether JACK is there as a back end does."""
    from ..devices.jack_backend import run
    from ..devices.portaudio_backend import devices

    with contextlib.suppress(EOFError, OSError):  # (who asked does not go on to play)
        connection.send(devices())
        run(AudioJob("jack", None, 2, 512, name="moodfader-look"), connection)


def _unsignalled() -> None:
    """Ctrl-C, and the end of the terminal, are for the player to act on: its processes end when it is gone."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, signal.SIG_IGN)
